"""Running clocks: the deadlines of cases and steps under way, reckoned anew when something moved them.

A correction stops every clock of its case, an announced outage those of what waits for that department; a step that
reached its department late gets its days from then on. What stands in the columns (``answer_by``, ``promised_by``,
``statutory_by``) is what was reckoned last; an open stop leaves them empty, since no deadline stands then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, Step, StepKind, StepState
from models.states import OPEN_STEPS, RUNNING_CASES
from services.clock import china_day
from services.database import Transaction, among, is_postgresql, table
from services.house import House
from services.supervision.deadlines import Span
from services.supervision.histories import load_stops
from services.supervision.terms import Terms, promised_days

_CASES, _STEPS = table(Case), table(Step)
WAITED_FOR = OPEN_STEPS | {StepState.FAILED}


@dataclass(frozen=True, slots=True)
class StepClock:
    """One step's clock as reckoned: it began on ``start``; ``due`` and ``look`` are None while it stands still."""

    row: Row[Any]
    start: date
    days: int
    due: date | None
    look: date | None
    stopped: bool


@dataclass(frozen=True, slots=True)
class CaseClocks:
    """A case's clocks as reckoned; ``columns`` are those of ``models.Case``."""

    row: Row[Any]
    columns: Mapping[str, Any]
    stopped: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """One deadline that moves. ``subject``: a step's id or the case's number; ``clock``: own, promised or statutory."""

    case_number: str
    subject: str
    clock: str
    before: date | None
    after: date | None


async def step_clocks(
    connection: AsyncConnection, house: House, terms: Terms, *where: ColumnElement[bool], lock: bool = False
) -> list[StepClock]:
    """The clocks of the steps that are waited for and fit ``where``. ``lock`` those that are free."""
    query = select(_STEPS).where(_STEPS.c.state.in_(WAITED_FOR), *where).order_by(_STEPS.c.id)
    if lock and is_postgresql(connection):
        # Who answers holds the step and then wants the case, which we may hold: such a step is left to its answer.
        query = query.with_for_update(skip_locked=True)
    rows = (await connection.execute(query)).all()
    stops, _ = await load_stops(connection, {row.case_number for row in rows})
    return [_step_clock(house, terms, row, stops.get(row.case_number, ())) for row in rows]


def _step_clock(
    house: House, terms: Terms, row: Row[Any], stops: Sequence[tuple[datetime, datetime | None]]
) -> StepClock:
    start = china_day(row.created_at)
    if row.tried_at is not None and row.received_at is not None:
        # Until then it was not theirs.
        start = max(start, china_day(row.received_at))
    days = row.answer_days or promised_days(house.packs.named(row.pack), start)
    if any(until is None for _, until in stops):
        return StepClock(row, start, days, None, None, stopped=True)
    due = terms.step_due(row.department, start, days, [Span(at, until) for at, until in stops if until is not None])
    return StepClock(row, start, days, due, terms.step_look(start, days, due), stopped=False)


async def case_clocks(
    connection: AsyncConnection, house: House, terms: Terms, at: datetime, *where: ColumnElement[bool]
) -> list[CaseClocks]:
    """The clocks of the cases that are not decided yet and fit ``where``, outages up to ``at`` counted."""
    undecided = (_CASES.c.state.in_(RUNNING_CASES), _CASES.c.decided_at.is_(None), _CASES.c.accepted_at.is_not(None))
    columns = (
        _CASES.c.number, _CASES.c.district, _CASES.c.pack, _CASES.c.received_on, _CASES.c.accepted_at,
        _CASES.c.promised_by, _CASES.c.statutory_by, _CASES.c.look_on,
    )  # fmt: skip
    rows = (await connection.execute(select(*columns).where(*undecided, *where).order_by(_CASES.c.number))).all()
    numbers = {row.number for row in rows}
    stops, _ = await load_stops(connection, numbers)
    waits = await _outages_met(connection, terms, numbers, at)
    found = []
    for row in rows:
        own = stops.get(row.number, ())
        if any(until is None for _, until in own):
            still = {"accepted_at": row.accepted_at, "promised_by": None, "statutory_by": None, "look_on": None}
            found.append(CaseClocks(row, still, stopped=True))
            continue
        spans = [*(Span(start, until) for start, until in own if until is not None), *waits.get(row.number, ())]
        pack = house.caseworker.pack(row.pack)
        found.append(CaseClocks(row, terms.case_clocks(pack, row.received_on, row.accepted_at, spans), stopped=False))
    return found


async def _outages_met(
    connection: AsyncConnection, terms: Terms, numbers: Collection[str], at: datetime
) -> dict[str, list[Span]]:
    """For each case the announced outages, up to ``at``, of departments whose answer it waited for meanwhile."""
    if not terms.outages or not numbers:
        return {}
    query = select(_STEPS.c.case_number, _STEPS.c.department, _STEPS.c.created_at, _STEPS.c.settled_at).where(
        among(connection, _STEPS.c.case_number, numbers),
        _STEPS.c.department.in_(sorted(terms.outages)),
        _STEPS.c.kind == StepKind.VERIFICATION,
    )
    met: dict[str, list[Span]] = defaultdict(list)
    for row in await connection.execute(query):
        waited = Span(row.created_at, min(row.settled_at or at, at))
        met[row.case_number].extend(
            part for outage in terms.outages[row.department] if (part := outage.within(waited)) is not None
        )
    return met


def moved(clocks: Sequence[StepClock], cases: Sequence[CaseClocks]) -> Iterator[Moved]:
    """The deadlines that are not what the columns say."""
    for one in clocks:
        if one.due != one.row.answer_by:
            yield Moved(one.row.case_number, one.row.id, "own", one.row.answer_by, one.due)
    for case in cases:
        for clock in ("promised", "statutory"):
            before, after = getattr(case.row, f"{clock}_by"), case.columns[f"{clock}_by"]
            if before != after:
                yield Moved(case.row.number, case.row.number, clock, before, after)


async def reckon(
    transaction: Transaction,
    house: House,
    terms: Terms,
    because: str,
    *,
    cases: Collection[str] | None = None,
    department: str | None = None,
) -> tuple[Moved, ...]:
    """Reckon the deadlines under way anew, of ``cases`` or of what ``department`` has, and write down what moved."""
    connection = transaction.connection
    steps = [among(connection, _STEPS.c.case_number, cases)] if cases is not None else []
    if department is not None:
        steps.append(_STEPS.c.department == department)
    clocks = await step_clocks(connection, house, terms, *steps, lock=True)
    wanted = cases if department is None else {one.row.case_number for one in clocks}
    mine = [among(connection, _CASES.c.number, wanted)] if wanted is not None else []
    whole = await case_clocks(connection, house, terms, transaction.at, *mine)
    await write_clocks(transaction, clocks, whole)
    found = tuple(moved(clocks, whole))
    note_moved(transaction, found, because)
    return found


async def write_clocks(transaction: Transaction, clocks: Sequence[StepClock], cases: Sequence[CaseClocks]) -> None:
    """Write down clocks that differ from what the columns say."""
    changed = [
        {"step": one.row.id, "due": one.due, "look": one.look}
        for one in clocks
        if (one.due, one.look) != (one.row.answer_by, one.row.look_on)
    ]
    if changed:
        await transaction.connection.execute(
            update(_STEPS)
            .where(_STEPS.c.id == bindparam("step"))
            .values(answer_by=bindparam("due"), look_on=bindparam("look")),
            changed,
        )
    names = ("promised_by", "statutory_by", "look_on")
    rows = [
        {"case": one.row.number} | {f"new_{name}": one.columns[name] for name in names}
        for one in cases
        if any(one.columns[name] != getattr(one.row, name) for name in names)
    ]
    if rows:
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        await transaction.connection.execute(
            update(_CASES).where(_CASES.c.number == bindparam("case")).values(values), rows
        )


def note_moved(transaction: Transaction, found: Sequence[Moved], because: str) -> None:
    """One entry a case: which deadlines moved, from what day to what day, and why."""
    by_case: dict[str, dict[str, list[str | None]]] = defaultdict(dict)
    for one in found:
        days = [day.isoformat() if day is not None else None for day in (one.before, one.after)]
        by_case[one.case_number][f"{one.subject}:{one.clock}" if one.clock == "own" else one.clock] = days
    for number, moves in by_case.items():
        transaction.note("deadlines.moved", number, because=because, deadlines=moves)
