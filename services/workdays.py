"""Working days by the official calendar, make-up workdays included (A13), and the days that were set otherwise here.

The calendar is published up to 2026; beyond its years only weekends are known, and ``official`` says so. A day that the
State Council moves after this version was made is set by hand (``CalendarDay``), and every deadline in flight with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import CalendarDay
from services.database import table

_FIRST, _LAST = date(2004, 1, 1), date(2026, 12, 31)
_SATURDAY = 5
_DAY = timedelta(days=1)


def official(day: date) -> bool:
    """Whether the published calendar covers ``day``."""
    return _FIRST <= day <= _LAST


@lru_cache(maxsize=8192)
def is_workday(day: date) -> bool:
    """Whether offices are open on ``day``, by the published calendar alone."""
    if official(day):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < _SATURDAY


class Workdays:
    """The calendar with the days that were set otherwise; ``changed`` says of each whether offices are open."""

    def __init__(self, changed: Mapping[date, bool] | None = None) -> None:
        self.changed = dict(changed or {})
        self._after: dict[tuple[date, int], date] = {}

    def is_workday(self, day: date) -> bool:
        """Whether offices are open on ``day``."""
        return self.changed[day] if day in self.changed else is_workday(day)

    def add(self, day: date, count: int) -> date:
        """The ``count``-th working day after ``day``, which itself is not counted."""
        key = (day, count)
        if key not in self._after:
            while count > 0:
                day += _DAY
                count -= self.is_workday(day)
            self._after[key] = day
        return self._after[key]

    def before(self, day: date) -> date:
        """The last working day before ``day``."""
        day -= _DAY
        while not self.is_workday(day):
            day -= _DAY
        return day

    def roll(self, day: date) -> date:
        """``day``, or the next working day when it is a day off."""
        while not self.is_workday(day):
            day += _DAY
        return day


_PUBLISHED = Workdays()


def add_workdays(day: date, count: int) -> date:
    """The ``count``-th working day after ``day``, which itself is not counted, by the published calendar alone."""
    return _PUBLISHED.add(day, count)


def roll_to_workday(day: date) -> date:
    """``day``, or the next working day when it is a day off, by the published calendar alone."""
    return _PUBLISHED.roll(day)


async def load_workdays(connection: AsyncConnection) -> Workdays:
    """The calendar as it stands in this installation."""
    days = table(CalendarDay)
    rows = await connection.execute(select(days.c.on, days.c.working))
    return Workdays({row.on: row.working for row in rows})
