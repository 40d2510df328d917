"""Claims on cases. A claim is a lease: it runs out by itself, so a killed flow leaves nothing locked."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update

from models import Case
from services.database import Transaction, among, is_postgresql, table

_CASES = table(Case)
MAX_TRIES = 8


@dataclass(frozen=True, slots=True)
class Claim:
    """Cases claimed together under one ``lease``, taken at ``at`` (wire time)."""

    lease: str
    at: datetime
    numbers: tuple[str, ...] = field(default=())


def new_lease() -> str:
    """A token no other claim bears."""
    return secrets.token_hex(12)


async def claim_ready(transaction: Transaction, now: datetime, limit: int, seconds: float) -> Claim:
    """Claim up to ``limit`` cases that want work, the longest waiting first."""
    return await _claim(transaction, _CASES.c.ready_at <= now, _CASES.c.ready_at, now, limit, seconds)


async def claim_review(transaction: Transaction, day: date, now: datetime, limit: int, seconds: float) -> Claim:
    """Claim up to ``limit`` cases whose answer changes on or before ``day`` by time alone."""
    return await _claim(transaction, _CASES.c.review_on <= day, _CASES.c.review_on, now, limit, seconds)


async def claim_numbers(
    transaction: Transaction, numbers: Collection[str], lease: str | None, now: datetime, seconds: float
) -> Claim:
    """Claim the cases ``numbers`` that are free, or held under ``lease``, which the caller was handed."""
    connection = transaction.connection
    free = or_(_CASES.c.leased_until.is_(None), _CASES.c.leased_until < now, _CASES.c.lease == lease)
    chosen = select(_CASES.c.number).where(and_(among(connection, _CASES.c.number, numbers), free))
    rows = await connection.execute(_skip_locked(transaction, chosen.order_by(_CASES.c.number)))
    claim = Claim(new_lease(), now, tuple(str(row.number) for row in rows))
    values = {"lease": claim.lease, "leased_until": now + timedelta(seconds=seconds)}
    await connection.execute(update(_CASES).where(among(connection, _CASES.c.number, claim.numbers)).values(values))
    return claim


async def _claim(
    transaction: Transaction,
    wanted: ColumnElement[bool],
    order: ColumnElement[Any],
    now: datetime,
    limit: int,
    seconds: float,
) -> Claim:
    free = or_(_CASES.c.leased_until.is_(None), _CASES.c.leased_until < now)
    chosen = (
        select(_CASES.c.number)
        .where(and_(wanted, free, _CASES.c.set_aside.is_(None)))
        .order_by(order, _CASES.c.number)
        .limit(limit)
    )
    rows = await transaction.connection.execute(_skip_locked(transaction, chosen))
    numbers = [str(row.number) for row in rows]
    claim = Claim(new_lease(), now, tuple(numbers))
    if numbers:
        values = {"lease": claim.lease, "leased_until": now + timedelta(seconds=seconds), "tries": _CASES.c.tries + 1}
        mine = among(transaction.connection, _CASES.c.number, numbers)
        await transaction.connection.execute(update(_CASES).where(mine).values(values))
    return claim


def _skip_locked(transaction: Transaction, query: Select[Any]) -> Select[Any]:
    # SQLite has one writer at a time, so nobody else can be choosing.
    return query.with_for_update(skip_locked=True) if is_postgresql(transaction.connection) else query


async def release(transaction: Transaction, claim: Claim) -> None:
    """Let the cases go: each waits now, unless somebody woke it after it was claimed."""
    woken = and_(_CASES.c.ready_at.is_not(None), _CASES.c.ready_at > claim.at)
    await transaction.connection.execute(
        update(_CASES)
        .where(and_(among(transaction.connection, _CASES.c.number, claim.numbers), _CASES.c.lease == claim.lease))
        .values(
            lease=None, leased_until=None, tries=0, ready_at=case((woken, _CASES.c.ready_at), else_=None)
        )
    )  # fmt: skip


async def wake(transaction: Transaction, numbers: Collection[str], now: datetime) -> None:
    """Say that the cases want work: something they waited for came in."""
    if numbers:
        mine = among(transaction.connection, _CASES.c.number, numbers)
        await transaction.connection.execute(update(_CASES).where(mine).values(ready_at=now))


async def set_aside_poisoned(transaction: Transaction) -> int:
    """Set aside the cases that were claimed MAX_TRIES times and never let go; how many.

    A case that crashes its flow every time must not take the rest of its batch down for ever.
    """
    poisoned = and_(_CASES.c.tries >= MAX_TRIES, _CASES.c.set_aside.is_(None))
    rows = await transaction.connection.execute(
        update(_CASES)
        .where(poisoned)
        .values(set_aside="claimed repeatedly without an end", lease=None, leased_until=None)
        .returning(_CASES.c.number)
    )
    numbers = rows.scalars().all()
    for number in numbers:
        transaction.note("case.set_aside", number, tries=MAX_TRIES)
    return len(numbers)


async def count_ready(transaction: Transaction, now: datetime) -> int:
    """How many cases want work and are free."""
    free = or_(_CASES.c.leased_until.is_(None), _CASES.c.leased_until < now)
    wanted = and_(_CASES.c.ready_at <= now, free, _CASES.c.set_aside.is_(None))
    return int((await transaction.connection.execute(select(func.count()).where(wanted))).scalar_one())
