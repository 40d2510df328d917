"""A clock that stands where a test puts it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from services.clock import Clock


class SetClock:
    """``clock`` reads ``instant``, which only the test moves."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant
        self.clock = Clock(source=lambda: self.instant)

    def pass_(self, **duration: float) -> None:
        """Let time pass: ``pass_(seconds=5)``."""
        self.instant += timedelta(**duration)

    def set_day(self, day: date) -> None:
        """Go to ten o'clock in the morning, in Zibo, of ``day``."""
        self.instant = datetime.combine(day, time(2, 0), UTC)
