"""What each step of a period comes to for its department's appraisal, read from the ledger: figures are sums of these.

So a figure and the list of steps behind it can never differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import (
    Card,
    CardCause,
    CardColour,
    CardState,
    ClockStop,
    Contradiction,
    Door,
    Endpoint,
    FigureDispute,
    Holder,
    Step,
    StepFailure,
    StepState,
)
from services.access import WHOLE_CITY, Sight
from services.clock import day_bounds
from services.database import table
from services.house import House
from services.ledger.steps import UNEXPLAINED
from services.supervision.charging import StepTimes, custody
from services.supervision.deadlines import Span, working_time
from services.supervision.periods import Period
from services.supervision.terms import Terms, load_terms

_STEPS, _STOPS, _FAILURES, _CARDS = table(Step), table(ClockStop), table(StepFailure), table(Card)
_CONTRADICTIONS, _DISPUTES, _ENDPOINTS = table(Contradiction), table(FigureDispute), table(Endpoint)
_ANSWERED = (StepState.DONE, StepState.DECLINED)
_PAGE = 2_000
_INSTANT = timedelta(seconds=2)
COLUMNS = (
    _STEPS.c.id, _STEPS.c.case_number, _STEPS.c.department, _STEPS.c.district, _STEPS.c.state, _STEPS.c.created_at,
    _STEPS.c.tried_at, _STEPS.c.received_at, _STEPS.c.settled_at, _STEPS.c.answer_by, _STEPS.c.reason,
)  # fmt: skip


class Measure(NamedTuple):
    """One step in one period. What does not apply is None: a figure counts only what says yes or no.

    ``received``: it was asked in the period; ``closed``: it was answered in it. ``hours``: how long the department had
    it, on working days, without the applicant's time and declared outages.
    """

    step: str
    case_number: str
    department: str
    district: str
    received: bool
    closed: bool
    on_time: bool | None
    first_right: bool | None
    declined: bool
    reasoned: bool | None
    hours: float | None
    at: datetime


async def measures(
    house: House, connection: AsyncConnection, period: Period, sight: Sight = WHOLE_CITY, *,
    department: str | None = None, district: str | None = None,
) -> AsyncIterator[Measure]:  # fmt: skip
    """Every step asked or answered in ``period``, in ``sight``. The cost follows the period, not what is stored."""
    where = _in_period(period, sight, department, district)
    reader = await _Reader.open(house, connection, period, where)
    result = await connection.stream(select(*COLUMNS).where(where).order_by(_STEPS.c.id))
    async for page in result.partitions(_PAGE):
        for row in page:
            yield reader.measure(row)


def _in_period(period: Period, sight: Sight, department: str | None, district: str | None) -> ColumnElement[bool]:
    first, end = period.bounds
    came = and_(_STEPS.c.created_at >= first, _STEPS.c.created_at < end, _STEPS.c.state != StepState.SUPERSEDED)
    went = and_(_STEPS.c.settled_at >= first, _STEPS.c.settled_at < end, _STEPS.c.state.in_(_ANSWERED))
    narrowed = [
        column == value
        for column, value in (
            (_STEPS.c.department, sight.department), (_STEPS.c.district, sight.district),
            (_STEPS.c.department, department), (_STEPS.c.district, district),
        )
        if value is not None
    ]  # fmt: skip
    return and_(or_(came, went), *narrowed)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What is known of the period's steps beside their own rows; all of it is rare."""

    terms: Terms
    first: datetime
    end: datetime
    fetching: frozenset[str]
    failures: Mapping[str, Sequence[tuple[datetime, datetime | None]]]
    stops: Mapping[str, Sequence[Span]]
    contradicted: frozenset[str]
    forgiven: frozenset[str]
    unexplained: frozenset[str]
    left_out: frozenset[tuple[str, str]]
    # When each deadline was over. There are few of them, and a hundred thousand steps in a quarter.
    over: dict[date, datetime] = field(default_factory=dict)

    @classmethod
    async def open(
        cls, house: House, connection: AsyncConnection, period: Period, where: ColumnElement[bool]
    ) -> _Reader:
        clock = house.database.clock
        first, end = period.bounds
        ids, cases = select(_STEPS.c.id).where(where), select(_STEPS.c.case_number).where(where)
        failures: dict[str, list[tuple[datetime, datetime | None]]] = defaultdict(list)
        for row in await connection.execute(select(_FAILURES).where(_FAILURES.c.step_id.in_(ids))):
            failures[row.step_id].append((row.failed_at, row.until_at))
        stops: dict[str, list[Span]] = defaultdict(list)
        for row in await connection.execute(select(_STOPS).where(_STOPS.c.case_number.in_(cases))):
            stops[row.case_number].append(Span(row.from_at, row.until_at or clock.moment()))

        async def names(query: Any) -> frozenset[str]:
            return frozenset((await connection.execute(query)).scalars())

        pushed = await names(select(_ENDPOINTS.c.department).where(_ENDPOINTS.c.door == Door.PUSH))
        departments = {code for pack in house.packs.packs for code in pack.departments}
        late_card = and_(_CARDS.c.cause == CardCause.OWN, _CARDS.c.colour == CardColour.RED)
        without_reason = and_(_CARDS.c.cause == CardCause.UNEXPLAINED, _CARDS.c.state != CardState.LIFTED)
        disputes = select(_DISPUTES.c.figure, _DISPUTES.c.step_id).where(
            _DISPUTES.c.left_out.is_(True), _DISPUTES.c.step_id.is_not(None)
        )
        return cls(
            await load_terms(connection, clock), first.astimezone(UTC), end.astimezone(UTC),
            frozenset(departments - pushed), failures, stops,
            await names(select(_CONTRADICTIONS.c.step_id).where(_CONTRADICTIONS.c.step_id.in_(ids))),
            await names(
                select(_CARDS.c.step_id).where(
                    late_card, _CARDS.c.state == CardState.LIFTED, _CARDS.c.holder == Holder.DEPARTMENT
                )
            ),
            await names(select(_CARDS.c.step_id).where(without_reason)),
            frozenset((row.figure, row.step_id) for row in await connection.execute(disputes)),
        )  # fmt: skip

    def measure(self, row: Row[Any]) -> Measure:
        step, case_number, department, district, state, created_at, _, _, settled_at, answer_by, reason = row
        closed = state in _ANSWERED and self.first <= settled_at < self.end
        declined = closed and state is StepState.DECLINED
        late = closed and answer_by is not None and settled_at >= self._over(answer_by)
        right = state is StepState.DONE and step not in self.contradicted and step not in self.failures
        no_reason = reason == UNEXPLAINED or step in self.unexplained
        return Measure(
            step,
            case_number,
            department,
            district,
            state is not StepState.SUPERSEDED and self.first <= created_at < self.end,
            closed,
            self._said("on_time", step, closed, not late or step in self.forgiven),
            self._said("first_right", step, closed, right),
            declined,
            self._said("reasoned", step, closed and (declined or no_reason), not no_reason),
            self._hours(row) if closed and ("hours", step) not in self.left_out else None,
            settled_at if closed else created_at,
        )

    def _said(self, figure: str, step: str, applies: bool, value: bool) -> bool | None:
        return value if applies and (figure, step) not in self.left_out else None

    def _over(self, answer_by: date) -> datetime:
        if answer_by not in self.over:
            self.over[answer_by] = day_bounds(answer_by)[1].astimezone(UTC)
        return self.over[answer_by]

    def _hours(self, row: Row[Any]) -> float:
        if row.received_at is not None and row.tried_at is not None and row.settled_at - row.received_at < _INSTANT:
            return 0.0
        times = StepTimes(
            row.id, row.department, row.created_at, row.tried_at, row.received_at, row.settled_at,
            row.department in self.fetching, tuple(self.failures.get(row.id, ())),
        )  # fmt: skip
        outages = [*self.terms.outages.get(row.department, ()), *self.stops.get(row.case_number, ())]
        parts = custody(times, row.settled_at, outages)
        own = [span for span, who in parts if who.holder is Holder.DEPARTMENT]
        return round(working_time(own, self.terms.calendar) / timedelta(hours=1), 2)
