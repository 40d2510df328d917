"""Periods of the appraisal: a month (``2014-11``) or a quarter (``2014Q4``), by days in Zibo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.clock import day_bounds
from services.errors import InputError

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})Q([1-4])")
_MONTHS, _OF_QUARTER = 12, 3


@dataclass(frozen=True, slots=True)
class Period:
    """``code`` as it is written; both days included."""

    code: str
    first_day: date
    last_day: date

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The instants at which it begins and at which what follows begins."""
        return day_bounds(self.first_day)[0], day_bounds(self.last_day)[1]

    @property
    def zh(self) -> str:
        """As documents write it."""
        if "Q" in self.code:
            return f"{self.first_day.year}年第{(self.first_day.month + 2) // _OF_QUARTER}季度"
        return f"{self.first_day.year}年{self.first_day.month}月"

    @property
    def en(self) -> str:
        """In English: its code."""
        return self.code


def read_period(code: str) -> Period:
    """The period written ``code``; InputError if it is none."""
    month, quarter = _MONTH.fullmatch(code), _QUARTER.fullmatch(code)
    if month and 1 <= int(month[2]) <= _MONTHS and int(month[1]):
        return _of(code, int(month[1]), int(month[2]), 1)
    if quarter and int(quarter[1]):
        return _of(code, int(quarter[1]), int(quarter[2]) * _OF_QUARTER - 2, _OF_QUARTER)
    raise InputError("must be a month as 2014-11 or a quarter as 2014Q4", place="period")


def month_of(day: date) -> Period:
    """The month in which ``day`` lies."""
    return read_period(f"{day:%Y-%m}")


def next_month(first: date) -> date:
    """The first day of the month after that of ``first``."""
    return date(first.year + first.month // _MONTHS, first.month % _MONTHS + 1, 1)


def months(first: date, count: int) -> Iterator[date]:
    """The first days of ``count`` months, from that of ``first`` on."""
    day = first.replace(day=1)
    for _ in range(count):
        yield day
        day = next_month(day)


def _of(code: str, year: int, month: int, count: int) -> Period:
    first = date(year, month, 1)
    *_, last = months(first, count)
    return Period(code, first, next_month(last) - timedelta(days=1))
