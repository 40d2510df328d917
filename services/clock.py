"""The one clock. ``now`` is wire time, ``moment`` and ``today`` are business time.

They are the same in production. A simulated system (demo, tests, what-if) moves business time by a shift that
stands in the database, so that every process moves together; signatures, leases and retries stay on wire time,
because departments check signatures against their own clocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


def _system_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the house knows it; ``source`` is replaced in tests."""

    shift: timedelta = timedelta(0)
    source: Callable[[], datetime] = _system_time

    def now(self) -> datetime:
        """Wire time: an aware instant in UTC."""
        return self.source()

    def moment(self) -> datetime:
        """Business time: an aware instant in UTC, moved by the shift."""
        return self.source() + self.shift

    def today(self) -> date:
        """The business day in Asia/Shanghai."""
        return self.moment().astimezone(CHINA).date()

    def moved_to(self, day: date) -> Clock:
        """The same clock with business time moved by whole days, so that today is ``day``."""
        return Clock(self.shift + (day - self.today()), self.source)


def china_day(instant: datetime) -> date:
    """The day in Asia/Shanghai on which ``instant`` falls."""
    return instant.astimezone(CHINA).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The instants at which ``day`` and the day after it begin in Asia/Shanghai."""
    return datetime.combine(day, time(), CHINA), datetime.combine(day + timedelta(days=1), time(), CHINA)
