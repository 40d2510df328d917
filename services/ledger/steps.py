"""Steps: claim, attempt, move. Every change of a step's state goes through ``move_steps``.

``next_attempt_at`` does two things with one index: for a step that is due it is when to try, for one being sent it
is when the claim on it runs out. A step is therefore due to be claimed whenever that instant has passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Attempt, Door, Endpoint, EndpointState, Step, StepFailure, StepKind, StepState
from models.states import STEP_MOVES
from services.clock import china_day, day_bounds
from services.database import Transaction, among, is_postgresql, table
from services.ledger.cases import new_lease

_STEPS, _FAILURES = table(Step), table(StepFailure)
_CLAIMABLE = (StepState.DUE, StepState.SENDING)
_UNDER_WAY = frozenset({StepState.SENDING, StepState.RECEIVED})
_SETTLED = frozenset({StepState.DONE, StepState.DECLINED, StepState.FAILED, StepState.SUPERSEDED, StepState.WAIVED})
# The reason kept of a refusal that gives none: it is dealt a card (``services.supervision``).
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class ClaimedStep:
    """A step to be sent now, as its claim gave it; ``attempt`` is the number of this try, from 1."""

    id: str
    case_number: str
    department: str
    district: str
    kind: StepKind
    content: Mapping[str, Any]
    pack: str
    created_at: datetime
    answer_by: date | None
    attempt: int


@dataclass(frozen=True, slots=True)
class StepClaim:
    """Steps claimed together under one lease."""

    lease: str
    steps: tuple[ClaimedStep, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A step's next state. ``next_attempt_at`` belongs to DUE, ``reason`` to all that is not DONE."""

    step_id: str
    to: StepState
    reason: str | None = None
    next_attempt_at: datetime | None = None


async def claim_steps(
    transaction: Transaction,
    now: datetime,
    *,
    departments: Collection[str],
    limit: int,
    seconds: float,
    cases: Collection[str] | None = None,
) -> StepClaim:
    """Claim up to ``limit`` steps of ``departments`` whose time has come.

    With ``cases``, only theirs, and those never tried at once: who holds a case has the first right to send what was
    planned for it. Should it die, their time comes (``advance`` sets it to the end of the lease), and anyone may.
    What the endpoint's filters left to the inbox has no time and is never claimed here.
    """
    connection = transaction.connection
    when = _STEPS.c.next_attempt_at <= now
    wanted: list[ColumnElement[bool]] = [_STEPS.c.state.in_(_CLAIMABLE), _STEPS.c.department.in_(departments)]
    if cases is not None:
        when = or_(
            when, and_(_STEPS.c.state == StepState.DUE, _STEPS.c.attempts == 0, _STEPS.c.next_attempt_at.is_not(None))
        )
        wanted.append(among(connection, _STEPS.c.case_number, cases))
    wanted.append(when)
    chosen = select(_STEPS.c.id).where(and_(*wanted)).order_by(_STEPS.c.next_attempt_at, _STEPS.c.id).limit(limit)
    if is_postgresql(connection):
        chosen = chosen.with_for_update(skip_locked=True)
    ids = (await connection.execute(chosen)).scalars().all()
    lease = new_lease()
    if not ids:
        return StepClaim(lease, ())
    claimed = await connection.execute(
        update(_STEPS)
        .where(among(connection, _STEPS.c.id, ids))
        .values(
            state=StepState.SENDING,
            lease=lease,
            next_attempt_at=now + timedelta(seconds=seconds),
            attempts=_STEPS.c.attempts + 1,
            tried_at=func.coalesce(_STEPS.c.tried_at, transaction.at),
        )
        .returning(
            _STEPS.c.id,
            _STEPS.c.case_number,
            _STEPS.c.department,
            _STEPS.c.district,
            _STEPS.c.kind,
            _STEPS.c.content,
            _STEPS.c.pack,
            _STEPS.c.created_at,
            _STEPS.c.answer_by,
            _STEPS.c.attempts,
        )
    )
    return StepClaim(lease, tuple(sorted((ClaimedStep(*row) for row in claimed), key=lambda step: step.id)))


async def move_steps(
    transaction: Transaction,
    moves: Iterable[Move],
    *,
    lease: str | None = None,
    waiting: bool = False,
) -> set[str]:
    """Move steps where the law allows it, at the moment of the transaction (business time); the ids that were moved.

    With ``lease``, only steps still held under it move: a worker that slept past its claim changes nothing. With
    ``waiting``, only steps of which no try is out and that no department has acknowledged.
    """
    moves, at = list(moves), transaction.at
    groups: dict[tuple[StepState, str | None, datetime | None], list[str]] = defaultdict(list)
    for move in moves:
        groups[move.to, move.reason, move.next_attempt_at].append(move.step_id)
    moved: set[str] = set()
    for (to, reason, next_attempt_at), ids in groups.items():
        origins = [origin for origin, targets in STEP_MOVES.items() if to in targets]
        if waiting:
            origins = [origin for origin in origins if origin not in _UNDER_WAY]
        values: dict[str, Any] = {
            "state": to,
            "reason": reason,
            "next_attempt_at": next_attempt_at,
            "lease": None,
            "settled_at": at if to in _SETTLED else None,
            **_clock_of(to, reason, at),
        }
        if to in (StepState.RECEIVED, StepState.DONE, StepState.DECLINED):
            values["received_at"] = func.coalesce(_STEPS.c.received_at, at)
        where = [among(transaction.connection, _STEPS.c.id, ids), _STEPS.c.state.in_(origins)]
        if lease is not None:
            where.append(_STEPS.c.lease == lease)
        rows = await transaction.connection.execute(
            update(_STEPS).where(and_(*where)).values(values).returning(_STEPS.c.id)
        )
        moved.update(rows.scalars())
        if to is StepState.FAILED:
            failed = [{"step_id": step, "failed_at": at} for step in ids if step in moved]
            await transaction.insert_new(StepFailure, failed, "step_id", "failed_at")
    again = [move.step_id for move in moves if move.to is StepState.DUE and move.step_id in moved]
    await end_failures(transaction, again, at)
    return moved


def _clock_of(to: StepState, reason: str | None, at: datetime) -> dict[str, Any]:
    """On which day the clock of a step that moved wants a look. One that comes late to its department gets its time."""
    today = china_day(at)
    if to is StepState.DECLINED and reason == UNEXPLAINED:
        return {"look_on": today}
    if to in _SETTLED and to is not StepState.FAILED:
        return {"look_on": None}
    if to is StepState.RECEIVED:
        late = and_(_STEPS.c.received_at.is_(None), _STEPS.c.created_at < day_bounds(today)[0])
        return {"look_on": case((late, today), else_=_STEPS.c.look_on)}
    return {}


async def end_failures(transaction: Transaction, ids: Collection[str], at: datetime) -> None:
    """Say that the steps wait for no administrator any more."""
    if ids:
        open_ = and_(among(transaction.connection, _FAILURES.c.step_id, ids), _FAILURES.c.until_at.is_(None))
        await transaction.connection.execute(update(_FAILURES).where(open_).values(until_at=at))


async def record_attempts(transaction: Transaction, attempts: Sequence[Mapping[str, Any]]) -> None:
    """Keep one row for every try; a try that stands already is left as it is."""
    await transaction.insert_new(Attempt, attempts, "step_id", "number")


async def steps_due(connection: AsyncConnection, now: datetime) -> bool:
    """Whether any step of a connected department may be claimed now."""
    endpoints = table(Endpoint)
    connected = select(endpoints.c.department).where(
        endpoints.c.state == EndpointState.OPEN, endpoints.c.door == Door.PUSH
    )
    query = (
        select(_STEPS.c.id)
        .where(
            _STEPS.c.next_attempt_at <= now,
            _STEPS.c.state.in_(_CLAIMABLE),
            _STEPS.c.department.in_(connected),
        )
        .limit(1)
    )
    return (await connection.execute(query)).first() is not None
