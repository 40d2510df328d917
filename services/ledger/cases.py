"""Claims on cases. A claim is a lease: it runs out by itself, so a killed flow leaves nothing locked.

A claim takes the wish for work away and puts its own end in that place: should the worker die, the case is ready again
from then on. ``wake`` writes another instant over it, and so a wake during a batch is seen when the case is let go,
whatever the clocks of the two machines say.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, CaseRun
from services.database import Transaction, among, is_postgresql, table

_CASES = table(Case)
MAX_TRIES = 8
SUSPECT_TRIES = 2
# How many suspects are claimed together, by how often each was tried; more often than this, each alone. When a machine
# has died a few times its cases are back within seconds, and what kills its worker is soon told from what was near it.
SUSPECTS_TOGETHER = {2: 32, 3: 6}
# No claim reaches so far ahead: what does was written before the clock was set back.
FURTHEST = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Claim:
    """Cases claimed together under one ``lease``, which runs out at ``until`` (wire time).

    ``suspect``: cases whose claims came to no end before, few of them or one; nothing should be worked on beside them.
    """

    lease: str
    until: datetime
    numbers: tuple[str, ...] = field(default=())
    suspect: bool = False


def new_lease() -> str:
    """A token no other claim bears."""
    return secrets.token_hex(12)


async def claim_ready(
    transaction: Transaction, now: datetime, limit: int, seconds: float, *, suspects: bool = True
) -> Claim:
    """Claim up to ``limit`` cases that want work, the longest waiting first; if there are none, and ``suspects``, a
    few suspects.

    A case whose claims came to no end SUSPECT_TRIES times may be what brought them down: it is kept from the others,
    so that it cannot take a batch down again and again.
    """
    claim = await _claim(transaction, _ready(now), _CASES.c.ready_at, now, limit, seconds)
    return claim if claim.numbers or not suspects else await claim_suspects(transaction, now, seconds)


async def claim_suspects(transaction: Transaction, now: datetime, seconds: float) -> Claim:
    """Claim suspects, those tried least and longest waiting first; the oftener tried, the fewer, at last one alone."""
    return await _claim_suspects(transaction, _ready(now), _CASES.c.ready_at, now, seconds)


async def suspects_wait(connection: AsyncConnection, now: datetime) -> bool:
    """Whether a suspect wants work and is free."""
    query = select(_CASES.c.number).where(_ready(now), _free(now), _CASES.c.tries >= SUSPECT_TRIES)
    return (await connection.execute(query.where(_CASES.c.set_aside.is_(None)).limit(1))).first() is not None


async def more_ready_than(connection: AsyncConnection, now: datetime, enough: int) -> bool:
    """Whether more than ``enough`` cases want work and are in nobody's hands."""
    query = select(_CASES.c.number).where(_ready(now), _free(now), _CASES.c.set_aside.is_(None))
    return (await connection.execute(query.offset(enough).limit(1))).first() is not None


async def claim_review(transaction: Transaction, day: date, now: datetime, limit: int, seconds: float) -> Claim:
    """Claim up to ``limit`` cases whose answer changes on or before ``day`` by time alone; of suspects a few, when
    there are no others.
    """
    wanted, order = _CASES.c.review_on <= day, _CASES.c.review_on
    claim = await _claim(transaction, wanted, order, now, limit, seconds)
    return claim if claim.numbers else await _claim_suspects(transaction, wanted, order, now, seconds)


async def claim_numbers(
    transaction: Transaction,
    numbers: Collection[str],
    lease: str | None,
    now: datetime,
    seconds: float,
    run: str | None = None,
) -> Claim:
    """Claim the cases ``numbers`` that are free, or held under ``lease``, which the caller was handed. ``run``: the id
    of the flow run that takes them in hand, by which people find it at Prefect.
    """
    connection = transaction.connection
    free = or_(_free(now), _CASES.c.lease == lease)
    chosen = select(_CASES.c.number).where(and_(among(connection, _CASES.c.number, numbers), free))
    free_now = await connection.execute(_skip_locked(transaction, chosen.order_by(_CASES.c.number)))
    claim = Claim(new_lease(), now + timedelta(seconds=seconds), tuple(str(row.number) for row in free_now))
    values = {"lease": claim.lease, "leased_until": claim.until, "ready_at": claim.until}
    await connection.execute(update(_CASES).where(among(connection, _CASES.c.number, claim.numbers)).values(values))
    if run is not None and claim.numbers:
        rows = [{"case_number": number, "run_id": run, "at": now} for number in claim.numbers]
        await transaction.insert_new(CaseRun, rows, "case_number", "run_id")
    return claim


async def _claim_suspects(
    transaction: Transaction, wanted: ColumnElement[bool], order: ColumnElement[Any], now: datetime, seconds: float
) -> Claim:
    suspects = and_(wanted, _free(now), _CASES.c.set_aside.is_(None), _CASES.c.tries >= SUSPECT_TRIES)
    tries = await transaction.connection.scalar(select(func.min(_CASES.c.tries)).where(suspects))
    if tries is None:
        return Claim(new_lease(), now, suspect=True)
    return await _claim(transaction, wanted, order, now, SUSPECTS_TOGETHER.get(tries, 1), seconds, tries=tries)


async def _claim(
    transaction: Transaction,
    wanted: ColumnElement[bool],
    order: ColumnElement[Any],
    now: datetime,
    limit: int,
    seconds: float,
    *,
    tries: int | None = None,
) -> Claim:
    tried = _CASES.c.tries < SUSPECT_TRIES if tries is None else _CASES.c.tries == tries
    chosen = (
        select(_CASES.c.number)
        .where(and_(wanted, _free(now), _CASES.c.set_aside.is_(None), tried))
        .order_by(order, _CASES.c.number)
        .limit(limit)
    )
    rows = await transaction.connection.execute(_skip_locked(transaction, chosen))
    numbers = [str(row.number) for row in rows]
    claim = Claim(new_lease(), now + timedelta(seconds=seconds), tuple(numbers), tries is not None)
    if numbers:
        values = {
            "lease": claim.lease,
            "leased_until": claim.until,
            "ready_at": claim.until,
            "tries": _CASES.c.tries + 1,
        }
        mine = among(transaction.connection, _CASES.c.number, numbers)
        await transaction.connection.execute(update(_CASES).where(mine).values(values))
    return claim


def _ready(now: datetime) -> ColumnElement[bool]:
    return or_(_CASES.c.ready_at <= now, _CASES.c.ready_at > now + FURTHEST)


def _free(now: datetime) -> ColumnElement[bool]:
    until = _CASES.c.leased_until
    return or_(until.is_(None), until < now, until > now + FURTHEST)


def _skip_locked(transaction: Transaction, query: Select[Any]) -> Select[Any]:
    # SQLite has one writer at a time, so nobody else can be choosing.
    return query.with_for_update(skip_locked=True) if is_postgresql(transaction.connection) else query


async def release(transaction: Transaction, claim: Claim) -> None:
    """Let the cases go: each waits now, unless somebody woke it after it was claimed. Cases in other hands by now stay
    as they are.
    """
    unwoken = _CASES.c.ready_at == claim.until
    await transaction.connection.execute(
        update(_CASES)
        .where(and_(among(transaction.connection, _CASES.c.number, claim.numbers), _CASES.c.lease == claim.lease))
        .values(
            lease=None, leased_until=None, tries=0, ready_at=case((unwoken, None), else_=_CASES.c.ready_at)
        )
    )  # fmt: skip


async def give_back_claim(transaction: Transaction, claim: Claim, now: datetime) -> int:
    """Let go of cases on which no work could be done, by no fault of theirs: they are ready at once, and the claim does
    not count as a try. How many; those in other hands by now stay as they are.
    """
    rows = await transaction.connection.execute(
        update(_CASES)
        .where(and_(among(transaction.connection, _CASES.c.number, claim.numbers), _CASES.c.lease == claim.lease))
        .values(
            lease=None,
            leased_until=None,
            ready_at=now,
            tries=case((_CASES.c.tries > 0, _CASES.c.tries - 1), else_=0),
        )
        .returning(_CASES.c.number)
    )
    return len(rows.scalars().all())


async def wake(transaction: Transaction, numbers: Collection[str], now: datetime) -> None:
    """Say that the cases want work: something they waited for came in."""
    if not numbers:
        return
    mine = among(transaction.connection, _CASES.c.number, numbers)
    if is_postgresql(transaction.connection):
        # In the order in which advancing locks them, so that two who wake the same cases never wait for each other.
        await transaction.connection.execute(
            select(_CASES.c.number).where(mine).order_by(_CASES.c.number).with_for_update(key_share=True)
        )
    await transaction.connection.execute(update(_CASES).where(mine).values(ready_at=now))


async def set_aside_poisoned(transaction: Transaction, now: datetime) -> int:
    """Set aside the cases that were claimed MAX_TRIES times and never let go; how many. The last try is given its time.

    A case that crashes its flow every time must not take the rest of its batch down for ever.
    """
    poisoned = and_(_CASES.c.tries >= MAX_TRIES, _CASES.c.set_aside.is_(None), _free(now))
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


async def cases_wanted(connection: AsyncConnection) -> bool:
    """Whether any case wants work or is being worked on, those set aside left out."""
    query = select(_CASES.c.number).where(_CASES.c.ready_at.is_not(None), _CASES.c.set_aside.is_(None)).limit(1)
    return (await connection.execute(query)).first() is not None
