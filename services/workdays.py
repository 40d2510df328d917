"""Working days by the official calendar, make-up workdays included (A13).

The calendar is published up to 2026; beyond its years only weekends are known, and ``official`` says so.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar

_FIRST, _LAST = date(2004, 1, 1), date(2026, 12, 31)
_SATURDAY = 5


def official(day: date) -> bool:
    """Whether the published calendar covers ``day``."""
    return _FIRST <= day <= _LAST


def is_workday(day: date) -> bool:
    """Whether offices are open on ``day``."""
    if official(day):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < _SATURDAY


@lru_cache(maxsize=4096)
def add_workdays(day: date, count: int) -> date:
    """The ``count``-th working day after ``day``, which itself is not counted."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day


def roll_to_workday(day: date) -> date:
    """``day``, or the next working day when it is a day off."""
    while not is_workday(day):
        day += timedelta(days=1)
    return day
