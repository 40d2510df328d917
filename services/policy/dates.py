"""Days as ordinals, and windows of days: what every time condition of the policy is made of.

A day is its proleptic Gregorian ordinal (``date.toordinal``), an int, so that a birthday after year 9999
is a number like any other and nothing overflows. A window is ``(first, last)``, both days included; windows
(`Windows`) are a tuple of such, in order, apart by at least one day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeAlias

Window: TypeAlias = tuple[int, int]
Windows: TypeAlias = tuple[Window, ...]

LAST_DAY = date.max.toordinal()
"""The last day that can be written as a date, 9999-12-31."""

FOREVER = 10 * LAST_DAY
"""An ordinal later than any that a condition can name: the end of what has no end."""

NEVER: Windows = ()
"""No day at all."""

_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097  # the Gregorian calendar repeats after these


def ordinal(year: int, month: int, day: int) -> int:
    """Return the ordinal of a day of any year from 1 on, also past 9999.

    29 February of a common year is taken as 28 February (settlement A3: an anniversary that does not exist
    falls on the last day of that month).
    """
    cycles = 0
    if year > date.max.year:
        cycles, rest = divmod(year - 1, _CYCLE_YEARS)
        year = rest + 1
    if month == 2 and day == 29 and (year % 4 != 0 or (year % 100 == 0 and year % 400 != 0)):
        day = 28
    return date(year, month, day).toordinal() + cycles * _CYCLE_DAYS


def anniversary(day: date, years: int) -> int:
    """Return the ordinal of the ``years``-th anniversary (birthday) of ``day``."""
    return ordinal(day.year + years, day.month, day.day)


def last_day_of_term(valid_from: date, years: int) -> int:
    """Return the last day of a permit of ``years`` from ``valid_from``: the day before the anniversary (A2)."""
    return anniversary(valid_from, years) - 1


def school_year_starts(born: date, age: int, starts: tuple[int, int]) -> int:
    """Return the year in which a child enters school.

    It is the year of the first school-year start (``starts``: month, day) on whose eve the child has turned
    ``age`` (reading of 三（一）1: turned 6 by 31 August).
    """
    year = born.year + age
    return year if anniversary(born, age) < ordinal(year, *starts) else year + 1


def union(windows: Iterable[Window]) -> Windows:
    """Merge windows that overlap or touch: two that follow each other without a day between are one run."""
    merged: list[Window] = []
    for first, last in sorted(windows):
        if first > last:
            continue
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return tuple(merged)


def intersection(one: Windows, other: Windows) -> Windows:
    """Return the days that lie in both."""
    found: list[Window] = []
    i = j = 0
    while i < len(one) and j < len(other):
        first = max(one[i][0], other[j][0])
        last = min(one[i][1], other[j][1])
        if first <= last:
            found.append((first, last))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)
