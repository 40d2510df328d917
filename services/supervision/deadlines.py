"""Deadlines (办理时限): the last day of a clock, and the day on which it wants a look. Pure.

A clock counts whole days after the day on which it began: working days by the calendar, or calendar days, of which the
last rolls to the next working day (A13). While it is stopped it does not count: stopped time is added up to the second,
and the deadline moves by as many days as it takes to give all of it back, a begun day counted whole. So a stop never
costs who is on the clock a minute, and many short stops are worth no more than one long one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from services.clock import china_day, day_bounds
from services.workdays import Workdays

Unit = Literal["working", "calendar"]
_DAY = timedelta(days=1)
# A yellow card ahead of time: this share of the days is used up, or one working day is left, whichever comes first.
YELLOW_SHARE = 0.8


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A time from one instant to another (business time), the second not included."""

    from_at: datetime
    until_at: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.until_at - self.from_at

    def within(self, other: Span) -> Span | None:
        """The part that lies in ``other``; None if there is none."""
        start, end = max(self.from_at, other.from_at), min(self.until_at, other.until_at)
        return Span(start, end) if start < end else None


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans that do not touch, in order."""
    found: list[Span] = []
    for span in sorted(one for one in spans if one.from_at < one.until_at):
        if found and span.from_at <= found[-1].until_at:
            found[-1] = Span(found[-1].from_at, max(found[-1].until_at, span.until_at))
        else:
            found.append(span)
    return found


def working_time(spans: Iterable[Span], calendar: Workdays) -> timedelta:
    """How much of ``spans`` lies on working days (whole days of 24 hours)."""
    total = timedelta(0)
    for span in joined(spans):
        day, last = china_day(span.from_at), china_day(span.until_at)
        while day <= last:
            if calendar.is_workday(day):
                part = span.within(Span(*day_bounds(day)))
                total += part.length if part is not None else timedelta(0)
            day += _DAY
    return total


def due_on(start: date, days: int, unit: Unit, stops: Iterable[Span], calendar: Workdays) -> date:
    """The last day of a clock that began on ``start`` (not counted) and was stopped during ``stops``."""
    stopped = joined(stops)
    if not stopped:
        return calendar.add(start, days) if unit == "working" else calendar.roll(start + timedelta(days=days))
    counted = Workdays.is_workday if unit == "working" else _every_day
    left, day = timedelta(days=days), start
    while left > timedelta(0):
        day += _DAY
        if counted(calendar, day):
            left -= _DAY - _sum(stopped, Span(*day_bounds(day)))
    return day if unit == "working" else calendar.roll(day)


def _every_day(calendar: Workdays, day: date) -> bool:
    del calendar, day
    return True


def _sum(stopped: Sequence[Span], window: Span) -> timedelta:
    parts = (one.within(window) for one in stopped)
    return sum((part.length for part in parts if part is not None), timedelta(0))


def yellow_on(start: date, days: int, unit: Unit, due: date, calendar: Workdays) -> date:
    """From which day a clock is close to its end: ``YELLOW_SHARE`` of its days are used up, or only one working day is
    left. Never on the day on which it began.
    """
    near = due
    for _ in range(days - math.floor(days * YELLOW_SHARE) - 1):
        near = calendar.before(near) if unit == "working" else near - _DAY
    return max(min(near, calendar.before(due)), min(start + _DAY, due))


def next_look(today: date, start: date, days: int, unit: Unit, due: date, calendar: Workdays) -> date | None:
    """The next day after ``today`` on which the clock wants a look: when it turns yellow, then when it turns red."""
    for day in (yellow_on(start, days, unit, due, calendar), due + _DAY):
        if day > today:
            return day
    return None
