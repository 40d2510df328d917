"""The clocks of one case as a reader sees them: what runs until when, what stood still, and whose time it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, Step, StepState
from models.states import RUNNING_CASES
from services.access import WHOLE_CITY, Sight
from services.casework.sight import cases_in
from services.clock import china_day
from services.database import table
from services.errors import NotFoundError
from services.house import House
from services.lexicon import Lexicon, Named
from services.supervision.charging import Charged, Charges, History, charge
from services.supervision.deadlines import Span
from services.supervision.histories import load_histories
from services.supervision.running import WAITED_FOR, case_clocks, step_clocks
from services.supervision.terms import Terms, case_limits, load_terms, promised_days
from services.supervision.words import CAUSE_WORDS, CLOCK_STATE_WORDS, HOLDER_WORDS, STOP_WORDS
from services.workdays import official

_CASES, _STEPS = table(Case), table(Step)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ClockView:
    """One clock. ``subject`` is the case's number or a step's id; ``unit`` working or calendar days; ``due_on`` is None
    while it stands still; ``days_left`` counts working days from today, below 0 when it is past. ``official``: whether
    the published calendar covers the deadline.
    """

    subject: str
    clock: Named
    department: Named | None
    started_on: date
    days: int
    unit: str
    state: Named
    due_on: date | None
    days_left: int | None
    ended_at: datetime | None
    official: bool


@dataclass(frozen=True, slots=True)
class StopView:
    """A time in which clocks stood still: a correction for every clock, an outage for those of one department."""

    why: Named
    department: Named | None
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShareView:
    """What one is charged of the case's time, in hours: by the wall clock, and of that on working days."""

    holder: Named
    department: Named | None
    hours: float
    working_hours: float


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A stretch of the case's time, and who had it."""

    from_at: datetime
    until_at: datetime
    holders: tuple[Named, ...]
    deciding: bool


@dataclass(frozen=True, slots=True)
class CaseTimes:
    """A case's clocks, stops and charged time. ``elapsed_hours`` is the time under way, the sum of all shares."""

    number: str
    clocks: tuple[ClockView, ...]
    stops: tuple[StopView, ...]
    elapsed_hours: float
    shares: tuple[ShareView, ...]
    segments: tuple[SegmentView, ...]


async def read_clocks(house: House, number: str, sight: Sight = WHOLE_CITY) -> CaseTimes:
    """The clocks of the case ``number``; NotFoundError out of sight. A department sees its own steps and its share."""
    clock = house.database.clock
    async with house.database.read() as connection:
        query = select(_CASES).where(_CASES.c.number == number, cases_in(sight))
        case = (await connection.execute(query)).one_or_none()
        if case is None:
            raise NotFoundError("there is no such case, or it is not yours to see; check the number", place="number")
        terms = await load_terms(connection, clock)
        history = (await load_histories(connection, [number]))[number]
        reader = _Reader(house, terms, case, history, sight, clock.moment())
        views = [*await reader.of_case(connection), *await reader.of_steps(connection)]
    charges = charge(history, clock.moment(), terms.calendar, terms.outages)
    return CaseTimes(
        number,
        tuple(views),
        tuple(reader.stops(charges)),
        _hours(charges.elapsed),
        tuple(
            ShareView(reader.holder(who), reader.department(who.department), _hours(share.wall), _hours(share.working))
            for who, share in charges.shares.items()
            if reader.shows(who.department)
        ),
        tuple(
            SegmentView(one.span.from_at, one.span.until_at, tuple(map(reader.named, one.charged)), one.deciding)
            for one in charges.segments
            if sight.department is None or any(who.department == sight.department for who in one.charged)
        ),
    )


def _hours(length: timedelta) -> float:
    return round(length / _HOUR, 2)


@dataclass(slots=True)
class _Reader:
    house: House
    terms: Terms
    case: Row[Any]
    history: History
    sight: Sight
    at: datetime

    def shows(self, department: str | None) -> bool:
        return self.sight.department in (None, department)

    def department(self, code: str | None) -> Named | None:
        words = Lexicon(self.house.packs, self.house.caseworker.pack(self.case.pack))
        return words.department(code, self.terms.today) if code is not None else None

    def holder(self, who: Charged) -> Named:
        return Named.of(who.holder.value, HOLDER_WORDS[who.holder.value])

    def named(self, who: Charged) -> Named:
        holder, department = self.holder(who), self.department(who.department)
        if department is None:
            return holder
        if not self.shows(who.department):
            return Named.of(who.holder.value, HOLDER_WORDS["department"])
        of = who.holder.value == "channel"
        return Named(
            f"{who.holder.value}:{who.department}",
            f"{department.zh}{'接口' if of else ''}",
            f"{department.en}{' (endpoint)' if of else ''}",
        )

    async def of_case(self, connection: AsyncConnection) -> list[ClockView]:
        case = self.case
        if case.accepted_at is None:
            return []
        start = china_day(case.accepted_at)
        limits = case_limits(self.house.caseworker.pack(case.pack), case.received_on)
        running = await case_clocks(connection, self.house, self.terms, self.at, _CASES.c.number == case.number)
        due = running[0].columns if running else {code: getattr(case, code) for code in ("promised_by", "statutory_by")}
        ended = None if running or case.state in RUNNING_CASES else case.decided_at or case.closed_at
        stopped = bool(running) and running[0].stopped
        return [
            self._view(case.number, code, None, start, limit.days, limit.unit, due[f"{code}_by"], ended, stopped)
            for code, limit in limits.items()
        ]

    async def of_steps(self, connection: AsyncConnection) -> list[ClockView]:
        mine = [_STEPS.c.case_number == self.case.number]
        if self.sight.department is not None:
            mine.append(_STEPS.c.department == self.sight.department)
        running = {one.row.id: one for one in await step_clocks(connection, self.house, self.terms, *mine)}
        rows = await connection.execute(select(_STEPS).where(*mine).order_by(_STEPS.c.created_at, _STEPS.c.id))
        found = []
        for row in rows:
            one = running.get(row.id)
            start = one.start if one is not None else china_day(row.created_at)
            days = row.answer_days or promised_days(self.house.packs.named(row.pack), start)
            due, stopped = (one.due, one.stopped) if one is not None else (row.answer_by, False)
            ended = row.settled_at if row.state not in WAITED_FOR else None
            if row.state not in (StepState.SUPERSEDED, StepState.WAIVED):
                found.append(self._view(row.id, "own", row.department, start, days, "working", due, ended, stopped))
        return found

    def _view(  # noqa: PLR0913, PLR0917 - one clock, field by field
        self, subject: str, code: str, department: str | None, start: date, days: int, unit: str, due: date | None,
        ended: datetime | None, stopped: bool,
    ) -> ClockView:  # fmt: skip
        today = self.terms.today
        if stopped:
            state = "stopped"
        elif ended is not None:
            state = "late" if due is not None and china_day(ended) > due else "met"
        else:
            state = "overdue" if due is not None and today > due else "running"
        left = None if due is None or ended is not None else _days_left(self.terms, today, due)
        return ClockView(
            subject, Named.of(code, CAUSE_WORDS[code]), self.department(department), start, days, unit,
            Named.of(state, CLOCK_STATE_WORDS[state]), due, left, ended, due is None or official(due),
        )  # fmt: skip

    def stops(self, charges: Charges) -> Iterable[StopView]:
        for from_at, until_at in self.history.stops:
            yield StopView(Named.of("correction", STOP_WORDS["correction"]), None, from_at, until_at)
        under_way = [one.span for one in charges.segments]
        for department in sorted({step.department for step in self.history.steps}):
            if self.shows(department):
                for outage in _met(self.terms.outages.get(department, ()), under_way):
                    why = Named.of("outage", STOP_WORDS["outage"])
                    yield StopView(why, self.department(department), outage.from_at, outage.until_at)


def _met(outages: Sequence[Span], under_way: Sequence[Span]) -> Iterable[Span]:
    return (outage for outage in outages if any(outage.within(span) for span in under_way))


def _days_left(terms: Terms, today: date, due: date) -> int:
    """Working days from tomorrow to the deadline, or, below 0, how many have gone since."""
    first, last, sign = (today, due, 1) if today <= due else (due, today, -1)
    days = (first + timedelta(days=place) for place in range(1, (last - first).days + 1))
    return sign * sum(terms.calendar.is_workday(day) for day in days)
