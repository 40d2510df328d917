"""A straight recount of the year from the ledger's rows, in plain Python: none of the queries that are to be proven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from benchmarks.simulated_year.town import LEFT_OPEN, MEETING, UNCONNECTED
from models import (
    AgendaItem,
    AgendaState,
    Card,
    CardState,
    Case,
    CaseState,
    Contradiction,
    Entitlement,
    EntitlementState,
    Fact,
    Matter,
    MatterKind,
    MatterState,
    Meeting,
    MeetingState,
    Permit,
    PermitState,
    Resolution,
    ResolutionCase,
    ResolutionState,
    RetryItem,
    Step,
    StepKind,
    StepState,
)
from services.clock import china_day
from services.database import table
from services.house import House
from services.supervision.charging import charge
from services.supervision.histories import load_histories
from services.supervision.terms import load_terms

KINDS = (
    MatterKind.LATE, MatterKind.OTHER_GROUND, MatterKind.DISPUTE, MatterKind.UNCONNECTED, MatterKind.UNCONFIRMED,
    MatterKind.CONTRADICTION, MatterKind.CATCH_ALL,
)  # fmt: skip
_OVER = (CaseState.REFUSED, CaseState.WITHDRAWN)
_OPEN = (StepState.DUE, StepState.SENDING, StepState.RECEIVED, StepState.HELD)
Key = tuple[str, str | None, str | None]


async def rows_of(house: House, model: type, columns: str = "", **among: Collection[Any]) -> Sequence[Row[Any]]:
    """The rows of a table, of them the ``columns`` if given, where each column of ``among`` is one of its values."""
    source = table(model)
    query = select(*(source.c[name] for name in columns.split())) if columns else select(source)
    for name, values in among.items():
        query = query.where(source.c[name].in_(sorted(values)))
    async with house.database.read() as connection:
        return (await connection.execute(query)).all()


def departments_of(house: House) -> set[str]:
    """Every department there is."""
    return {code for pack in house.packs.packs for code in pack.departments}


async def late_departments(house: House) -> set[str]:
    """Departments with something that they have and have not answered past its day."""
    today = house.database.clock.today()
    mine = {"department": departments_of(house) - {MEETING}, "state": [StepState.RECEIVED]}
    rows = await rows_of(house, Step, "department answer_by", **mine)
    return {row.department for row in rows if row.answer_by is not None and row.answer_by < today}


async def waiting_for_the_meeting(house: House) -> set[str]:
    """Cases that wait for the meeting's word on their ground."""
    steps = await rows_of(house, Step, "case_number kind", department=[MEETING], state=_OPEN)
    asked = {row.case_number for row in steps if row.kind is StepKind.VERIFICATION}
    permits = {row.case_number for row in await rows_of(house, Permit, "case_number", case_number=asked)}
    cases = await rows_of(house, Case, "number state", number=asked - permits)
    return {row.number for row in cases if row.state is CaseState.VERIFYING}


async def disputed(house: House) -> set[str]:
    """Services that a department declined as not its duty, and that stand so."""
    declined = {"department": departments_of(house), "state": [EntitlementState.DECLINED]}
    rows = await rows_of(house, Entitlement, "service reason", **declined)
    return {row.service for row in rows if row.reason == "not-our-duty"}


async def unconfirmed(house: House) -> set[Key]:
    """Facts that a department could not confirm, and that nobody settled since, of cases that live."""
    declined = {"department": departments_of(house), "state": [StepState.DECLINED]}
    rows = await rows_of(house, Step, "case_number department kind reason content settled_at", **declined)
    steps = [row for row in rows if row.kind is StepKind.VERIFICATION and row.reason == "no-record"]
    numbers = {row.case_number for row in steps}
    over = {row.number for row in await rows_of(house, Case, "number state", number=numbers) if row.state in _OVER}
    permits = await rows_of(house, Permit, "case_number state", case_number=numbers)
    over |= {row.case_number for row in permits if row.state is PermitState.ENDED}
    facts = await rows_of(house, Fact, "case_number name confirmed_at", case_number=numbers)
    told = {(row.case_number, row.name): row.confirmed_at for row in facts}
    return {
        (MatterKind.UNCONFIRMED.value, step.department, fact)
        for step in steps
        for fact in step.content["facts"]
        if step.case_number not in over
        and told.get((step.case_number, fact), datetime.min.replace(tzinfo=UTC)) < step.settled_at
    }


async def contradicted(house: House) -> set[Key]:
    """What departments said otherwise than before, and nobody has looked at."""
    rows = [row for row in await rows_of(house, Contradiction) if row.seen_at is None]
    steps = {
        row.id: row.department for row in await rows_of(house, Step, "id department", id=[r.step_id for r in rows])
    }
    return {(MatterKind.CONTRADICTION.value, steps[row.step_id], name) for row in rows for name in row.names.split()}


async def left_open(house: House) -> set[Key]:
    """The service that the text leaves open, once people hold it and until the meeting has said what it comprises."""
    said = {row.subject for row in await rows_of(house, Matter) if row.kind is MatterKind.CATCH_ALL
            and row.state is MatterState.DONE}  # fmt: skip
    held = {"service": [LEFT_OPEN.subject], "state": [EntitlementState.PROVISIONING, EntitlementState.IN_FORCE]}
    if LEFT_OPEN.subject in said or not await rows_of(house, Entitlement, "case_number", **held):
        return set()
    return {(MatterKind.CATCH_ALL.value, LEFT_OPEN.department, LEFT_OPEN.subject)}


async def expected_matters(house: House, *, connected: bool) -> set[Key]:
    """The matters of these kinds that must stand now, told from the rows alone."""
    found: set[Key] = {(MatterKind.LATE.value, department, None) for department in await late_departments(house)}
    if await waiting_for_the_meeting(house):
        found.add((MatterKind.OTHER_GROUND.value, None, "other_ground_accepted"))
    found |= await unconfirmed(house) | await contradicted(house) | await left_open(house)
    found |= {(MatterKind.DISPUTE.value, None, service) for service in await disputed(house)}
    waiting = {"department": [UNCONNECTED.department], "state": [StepState.DUE, StepState.HELD]}
    if not connected and await rows_of(house, Step, "id", **waiting):
        found.add((MatterKind.UNCONNECTED.value, UNCONNECTED.department, None))
    return found


async def standing_matters(house: House, *states: MatterState) -> set[Key]:
    """The matters of the same kinds as they stand in the meeting's own table, in ``states`` (by default not done)."""
    rows = await rows_of(house, Matter, state=states or (MatterState.OPEN, MatterState.RULED))
    return {_key(row) for row in rows if row.kind in KINDS and row.cases}


async def agendas_of_today(house: House) -> list[tuple[set[Key], set[Key]]]:
    """Of each meeting called today: what is on its agenda, and what is on that of another that is still to be held."""
    meetings = await rows_of(house, Meeting, state=[MeetingState.CALLED, MeetingState.SITTING])
    matters = {row.id: row for row in await rows_of(house, Matter)}
    listed: dict[int, set[Key]] = {row.id: set() for row in meetings}
    for item in await rows_of(house, AgendaItem, meeting_id=listed):
        if matters[item.matter_id].kind in KINDS and item.state is not AgendaState.OFF:
            listed[item.meeting_id].add(_key(matters[item.matter_id]))
    today = house.database.clock.today()
    return [
        (listed[row.id], set().union(*(keys for meeting, keys in listed.items() if meeting != row.id)))
        for row in meetings
        if china_day(row.called_at) == today
    ]


def _key(row: Row[Any]) -> Key:
    return (row.kind.value, None if row.kind is MatterKind.DISPUTE else row.department, row.subject)


async def effects(house: House) -> dict[str, int]:
    """Whether each case of each class shows what was settled for it, every service that was moved is where it was moved
    to, and everything sent again was answered; how many of each kind.
    """
    permits = {row.case_number: row for row in await rows_of(house, Permit)}
    resolutions = {row.id: row for row in await rows_of(house, Resolution)}
    settled = await rows_of(house, ResolutionCase)
    steps = {row.id: row for row in await rows_of(house, Step, "id case_number state")}
    shown: Counter[str] = Counter()
    for row in settled:
        action = resolutions[row.resolution_id].action
        if not row.done:
            shown["not allowed any more"] += 1
            continue
        if action["kind"] == "accept-ground":
            assert permits[row.case_number].grounds == ["ZB87-2.5"], row.case_number
        elif action["kind"] == "waive":
            assert all(steps[step].state in (StepState.WAIVED, StepState.DONE) for step in row.steps), row.steps
        else:
            assert row.case_number in permits, row.case_number
        shown[action["kind"]] += 1
    for resolution in resolutions.values():
        action = resolution.action or {}
        if action.get("kind") == "hand-over":
            held = await rows_of(house, Entitlement, "department state", service=action["services"])
            alive = [row for row in held if row.state is not EntitlementState.ENDED]
            assert {row.department for row in alive} <= {action["to"]}, resolution.id
            shown["hand-over"] += len(alive)
        elif action.get("kind") == "retry":
            again = await rows_of(house, RetryItem, "step_id", run_id=resolution.traces["retries"].values())
            assert all(steps[row.step_id].state is StepState.DONE for row in again), resolution.id
            shown["retry"] += len(again)
    return dict(shown)


async def unfinished(house: House) -> list[int]:
    """Resolutions that are not closed."""
    return [row.id for row in await rows_of(house, Resolution) if row.state is not ResolutionState.CLOSED]


async def charged(house: House) -> tuple[int, timedelta]:
    """Charge every case's time, and hold the sum of the shares to the time under way, and that to the calendar."""
    cases = {row.number: row for row in await rows_of(house, Case, "number received_at decided_at")}
    moment, whole = house.database.clock.moment(), timedelta(0)
    numbers = sorted(cases)
    for first in range(0, len(numbers), 500):
        async with house.database.read() as connection:
            terms = await load_terms(connection, house.database.clock)
            histories = await load_histories(connection, numbers[first : first + 500])
        for number, history in histories.items():
            charges = charge(history, moment, terms.calendar, terms.outages)
            shares = sum((share.wall for share in charges.shares.values()), timedelta(0))
            assert shares == charges.elapsed, (number, shares, charges.elapsed)
            deciding = sum((one.span.length for one in charges.segments if one.deciding), timedelta(0))
            until = cases[number].decided_at or moment
            assert deciding == until - cases[number].received_at, number
            whole += charges.elapsed
    return len(cases), whole


async def cards(house: House) -> dict[str, Counter[str]]:
    """Cards that count, by department and colour."""
    found: dict[str, Counter[str]] = {}
    for row in await rows_of(house, Card):
        if row.state is not CardState.LIFTED and row.department is not None:
            found.setdefault(row.department, Counter())[row.colour.value] += 1
    return found


async def closed_on_time(house: House, department: str) -> tuple[int, int]:
    """Of a department's settled steps, how many were settled by their day; and how many there were."""
    mine = {"department": [department], "state": [StepState.DONE, StepState.DECLINED]}
    settled = [row for row in await rows_of(house, Step, "settled_at answer_by", **mine) if row.settled_at is not None]
    return sum(_by(row.settled_at, row.answer_by) for row in settled), len(settled)


def _by(settled_at: Any, answer_by: date | None) -> bool:
    return answer_by is None or china_day(settled_at) <= answer_by
