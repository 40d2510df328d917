"""Handing out: steps claimed for a department that comes for them itself, by a poll or through the inbox.

A step handed to a poll is ``sending`` until it is acknowledged. ``next_attempt_at`` is then the end of its hand-out,
and the lease begins with ``poll-``, which tells it from a push that is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Step, StepKind, StepState
from models.steps import services_of
from services.database import Transaction, among, is_postgresql, table
from services.ledger.cases import new_lease
from services.ledger.steps import end_failures

_STEPS = table(Step)
_OPEN = (StepState.DUE, StepState.SENDING, StepState.HELD, StepState.FAILED)
_SCAN = 5_000
HANDED = timedelta(minutes=15)
_FIRST_AGAIN = timedelta(seconds=10)
_POLL = "poll-"


@dataclass(frozen=True, slots=True)
class Offered:
    """A step that may be handed out."""

    id: str
    case_number: str
    department: str
    district: str
    kind: StepKind
    state: StepState
    content: dict[str, Any]
    pack: str
    created_at: datetime
    answer_by: date | None
    attempts: int


async def waiting_steps(
    connection: AsyncConnection,
    department: str,
    wanted: Callable[[Row[Any]], bool],
    now: datetime,
    *,
    after: datetime | None = None,
    limit: int,
    lock: bool = False,
) -> list[Offered]:
    """Up to ``limit`` steps of ``department`` that can be handed out at ``now`` (wire time), the oldest first.

    ``wanted`` says which are this door's. ``after``: what was handed out up to that instant is known to have arrived,
    and is given again only once its hand-out has run out. ``lock`` the rows, to claim them.
    """
    query = (
        select(_STEPS)
        .where(and_(_STEPS.c.department == department, _STEPS.c.state.in_(_OPEN)))
        .order_by(_STEPS.c.created_at, _STEPS.c.id)
        .limit(_SCAN)
    )
    if lock and is_postgresql(connection):
        query = query.with_for_update(skip_locked=True)
    chosen: list[Offered] = []
    if limit < 1:
        return chosen
    passed: set[tuple[str, str]] = set()
    for row in await connection.execute(query):
        # A withdrawal must not overtake its grant: what comes later about a service waits for what stays behind.
        about = {(row.case_number, service) for service in services_of(row.content)}
        if about & passed or not (wanted(row) and _free(row, now, after)):
            if row.state is not StepState.FAILED:
                passed |= about
            continue
        chosen.append(Offered(*(getattr(row, name) for name in Offered.__slots__)))
        if len(chosen) == limit:
            break
    return chosen


def _free(row: Row[Any], now: datetime, after: datetime | None) -> bool:
    if row.state is not StepState.SENDING:
        return True
    if row.next_attempt_at is None or row.next_attempt_at <= now:
        return True
    if not (row.lease or "").startswith(_POLL):
        return False
    # Asked for again, a step comes at growing intervals: a client that forgets its cursor must not fill the ledger.
    handed = row.next_attempt_at - HANDED
    pause = min(HANDED, _FIRST_AGAIN * 2 ** min(row.attempts - 1, 10))
    return (after is None or handed > after) and bool(handed + pause <= now)


async def hand_over(transaction: Transaction, steps: Collection[Offered], now: datetime) -> str:
    """Claim ``steps``, which are locked, for the department that came for them; the lease."""
    # What was held or had failed is due the moment somebody comes for it, so it goes on from there.
    lease = _POLL + new_lease()
    await transaction.connection.execute(
        update(_STEPS)
        .where(among(transaction.connection, _STEPS.c.id, [step.id for step in steps]))
        .values(
            state=StepState.SENDING,
            lease=lease,
            next_attempt_at=now + HANDED,
            attempts=_STEPS.c.attempts + 1,
            settled_at=None,
        )
    )
    await end_failures(transaction, [step.id for step in steps], transaction.at)
    return lease


async def received_steps(connection: AsyncConnection, department: str, limit: int) -> Sequence[Offered]:
    """Steps that ``department`` has and has not answered, the oldest first."""
    handed = and_(_STEPS.c.state == StepState.SENDING, _STEPS.c.lease.startswith(_POLL))
    query = (
        select(_STEPS)
        .where(and_(_STEPS.c.department == department, or_(_STEPS.c.state == StepState.RECEIVED, handed)))
        .order_by(_STEPS.c.created_at, _STEPS.c.id)
        .limit(limit)
    )
    rows = await connection.execute(query)
    return [Offered(*(getattr(row, name) for name in Offered.__slots__)) for row in rows]
