"""What the joint meeting has to look at, as it stands in the ledger now: causes, and the cases that hang on each.

Nothing of this is kept: every look reads the steps in trouble anew, so a matter grows and shrinks with its cases. Alike
ones join, because a cause is all that tells two matters apart: a department past its time, an incident's reason, a
service that nobody wants to owe, a fact that cannot be confirmed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import (
    Card,
    CardColour,
    CardState,
    Case,
    CaseState,
    Contradiction,
    Endpoint,
    EndpointState,
    Entitlement,
    EntitlementState,
    Fact,
    Holder,
    IncidentKind,
    Matter,
    MatterKind,
    MatterState,
    Permit,
    Step,
    StepKind,
    StepState,
)
from services.clock import china_day
from services.database import among, table
from services.house import House
from services.meetings.rules import Rule
from services.operations.incidents import departments_of
from services.operations.troubles import ENDPOINT_CLOSED, MAINTENANCE, NO_ANSWER, settles_a_part, troubled

_CASES, _STEPS, _ENTITLEMENTS, _PERMITS = table(Case), table(Step), table(Entitlement), table(Permit)
_ENDPOINTS, _FACTS = table(Endpoint), table(Fact)
_CONTRADICTIONS, _MATTERS, _CARDS = table(Contradiction), table(Matter), table(Card)
_OVER = (CaseState.REFUSED, CaseState.WITHDRAWN)
_UNSETTLED = (
    StepState.DUE,
    StepState.SENDING,
    StepState.RECEIVED,
    StepState.HELD,
    StepState.FAILED,
    StepState.DECLINED,
)
NOT_OUR_DUTY = "not-our-duty"
UNKNOWN = "unknown"
# What comes before the next meeting at once: waiting longer would settle nothing.
_AT_ONCE = frozenset({MatterKind.UNCONFIRMED, MatterKind.DISPUTE, MatterKind.NO_REASON})
# What a department decides by its own rules (A7), or a station has to put right, is no matter for the meeting.
_ITS_OWN = frozenset({"not-eligible", "already-in-force", "duplicate", "record-mismatch", "document-missing",
                      "no-record", "waived", "waived-unsent"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes a matter: its kind, the department that has to answer, and a code (a reason, a service, a fact)."""

    kind: MatterKind
    department: str | None = None
    subject: str | None = None

    @property
    def key(self) -> str:
        """The cause in one word. Who owes a service is one dispute, whoever says that it is not he."""
        department = None if self.kind is MatterKind.DISPUTE else self.department
        return f"{self.kind.value}|{department or ''}|{self.subject or ''}"


class Hanging(NamedTuple):
    """One case that hangs on a cause, by one step or as a whole; ``due_on`` is the deadline that it is about."""

    cause: Cause
    case_number: str
    step_id: str | None
    district: str
    person: str
    due_on: date | None
    received_on: date


@dataclass(slots=True)
class Extent:
    """What hangs on a cause: cases with their steps, people by keyed hash, deadlines. ``counted``: cases that are too
    many to be listed, and are only counted.
    """

    cases: dict[str, list[str]] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    overdue_cases: set[str] = field(default_factory=set)
    due_on: date | None = None
    districts: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    counted: int = 0

    @property
    def size(self) -> int:
        """How many cases."""
        return len(self.cases) + self.counted

    @property
    def persons(self) -> int:
        """How many people."""
        return len(self.people) + self.counted

    @property
    def overdue(self) -> int:
        """How many cases with a deadline that was missed."""
        return len(self.overdue_cases)

    def take(self, one: Hanging, today: date) -> None:
        """Count one more."""
        steps = self.cases.get(one.case_number)
        if steps is None:
            steps = self.cases[one.case_number] = []
            self.people.add(one.person)
            self.districts[one.district] += 1
            self.months[f"{one.received_on:%Y-%m}"] += 1
        if one.step_id is not None and one.step_id not in steps:
            steps.append(one.step_id)
        if one.due_on is not None:
            self.due_on = min(self.due_on or one.due_on, one.due_on)
            if one.due_on < today:
                self.overdue_cases.add(one.case_number)


async def live_causes(house: House, connection: AsyncConnection, rule: Rule) -> dict[Cause, Extent]:
    """Every cause that stands now. A step in trouble counts once it, or another of its cause, was asked more than
    ``rule.beyond_days`` working days ago or has missed its deadline.
    """
    today = house.database.clock.today()
    found: dict[Cause, Extent] = defaultdict(Extent)
    by_key: dict[str, Cause] = {}
    parts = [
        await _in_trouble(house, connection, rule),
        await _unconnected(house, connection),
        await _declined(connection, departments_of(house)),
        await _contradicted(connection),
        await _other_ground(house, connection),
        await _red_cards(connection),
    ]
    for part in parts:
        for one in part:
            cause = by_key.setdefault(one.cause.key, one.cause)
            found[cause].take(one, today)
    found.update(await _catch_alls(house, connection))
    return dict(found)


def meeting_code(house: House) -> str:
    """The department code under which the packs know the meeting itself."""
    for pack in reversed(house.packs.packs):
        for department in pack.departments.values():
            if department.standing == "meeting":
                return department.code
    return "joint-meeting"


async def _in_trouble(house: House, connection: AsyncConnection, rule: Rule) -> list[Hanging]:
    """Incidents beyond their time, and departments that are late."""
    clock = house.database.clock
    departments = await _connected(connection) - {meeting_code(house)}
    steps = troubled(departments, clock.now(), clock.today())
    query = (
        select(steps.c.step_id, steps.c.case_number, steps.c.department, steps.c.district, steps.c.kind,
               steps.c.reason, steps.c.answer_by, _STEPS.c.created_at, _STEPS.c.settled_at, _STEPS.c.kind.label("asks"),
               _STEPS.c.content, _CASES.c.person_key, _CASES.c.received_on)
        .join(_STEPS, _STEPS.c.id == steps.c.step_id)
        .join(_CASES, _CASES.c.number == steps.c.case_number)
        .order_by(steps.c.step_id)
    )  # fmt: skip
    by_cause: dict[Cause, list[Hanging]] = defaultdict(list)
    beyond: set[Cause] = set()
    rows = (await connection.execute(query)).all()
    settled = await _settled_parts(connection, rows)
    for row in rows:
        for cause in _causes_of(row, settled.get(row.step_id, frozenset())):
            asked = china_day(row.created_at)
            by_cause[cause].append(_hanging(cause, row, row.step_id, row.answer_by))
            at_once = cause.kind in _AT_ONCE
            missed = row.answer_by is not None and row.answer_by < clock.today()
            if at_once or missed or rule.calendar.add(asked, rule.beyond_days) < clock.today():
                beyond.add(cause)
    return [one for cause in by_cause if cause in beyond for one in by_cause[cause]]


async def _settled_parts(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> dict[str, frozenset[str]]:
    """Of the questions that were declined: the facts that are settled all the same, by step."""
    declined = [row for row in rows if row.kind == IncidentKind.DECLINED.value and row.asks is StepKind.VERIFICATION]
    if not declined:
        return {}
    query = (
        select(_STEPS.c.id, _FACTS.c.name)
        .join(_FACTS, settles_a_part())
        .where(among(connection, _STEPS.c.id, {row.step_id for row in declined}))
    )
    told: dict[str, set[str]] = defaultdict(set)
    for step, name in await connection.execute(query):
        told[step].add(name)
    return {step: frozenset(names) for step, names in told.items()}


def _causes_of(row: Any, settled: Collection[str]) -> Iterator[Cause]:
    """Why a step in trouble comes before the meeting. Declined services and contradictions are read apart, and facts
    of a declined question that are ``settled`` are nothing any more.
    """
    reason = str(row.reason)
    # Of an outage that was announced the meeting knows, and may have declared it itself.
    if row.kind == IncidentKind.CONTRADICTED.value or reason == MAINTENANCE:
        return
    if row.kind == IncidentKind.DECLINED.value:
        if row.asks is StepKind.VERIFICATION:
            if reason == UNKNOWN:
                yield Cause(MatterKind.NO_REASON, row.department)
                return
            kind = MatterKind.DISPUTE if reason == NOT_OUR_DUTY else MatterKind.UNCONFIRMED
            asked = (fact for fact in row.content.get("facts", ()) if fact not in settled)
            yield from (Cause(kind, row.department, fact) for fact in asked)
    elif reason == ENDPOINT_CLOSED:
        # Told of the department, whether it was ever connected or not (`_unconnected`).
        return
    elif reason == NO_ANSWER:
        yield Cause(MatterKind.LATE, row.department)
    else:
        yield Cause(MatterKind.TROUBLE, row.department, reason)


async def _connected(connection: AsyncConnection) -> set[str]:
    """Departments that take anything: their door is open, or will be again by itself."""
    shut = (EndpointState.CLOSED, EndpointState.DRAFT)
    return set(
        (await connection.execute(select(_ENDPOINTS.c.department).where(_ENDPOINTS.c.state.not_in(shut)))).scalars()
    )


async def _unconnected(house: House, connection: AsyncConnection) -> list[Hanging]:
    """What is asked of departments that nobody connected, or whose door was closed for good."""
    nobody = departments_of(house) - await _connected(connection) - {meeting_code(house)}
    query = (
        select(_STEPS.c.id, _STEPS.c.case_number, _STEPS.c.department, _STEPS.c.district, _STEPS.c.answer_by,
               _CASES.c.person_key, _CASES.c.received_on)
        .join(_CASES, _CASES.c.number == _STEPS.c.case_number)
        .where(_STEPS.c.department.in_(sorted(nobody)), _STEPS.c.state.in_((StepState.DUE, StepState.HELD)))
        .order_by(_STEPS.c.id)
    )  # fmt: skip
    return [
        _hanging(Cause(MatterKind.UNCONNECTED, row.department), row, row.id, row.answer_by)
        for row in await connection.execute(query)
    ]


async def _declined(connection: AsyncConnection, departments: Collection[str]) -> list[Hanging]:
    """Services that departments declined for a reason that is not theirs alone to judge."""
    query = (
        select(_ENTITLEMENTS.c.case_number, _ENTITLEMENTS.c.step_id, _ENTITLEMENTS.c.department,
               _ENTITLEMENTS.c.service, _ENTITLEMENTS.c.reason, _CASES.c.district, _CASES.c.person_key,
               _CASES.c.received_on)
        .join(_CASES, _CASES.c.number == _ENTITLEMENTS.c.case_number)
        .where(
            _ENTITLEMENTS.c.department.in_(sorted(departments)),
            _ENTITLEMENTS.c.state == EntitlementState.DECLINED,
            func.coalesce(_ENTITLEMENTS.c.reason, UNKNOWN).not_in(sorted(_ITS_OWN)),
        )
        .order_by(_ENTITLEMENTS.c.case_number, _ENTITLEMENTS.c.service)
    )  # fmt: skip
    found = []
    for row in await connection.execute(query):
        if row.reason == NOT_OUR_DUTY:
            cause = Cause(MatterKind.DISPUTE, row.department, row.service)
        elif row.reason in (None, UNKNOWN):
            cause = Cause(MatterKind.NO_REASON, row.department)
        else:
            cause = Cause(MatterKind.TROUBLE, row.department, row.reason)
        found.append(_hanging(cause, row, row.step_id, None))
    return found


async def _contradicted(connection: AsyncConnection) -> list[Hanging]:
    """What departments said otherwise than before, until somebody has looked."""
    query = (
        select(_CONTRADICTIONS.c.step_id, _CONTRADICTIONS.c.names, _STEPS.c.case_number, _STEPS.c.department,
               _STEPS.c.district, _CASES.c.person_key, _CASES.c.received_on)
        .join(_STEPS, _STEPS.c.id == _CONTRADICTIONS.c.step_id)
        .join(_CASES, _CASES.c.number == _STEPS.c.case_number)
        .where(_CONTRADICTIONS.c.seen_at.is_(None))
        .order_by(_CONTRADICTIONS.c.step_id)
    )  # fmt: skip
    return [
        _hanging(Cause(MatterKind.CONTRADICTION, row.department, name), row, row.step_id, None)
        for row in await connection.execute(query)
        for name in row.names.split()
    ]


async def _other_ground(house: House, connection: AsyncConnection) -> list[Hanging]:
    """Applications that wait for the meeting's word on their ground (A8)."""
    held = exists(select(_PERMITS.c.case_number).where(_PERMITS.c.case_number == _STEPS.c.case_number))
    query = (
        select(_STEPS.c.id, _STEPS.c.case_number, _STEPS.c.district, _STEPS.c.answer_by, _STEPS.c.content,
               _CASES.c.person_key, _CASES.c.received_on)
        .join(_CASES, _CASES.c.number == _STEPS.c.case_number)
        .where(
            _STEPS.c.department == meeting_code(house),
            _STEPS.c.state.in_(_UNSETTLED),
            _STEPS.c.kind == StepKind.VERIFICATION,
            _CASES.c.state.not_in(_OVER),
            ~held,
        )
        .order_by(_STEPS.c.id)
    )  # fmt: skip
    return [
        _hanging(Cause(MatterKind.OTHER_GROUND, None, fact), row, row.id, row.answer_by)
        for row in await connection.execute(query)
        for fact in row.content.get("facts", ())
    ]


async def _red_cards(connection: AsyncConnection) -> list[Hanging]:
    """Cases not decided past their time, whose red card a department answers for. Cards on steps say of a step what the
    ledger says already: that it is past its time.
    """
    query = (
        select(_CARDS.c.department, _CARDS.c.case_number, _CARDS.c.due_on, _CASES.c.district, _CASES.c.person_key,
               _CASES.c.received_on)
        .join(_CASES, _CASES.c.number == _CARDS.c.case_number)
        .where(
            _CARDS.c.colour == CardColour.RED,
            _CARDS.c.holder == Holder.DEPARTMENT,
            _CARDS.c.state != CardState.LIFTED,
            _CARDS.c.step_id.is_(None),
            _CASES.c.decided_at.is_(None),
            _CASES.c.is_open,
        )
        .order_by(_CARDS.c.id)
    )  # fmt: skip
    return [
        _hanging(Cause(MatterKind.LATE, row.department), row, None, row.due_on)
        for row in await connection.execute(query)
    ]


async def _catch_alls(house: House, connection: AsyncConnection) -> dict[Cause, Extent]:
    """Services that the text leaves open, are opened for people all the same, and of which the meeting has not said
    what they comprise. Counted only: everybody with a permit may hang on one.
    """
    today = house.database.clock.today()
    open_ = {service: pack for pack in house.packs.packs for service, one in pack.services.items() if one.catch_all}
    said = select(_MATTERS.c.subject).where(
        _MATTERS.c.kind == MatterKind.CATCH_ALL, _MATTERS.c.state == MatterState.DONE
    )
    left = sorted(open_.keys() - set((await connection.execute(said)).scalars()))
    query = (
        # A service that changes hands stands at two departments, and is one person's all the same.
        select(_ENTITLEMENTS.c.service, _CASES.c.district, func.count(_ENTITLEMENTS.c.case_number.distinct()))
        .join(_CASES, _CASES.c.number == _ENTITLEMENTS.c.case_number)
        .where(
            among(connection, _ENTITLEMENTS.c.service, left),
            _ENTITLEMENTS.c.state.in_((EntitlementState.IN_FORCE, EntitlementState.PROVISIONING)),
        )
        .group_by(_ENTITLEMENTS.c.service, _CASES.c.district)
    )
    found: dict[Cause, Extent] = {}
    for service, district, count in await connection.execute(query):
        owner = open_[service].services[service].owner_on(today)
        extent = found.setdefault(Cause(MatterKind.CATCH_ALL, owner, service), Extent())
        extent.counted += count
        extent.districts[district] += count
    return found


def _hanging(cause: Cause, row: Any, step: str | None, due_on: date | None) -> Hanging:
    return Hanging(cause, row.case_number, step, row.district, row.person_key, due_on, row.received_on)
