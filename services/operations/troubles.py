"""Steps in trouble, each with its cause, as one query over the ledger: nothing about a cause is kept twice.

The cost follows the steps that are not settled, not those that are stored: departments and states come first in the
index that is used.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from models import (
    Case,
    CaseState,
    Contradiction,
    Endpoint,
    EndpointState,
    Entitlement,
    EntitlementState,
    Fact,
    IncidentKind,
    Maintenance,
    Permit,
    PermitState,
    RetryItem,
    Step,
    StepKind,
    StepState,
)
from services.access import WHOLE_CITY, Sight
from services.casework.sight import cases_in
from services.database import table

_STEPS, _ENTITLEMENTS, _CASES, _PERMITS = table(Step), table(Entitlement), table(Case), table(Permit)
_ENDPOINTS, _MAINTENANCE, _CONTRADICTIONS = table(Endpoint), table(Maintenance), table(Contradiction)
_ITEMS, _FACTS = table(RetryItem), table(Fact)
_UNANSWERED = (StepState.DUE, StepState.SENDING, StepState.RECEIVED, StepState.HELD)
_LOOKED_AT = (*_UNANSWERED, StepState.FAILED, StepState.DECLINED)

NO_ANSWER = "no-answer"
NOT_TAKEN = "not-taken"
ENDPOINT_CLOSED = "endpoint-closed"
MAINTENANCE = "maintenance"
SAID_OTHERWISE = "said-otherwise"
UNKNOWN = "unknown"
# What is tried no more is of the cause of which it was tried: without this, it would be a cause of its own.
_USED_UP = "tries-used-up:"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why steps are in trouble, and whose they are. ``reason`` is a code (``http-503``, ``quota-full``)."""

    department: str
    kind: IncidentKind
    reason: str

    @property
    def key(self) -> str:
        """The cause in one word."""
        return f"{self.department}|{self.kind.value}|{self.reason}"

    @property
    def root(self) -> tuple[str, str] | None:
        """What stays the same when steps that are tried again fail for good, or the last of those that did are settled
        and the others are still tried; None for what is not sent.
        """
        sent = self.kind in (IncidentKind.FAILED, IncidentKind.RETRYING)
        return (self.department, bare_reason(self.reason)) if sent else None


def bare_reason(reason: str) -> str:
    """Why a try failed, whether or not it was the last."""
    return reason.removeprefix(_USED_UP)


@dataclass(frozen=True, slots=True)
class Extent:
    """What hangs on a cause. ``due_today`` and ``overdue`` count cases with a deadline that is still to be met today,
    or was missed; ``tries`` how often its steps were sent; ``retried`` how many of its steps are in an open retry.
    """

    steps: int
    cases: int
    people: int
    due_today: int
    overdue: int
    tries: int
    retried: int


def troubled(departments: Collection[str], now: datetime, today: date) -> Subquery:
    """The steps of ``departments`` that are in trouble at ``now`` (wire time), on the business day ``today``.

    Columns: step_id, case_number, department, district, kind, reason, answer_by, attempts, at (when it began, business
    time, or null), retried (whether an open retry has it). A step stands here once for each of its causes.
    """
    parts = (_in_ledger(departments, now, today), _declined_services(departments), _contradicted(departments))
    whole = parts[0].union_all(*parts[1:]).subquery("found")
    # Of one cause some steps may be tried again while others failed for good: they are one incident, which has failed.
    failed = func.max(case((whole.c.kind == IncidentKind.FAILED.value, 1), else_=0)).over(
        partition_by=(whole.c.department, whole.c.reason)
    )
    tried = whole.c.kind == IncidentKind.RETRYING.value
    kind = case((and_(tried, failed == 1), IncidentKind.FAILED.value), else_=whole.c.kind).label("kind")
    columns = [kind if column.name == "kind" else column for column in whole.c]
    return select(*columns).where(whole.c.kind.is_not(None)).subquery("troubled")


async def count_causes(
    connection: AsyncConnection, steps: Subquery, today: date, sight: Sight = WHOLE_CITY, cause: Cause | None = None
) -> dict[Cause, Extent]:
    """How much hangs on each cause of the ``troubled`` steps in ``sight``, or on ``cause`` alone."""
    # A step with several services of one reason stands here several times.
    once = (
        select(
            steps.c.department, steps.c.kind, steps.c.reason, steps.c.step_id, steps.c.case_number, steps.c.answer_by,
            steps.c.attempts, steps.c.retried,
        )
        .where(in_sight(steps, sight), *(of_cause(steps, cause) if cause is not None else ()))
        .distinct()
        .subquery("steps_once")
    )  # fmt: skip
    due = case((once.c.answer_by == today, once.c.case_number))
    over = case((once.c.answer_by < today, once.c.case_number))
    query = (
        select(
            once.c.department,
            once.c.kind,
            once.c.reason,
            func.count(),
            func.count(once.c.case_number.distinct()),
            func.count(_CASES.c.person_key.distinct()),
            func.count(due.distinct()),
            func.count(over.distinct()),
            func.sum(once.c.attempts),
            func.sum(case((once.c.retried, 1), else_=0)),
        )
        .join(_CASES, _CASES.c.number == once.c.case_number)
        .group_by(once.c.department, once.c.kind, once.c.reason)
    )
    return {
        Cause(department, IncidentKind(kind), reason): Extent(*(int(count) for count in counts))
        for department, kind, reason, *counts in await connection.execute(query)
    }


def of_cause(steps: Subquery, cause: Cause) -> tuple[ColumnElement[bool], ...]:
    """The ``troubled`` steps with that cause."""
    return (
        steps.c.department == cause.department,
        steps.c.kind == literal(cause.kind.value, String),
        steps.c.reason == cause.reason,
    )


def in_sight(steps: Subquery, sight: Sight) -> ColumnElement[bool]:
    """The ``troubled`` steps in ``sight``."""
    if sight.department is not None:
        return steps.c.department == sight.department
    if sight.station is not None:
        return steps.c.case_number.in_(select(_CASES.c.number).where(cases_in(sight)))
    return steps.c.district == sight.district if sight.district is not None else literal(value=True)


def _in_ledger(departments: Collection[str], now: datetime, today: date) -> Select[tuple[object, ...]]:
    """What the state of the step itself tells."""
    state, reason, door = _STEPS.c.state, _STEPS.c.reason, _ENDPOINTS.c.state
    tried_again = and_(state.in_((StepState.DUE, StepState.SENDING)), reason.is_not(None))
    held = state == StepState.HELD
    breaker = and_(held, door.in_((EndpointState.HELD, EndpointState.PROBING)))
    announced = and_(held, _announced(now))
    closed = and_(held, or_(door.is_(None), door.in_((EndpointState.CLOSED, EndpointState.DRAFT))))
    overdue = and_(_STEPS.c.answer_by < today, state.not_in((StepState.FAILED, StepState.DECLINED)))
    # A push under way is no hand-out: the department has nothing yet that it could answer.
    has_it = or_(state == StepState.RECEIVED, _STEPS.c.lease.startswith("poll-"))
    # Being sent again, a step counts under its cause until it is settled: no incident is over because we try again.
    again = and_(_ITEMS.c.open_step.is_not(None), state.in_(_UNANSWERED))
    kind = case(
        (again, _ITEMS.c.kind.cast(String)),
        (state == StepState.FAILED, IncidentKind.FAILED.value),
        (state == StepState.DECLINED, case((_still_declined(), IncidentKind.DECLINED.value))),
        (or_(breaker, announced, tried_again), IncidentKind.RETRYING.value),
        (or_(closed, overdue), IncidentKind.STUCK.value),
    )
    cause = case(
        (again, _ITEMS.c.reason),
        (breaker, func.coalesce(_ENDPOINTS.c.because, reason, UNKNOWN)),
        (announced, MAINTENANCE),
        (closed, ENDPOINT_CLOSED),
        (or_(tried_again, state.in_((StepState.FAILED, StepState.DECLINED))), func.coalesce(reason, UNKNOWN)),
        (has_it, NO_ANSWER),
        else_=NOT_TAKEN,
    )
    return (
        select(
            _STEPS.c.id.label("step_id"),
            _STEPS.c.case_number,
            _STEPS.c.department,
            _STEPS.c.district,
            kind.cast(String).label("kind"),
            _bare(cause.cast(String)).label("reason"),
            _STEPS.c.answer_by,
            _STEPS.c.attempts,
            _STEPS.c.settled_at.label("at"),
            _ITEMS.c.open_step.is_not(None).label("retried"),
        )
        .join_from(_STEPS, _ENDPOINTS, _ENDPOINTS.c.department == _STEPS.c.department, isouter=True)
        .outerjoin(_ITEMS, _ITEMS.c.open_step == _STEPS.c.id)
        .where(_STEPS.c.department.in_(sorted(departments)), state.in_(_LOOKED_AT))
    )


def _bare(reason: ColumnElement[str]) -> ColumnElement[str]:
    """``bare_reason`` in a query."""
    return case((reason.startswith(_USED_UP), func.substr(reason, len(_USED_UP) + 1)), else_=reason)


def _announced(now: datetime) -> ColumnElement[bool]:
    window = and_(
        _MAINTENANCE.c.department == _STEPS.c.department, _MAINTENANCE.c.from_at <= now, _MAINTENANCE.c.until_at > now
    )
    return exists(select(_MAINTENANCE.c.id).where(window))


def _still_declined() -> ColumnElement[bool]:
    """Whether a step that was declined still hangs: a verification while the case lives and something that it asked for
    was not settled since, or a service that the department would not let go. Services that were not opened are counted
    one by one.
    """
    over = and_(_CASES.c.number == _STEPS.c.case_number, _CASES.c.state.in_((CaseState.REFUSED, CaseState.WITHDRAWN)))
    ended = and_(_PERMITS.c.case_number == _STEPS.c.case_number, _PERMITS.c.state == PermitState.ENDED)
    lives = ~exists(select(_CASES.c.number).where(over)) & ~exists(select(_PERMITS.c.case_number).where(ended))
    known = select(func.count(_FACTS.c.name.distinct())).where(settles_a_part()).scalar_subquery()
    kept = and_(
        _ENTITLEMENTS.c.case_number == _STEPS.c.case_number,
        _ENTITLEMENTS.c.step_id == _STEPS.c.id,
        _ENTITLEMENTS.c.state == EntitlementState.WITHDRAWING,
    )
    asks = and_(_STEPS.c.kind == StepKind.VERIFICATION, lives, known < _asked(_STEPS.c.content))
    return or_(asks, exists(select(_ENTITLEMENTS.c.service).where(kept)))


def settles_a_part() -> ColumnElement[bool]:
    """Whether a fact settles a part of a question that was declined: it was the department's answer to the question
    itself, before it declined or with it; or anybody's word since.
    """
    return and_(
        _FACTS.c.case_number == _STEPS.c.case_number,
        or_(_FACTS.c.step_id == _STEPS.c.id, _FACTS.c.confirmed_at >= _STEPS.c.settled_at),
        _asks_for(_STEPS.c.content, _FACTS.c.name),
    )


class _asks_for(FunctionElement[bool]):  # noqa: N801 - reads as a function in a query
    """Whether a step's content asks for a fact, by the fact's exact name."""

    type = Boolean()
    inherit_cache = True


@compiles(_asks_for, "sqlite")
def _asks_for_on_sqlite(element: _asks_for, compiler: SQLCompiler, **given: Any) -> str:
    content, name = (compiler.process(one, **given) for one in element.clauses)
    return f"({name} IN (SELECT value FROM json_each({content}, '$.facts')))"  # noqa: S608 - compiled columns only


@compiles(_asks_for, "postgresql")
def _asks_for_on_postgresql(element: _asks_for, compiler: SQLCompiler, **given: Any) -> str:
    content, name = (compiler.process(one, **given) for one in element.clauses)
    return f"coalesce({content} -> 'facts' @> to_jsonb({name}::text), false)"


class _asked(FunctionElement[int]):  # noqa: N801 - reads as a function in a query
    """How many facts a step's content asks for."""

    type = Integer()
    inherit_cache = True


@compiles(_asked, "sqlite")
def _asked_on_sqlite(element: _asked, compiler: SQLCompiler, **given: Any) -> str:
    return f"coalesce(json_array_length({compiler.process(element.clauses, **given)}, '$.facts'), 0)"


@compiles(_asked, "postgresql")
def _asked_on_postgresql(element: _asked, compiler: SQLCompiler, **given: Any) -> str:
    return f"coalesce(jsonb_array_length({compiler.process(element.clauses, **given)} -> 'facts'), 0)"


def _declined_services(departments: Collection[str]) -> Select[tuple[object, ...]]:
    """Services that departments declined, wholly or in part of a step, while they stand so."""
    return (
        select(
            _STEPS.c.id,
            _STEPS.c.case_number,
            _STEPS.c.department,
            _STEPS.c.district,
            literal(IncidentKind.DECLINED.value, String),
            func.coalesce(_ENTITLEMENTS.c.reason, UNKNOWN).cast(String),
            null().cast(_STEPS.c.answer_by.type),
            _STEPS.c.attempts,
            _ENTITLEMENTS.c.changed_at,
            literal(value=False),
        )
        .join_from(_ENTITLEMENTS, _STEPS, _STEPS.c.id == _ENTITLEMENTS.c.step_id)
        .where(_ENTITLEMENTS.c.department.in_(sorted(departments)), _ENTITLEMENTS.c.state == EntitlementState.DECLINED)
    )


def _contradicted(departments: Collection[str]) -> Select[tuple[object, ...]]:
    """Steps of which a department said something else than before, until somebody has looked."""
    return (
        select(
            _STEPS.c.id,
            _STEPS.c.case_number,
            _STEPS.c.department,
            _STEPS.c.district,
            literal(IncidentKind.CONTRADICTED.value, String),
            literal(SAID_OTHERWISE, String),
            _STEPS.c.answer_by,
            _STEPS.c.attempts,
            _CONTRADICTIONS.c.told_at,
            literal(value=False),
        )
        .join_from(_CONTRADICTIONS, _STEPS, _STEPS.c.id == _CONTRADICTIONS.c.step_id)
        .where(_CONTRADICTIONS.c.seen_at.is_(None), _STEPS.c.department.in_(sorted(departments)))
    )
