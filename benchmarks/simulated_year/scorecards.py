"""Every figure of every scorecard, counted once more from the ledger's rows by plain loops over all of them.

Nothing of what makes the scorecards is used here: no query, no calendar, no measure. What is compared: each department
in the whole city and in each district, each month and each quarter.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import chinese_calendar
from sqlalchemy import Row

from benchmarks.simulated_year.recount import rows_of
from models import (
    Card,
    CardCause,
    CardColour,
    CardState,
    Case,
    ClockStop,
    Contradiction,
    FigureDispute,
    Holder,
    Maintenance,
    Satisfaction,
    Step,
    StepFailure,
    StepState,
)
from services.house import House
from services.supervision.appraisal import Scorecard, appraise
from services.supervision.periods import read_period

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_CHINA = timedelta(hours=8)
_ANSWERED = (StepState.DONE, StepState.DECLINED)
_STEP = "id case_number department district state created_at tried_at received_at settled_at answer_by reason"
Time = tuple[datetime, datetime]
Place = tuple[str, str | None]


@dataclass(slots=True)
class Counted:
    """One department in one district (None: everywhere), counted by hand."""

    received: int = 0
    closed: int = 0
    judged: int = 0
    on_time: int = 0
    first_judged: int = 0
    first_right: int = 0
    declined: int = 0
    refusals: int = 0
    reasoned: int = 0
    yellow: int = 0
    red: int = 0
    hours: list[float] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """As a scorecard has them."""
        counts = {name: getattr(self, name) for name in _COUNTS}
        return counts | {
            "median_hours": _middle(self.hours),
            "p90_hours": _ninth(self.hours),
            "satisfaction": round(sum(self.marks) / len(self.marks), 2) if self.marks else None,
            "answers": len(self.marks),
        }


_COUNTS = (
    "received", "closed", "judged", "on_time", "first_judged", "first_right", "declined", "refusals", "reasoned",
    "yellow", "red",
)  # fmt: skip


@dataclass(slots=True)
class Ledger:
    """All rows that a scorecard can hang on, read once. ``away``: when no department had a case or step."""

    steps: Sequence[Row[Any]]
    cards: Sequence[Row[Any]]
    marks: Sequence[Row[Any]]
    districts: dict[str, str]
    away: dict[str, list[Time]]
    closed_doors: dict[str, list[Time]]
    failed: set[str]
    contradicted: set[str]
    left_out: set[tuple[str, str]]

    @classmethod
    async def read(cls, house: House) -> Ledger:
        """Read everything."""
        end = house.database.clock.moment()
        away: dict[str, list[Time]] = defaultdict(list)
        for row in await rows_of(house, ClockStop):
            away[row.case_number].append((row.from_at, row.until_at or end))
        failures = await rows_of(house, StepFailure)
        steps = await rows_of(house, Step, _STEP)
        answers = {row.id: row.received_at for row in steps}
        for row in failures:
            answered = answers[row.step_id]
            again = [at for at in (row.until_at, answered) if at is not None and at > row.failed_at]
            away[row.step_id].append((row.failed_at, min(again, default=end)))
        doors: dict[str, list[Time]] = defaultdict(list)
        for row in await rows_of(house, Maintenance):
            doors[row.department].append((row.from_at, row.until_at))
        disputes = await rows_of(house, FigureDispute)
        return cls(
            steps,
            await rows_of(house, Card),
            await rows_of(house, Satisfaction),
            {row.number: row.district for row in await rows_of(house, Case, "number district")},
            away,
            doors,
            {row.step_id for row in failures},
            {row.step_id for row in await rows_of(house, Contradiction)},
            {(row.figure, row.step_id) for row in disputes if row.left_out and row.step_id},
        )


async def compare(house: House, first: date, last: date) -> int:
    """Hold every scorecard of the months and quarters from ``first`` to ``last`` to the count; how many there were.
    AssertionError where a figure differs.
    """
    ledger = await Ledger.read(house)
    months = sorted({day.replace(day=1) for day in _days(first, last)})
    compared = 0
    by_month = {month: count(ledger, month, _after(month)) for month in months}
    for month in months:
        compared += await _hold(house, f"{month:%Y-%m}", by_month[month])
    for quarter in sorted({(month.year, (month.month + 2) // 3) for month in months}):
        begin = date(quarter[0], quarter[1] * 3 - 2, 1)
        end = _after(_after(_after(begin)))
        compared += await _hold(house, f"{quarter[0]}Q{quarter[1]}", count(ledger, begin, end))
    return compared


async def _hold(house: House, code: str, counted: dict[Place, Counted]) -> int:
    cards: dict[Place, Scorecard] = {
        (card.department.code, card.district.code if card.district else None): card
        for card in (await appraise(house, read_period(code))).cards
    }
    assert cards.keys() == counted.keys(), (code, cards.keys() ^ counted.keys())
    for place, card in cards.items():
        for name, value in counted[place].figures().items():
            assert getattr(card, name) == value, (code, place, name, getattr(card, name), value)
    return len(cards)


def count(ledger: Ledger, first: date, after: date) -> dict[Place, Counted]:
    """Count what lies from ``first`` to the day before ``after``."""
    found: dict[Place, Counted] = defaultdict(Counted)
    forgiven = {one.step_id for one in ledger.cards if one.state is CardState.LIFTED and one.holder is Holder.DEPARTMENT
                and one.colour is CardColour.RED and one.cause is CardCause.OWN}  # fmt: skip
    silent = {one.step_id for one in ledger.cards
              if one.state is not CardState.LIFTED and one.cause is CardCause.UNEXPLAINED}  # fmt: skip
    for step in ledger.steps:
        asked = step.state is not StepState.SUPERSEDED and first <= _day(step.created_at) < after
        answered = step.state in _ANSWERED and first <= _day(step.settled_at) < after
        if asked or answered:
            for place in ((step.department, None), (step.department, step.district)):
                found[place].received += asked
        if answered:
            unsaid = step.reason == "unexplained" or step.id in silent
            for place in ((step.department, None), (step.department, step.district)):
                _answered(found[place], step, ledger, on_time=_in_time(step) or step.id in forgiven, unsaid=unsaid)
    for card in ledger.cards:
        if card.holder is Holder.DEPARTMENT and card.state is not CardState.LIFTED:
            for place in ((card.department, None), (card.department, card.district)):
                if first <= _day(card.dealt_at) < after:
                    found[place].red += card.colour is CardColour.RED
                    found[place].yellow += card.colour is CardColour.YELLOW
    for mark in ledger.marks:
        for place in ((mark.department, None), (mark.department, ledger.districts[mark.case_number])):
            if first <= mark.given_on < after:
                found[place].marks.append(mark.score)
    return dict(found)


def _answered(into: Counted, step: Row[Any], ledger: Ledger, *, on_time: bool, unsaid: bool) -> None:
    declined = step.state is StepState.DECLINED
    into.closed += 1
    into.declined += declined
    if ("on_time", step.id) not in ledger.left_out:
        into.judged += 1
        into.on_time += on_time
    if ("first_right", step.id) not in ledger.left_out:
        into.first_judged += 1
        into.first_right += not declined and step.id not in ledger.failed and step.id not in ledger.contradicted
    if (declined or unsaid) and ("reasoned", step.id) not in ledger.left_out:
        into.refusals += 1
        into.reasoned += not unsaid
    if ("hours", step.id) not in ledger.left_out:
        into.hours.append(_hours(step, ledger))


def _in_time(step: Row[Any]) -> bool:
    return step.answer_by is None or _day(step.settled_at) <= step.answer_by


def _hours(step: Row[Any], ledger: Ledger) -> float:
    """How long the department had it, on days on which offices are open."""
    begin = step.created_at if step.tried_at is None else step.received_at
    if begin is None or step.settled_at - begin < timedelta(seconds=2):
        return 0.0
    begin = max(begin, step.tried_at or begin)
    away = [
        *ledger.away.get(step.case_number, ()),
        *ledger.away.get(step.id, ()),
        *ledger.closed_doors.get(step.department, ()),
    ]
    marks = sorted({begin, step.settled_at, *(at for span in away for at in span), *_midnights(begin, step.settled_at)})
    held = timedelta(0)
    for start, end in pairwise(marks):
        its_own = begin <= start and end <= step.settled_at and not any(a <= start and end <= b for a, b in away)
        if its_own and chinese_calendar.is_workday(_day(start)):
            held += end - start
    return round(held / _HOUR, 2)


def _midnights(begin: datetime, end: datetime) -> Iterable[datetime]:
    at = (begin + _CHINA).replace(hour=0, minute=0, second=0, microsecond=0) - _CHINA
    while at < end:
        yield at
        at += _DAY


def _day(instant: datetime) -> date:
    return (instant + _CHINA).date()


def _after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=place) for place in range((last - first).days + 1))


def _middle(values: list[float]) -> float | None:
    ordered, half = sorted(values), len(values) // 2
    if not ordered:
        return None
    return round(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2, 2)


def _ninth(values: list[float]) -> float | None:
    """The smallest that nine tenths of all do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * 9 / 10) - 1] if ordered else None
