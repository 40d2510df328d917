"""Posts of dispatchers: who is at work, on which machine, and whether one more is of use.

A dispatcher says every few seconds that it is there. The database counts them, and not Prefect: a slot of Prefect's
concurrency limits stays taken when the machine that held it dies, and then no dispatcher ever starts again
(docs/decisions/0012).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Dispatcher
from services.database import Transaction, is_postgresql, table
from services.ledger.cases import more_ready_than, new_lease

_POSTS = table(Dispatcher)
SEEN = timedelta(seconds=20)
BEAT_SECONDS = 5.0
_CALL_AGAIN = timedelta(seconds=15)
_KEPT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Post:
    """A post that was taken. ``first``: nobody else was at work then."""

    id: str
    first: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A dispatcher as people see it; ``at_work``: it was heard of within the last seconds."""

    machine: str
    started_at: datetime
    seen_at: datetime
    cases: int
    at_work: bool


async def take_post(transaction: Transaction, now: datetime, *, most: int, enough: int) -> Post | None:
    """Take up work in this process, or None if those at work are enough.

    The first is always welcome; another one if more than ``enough`` cases are ready and in nobody's hands, up to
    ``most`` at once (0: no bound).
    """
    connection, machine = transaction.connection, socket.gethostname()[:120]
    await _one_at_a_time(connection)
    await _strike_the_dead(connection, machine, now)
    others = await _count_live(connection, now)
    if others and ((most and others >= most) or not await more_ready_than(connection, now, enough)):
        return None
    await connection.execute(delete(_POSTS).where(_POSTS.c.seen_at < now - _KEPT))
    post = Post(new_lease(), not others)
    row = {"id": post.id, "machine": machine, "process": os.getpid(), "started_at": now, "seen_at": now, "cases": 0}
    await transaction.insert(Dispatcher, [row])
    return post


async def keep_post(transaction: Transaction, post: Post, now: datetime, cases: int) -> int:
    """Say that ``post`` is still held, and how many cases it has handled; how many are at work, itself included."""
    values = {"seen_at": now, "cases": cases}
    await transaction.connection.execute(update(_POSTS).where(_POSTS.c.id == post.id).values(values))
    return max(1, await _count_live(transaction.connection, now))


async def leave_post(transaction: Transaction, post: Post, now: datetime, cases: int) -> None:
    """Go. Whoever brought work in before this relied on the one who goes: look once more whether there is any."""
    values = {"seen_at": now, "left_at": now, "cases": cases}
    await transaction.connection.execute(update(_POSTS).where(_POSTS.c.id == post.id).values(values))


async def may_call(transaction: Transaction, post: Post, now: datetime, *, most: int, enough: int) -> bool:
    """Whether ``post`` should call for one more: more cases are ready than ``enough``, fewer than ``most`` are at work,
    and nobody has called within the last seconds.
    """
    connection = transaction.connection
    if most == 1 or not await more_ready_than(connection, now, enough):
        return False
    await _one_at_a_time(connection)
    called = (await connection.execute(select(func.max(_POSTS.c.called_at)))).scalar_one_or_none()
    lately = called is not None and abs(now - called) < _CALL_AGAIN
    if lately or (most and await _count_live(connection, now) >= most):
        return False
    await connection.execute(update(_POSTS).where(_POSTS.c.id == post.id).values(called_at=now))
    return True


async def anybody_at_work(connection: AsyncConnection, now: datetime) -> bool:
    """Whether any dispatcher is at work: it looks for itself, so nobody need be woken."""
    return await _count_live(connection, now) > 0


async def dispatchers_seen(connection: AsyncConnection, now: datetime, limit: int = 20) -> Sequence[Seen]:
    """The dispatchers heard of last, the latest first."""
    query = select(_POSTS, _live(now).label("at_work")).order_by(_POSTS.c.seen_at.desc(), _POSTS.c.id).limit(limit)
    return [
        Seen(row.machine, row.started_at, row.seen_at, row.cases, bool(row.at_work))
        for row in await connection.execute(query)
    ]


async def _one_at_a_time(connection: AsyncConnection) -> None:
    """Those who start or call at the same moment come one after the other, so that each sees the one before."""
    if is_postgresql(connection):
        await connection.exec_driver_sql("LOCK TABLE dispatchers IN SHARE ROW EXCLUSIVE MODE")


async def _strike_the_dead(connection: AsyncConnection, machine: str, now: datetime) -> None:
    """Take off their posts those of this machine whose process is gone: nobody need wait until they are missed."""
    query = select(_POSTS.c.id, _POSTS.c.process).where(_live(now), _POSTS.c.machine == machine)
    dead = [row.id for row in await connection.execute(query) if not _runs(row.process)]
    if dead:
        await connection.execute(update(_POSTS).where(_POSTS.c.id.in_(dead)).values(left_at=now))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def _count_live(connection: AsyncConnection, now: datetime) -> int:
    query = select(func.count()).select_from(_POSTS).where(_live(now))
    return int((await connection.execute(query)).scalar_one())


def _live(now: datetime) -> ColumnElement[bool]:
    # Also not in the future: a clock that was set back must not keep the dead at work for as long as it was ahead.
    return and_(_POSTS.c.left_at.is_(None), _POSTS.c.seen_at > now - SEEN, _POSTS.c.seen_at < now + SEEN)
