"""Steps at a shut door: held, released at a bounded rate, and given back unsent. Nothing is dropped here.

A held step has no ``next_attempt_at``: no claim ever looks at it, however many there are.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Step, StepState
from services.database import Transaction, among, is_postgresql, table

_STEPS = table(Step)


async def hold_due(transaction: Transaction, departments: Collection[str], cases: Collection[str] | None = None) -> int:
    """Hold what is due at ``departments``, of ``cases`` only if given; how many. What is filtered out stays due."""
    if not departments:
        return 0
    where = [
        _STEPS.c.department.in_(sorted(departments)),
        _STEPS.c.state == StepState.DUE,
        _STEPS.c.next_attempt_at.is_not(None),
    ]
    if cases is not None:
        where.append(among(transaction.connection, _STEPS.c.case_number, cases))
    chosen = select(_STEPS.c.id).where(and_(*where)).order_by(_STEPS.c.id)
    if is_postgresql(transaction.connection):
        chosen = chosen.with_for_update(skip_locked=True)
    ids = (await transaction.connection.execute(chosen)).scalars().all()
    if ids:
        await transaction.connection.execute(
            update(_STEPS)
            .where(among(transaction.connection, _STEPS.c.id, ids))
            .values(
                state=StepState.HELD,
                next_attempt_at=None,
                tried_at=func.coalesce(_STEPS.c.tried_at, transaction.at),
            )
        )
    return len(ids)


async def release_held(
    transaction: Transaction, department: str, now: datetime, per_second: float, limit: int | None = None
) -> int:
    """Make what is held at ``department`` due again, the oldest first, ``per_second`` of them; how many.

    Steps that were tried and those that never were come in the order in which they were made.
    """
    chosen = (
        select(_STEPS.c.id)
        .where(_STEPS.c.department == department, _STEPS.c.state == StepState.HELD)
        .order_by(_STEPS.c.created_at, _STEPS.c.id)
        .limit(limit)
    )
    if is_postgresql(transaction.connection):
        chosen = chosen.with_for_update(skip_locked=True)
    ids = (await transaction.connection.execute(chosen)).scalars().all()
    if not ids:
        return 0
    interval = timedelta(seconds=1) / max(per_second, 0.001)
    at = [{"step": identity, "at": now + place * interval} for place, identity in enumerate(ids)]
    await transaction.connection.execute(
        update(_STEPS)
        .where(_STEPS.c.id == bindparam("step"))
        .values(state=StepState.DUE, next_attempt_at=bindparam("at")),
        at,
    )
    return len(ids)


async def give_back(
    transaction: Transaction, ids: Collection[str], lease: str, at: datetime | None, *, held: bool
) -> set[str]:
    """Give back claimed steps that were not sent after all; the ids. The try that never was is not counted.

    ``held``: their door fell shut meanwhile; otherwise they are due again at ``at``, or, with None, left to the inbox,
    because the endpoint's filters do not take them.
    """
    if not ids:
        return set()
    rows = await transaction.connection.execute(
        update(_STEPS)
        .where(
            among(transaction.connection, _STEPS.c.id, ids),
            _STEPS.c.state == StepState.SENDING,
            _STEPS.c.lease == lease,
        )
        .values(
            state=StepState.HELD if held else StepState.DUE,
            next_attempt_at=None if held else at,
            attempts=_STEPS.c.attempts - 1,
            lease=None,
        )
        .returning(_STEPS.c.id)
    )
    return set(rows.scalars())


async def offer_again(transaction: Transaction, department: str, now: datetime) -> int:
    """Make due at once what had been left to the inbox, after a department changed its door or its filters."""
    rows = await transaction.connection.execute(
        update(_STEPS)
        .where(
            _STEPS.c.department == department,
            _STEPS.c.state == StepState.DUE,
            _STEPS.c.next_attempt_at.is_(None),
        )
        .values(next_attempt_at=now)
        .returning(_STEPS.c.id)
    )
    return len(rows.scalars().all())


async def departments_holding(connection: AsyncConnection, departments: Collection[str]) -> set[str]:
    """Those of ``departments`` at which steps are held."""
    if not departments:
        return set()
    query = select(_STEPS.c.department).distinct()
    held = query.where(_STEPS.c.department.in_(sorted(departments)), _STEPS.c.state == StepState.HELD)
    return set((await connection.execute(held)).scalars())


async def departments_due(connection: AsyncConnection, departments: Collection[str], now: datetime) -> set[str]:
    """Those of ``departments`` at which a step may be claimed at ``now``."""
    if not departments:
        return set()
    claimable = or_(_STEPS.c.state == StepState.DUE, _STEPS.c.state == StepState.SENDING)
    query = select(_STEPS.c.department).distinct()
    due = query.where(_STEPS.c.department.in_(sorted(departments)), claimable, _STEPS.c.next_attempt_at <= now)
    return set((await connection.execute(due)).scalars())
