"""The brake on guessing: after some failures under a name, or from a source, the next try has to wait, ever longer.

A try is counted before its password is looked at, so that a thousand at once are a thousand; one that succeeds is
taken back. Names that nobody has are braked like all others, and so nothing tells which names there are. What a name's
brake costs its owner is at most ``_LONGEST``; an administrator can let it go.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from models import SignInBrake
from services.database import Transaction, is_postgresql, table
from services.errors import AccessError
from services.sealing import KeyRing

_BRAKES = table(SignInBrake)
_FIRST = timedelta(seconds=30)
_LONGEST = timedelta(minutes=15)
_FORGOTTEN = timedelta(hours=24)
# Tries that are free. Behind one source a whole office may sit.
_FREE: Mapping[str, int] = {"name": 5, "source": 40}


class TooManyTriesError(AccessError):
    """The next try is not yet due; ``seconds`` says when it is."""

    status = 429
    code = "too-many-tries"

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, math.ceil(wait.total_seconds()))
        super().__init__(f"too many tries under this name or from this place; try again in {self.seconds} s")


@dataclass(frozen=True, slots=True)
class Try:
    """One try to sign in: the keys of the brakes that it stands under."""

    name: str
    source: str

    @classmethod
    def of(cls, keys: KeyRing, name: str, source: str) -> Try:
        """The try under ``name`` from ``source``."""
        return cls(_key(keys, "name", name), _key(keys, "source", source))


async def count_try(transaction: Transaction, now: datetime, tried: Try) -> bool:
    """Count a try before it is looked at; whether a brake closes with it. TooManyTriesError if one is closed: such a
    try is not counted."""
    connection = transaction.connection
    await connection.execute(delete(_BRAKES).where(_BRAKES.c.last_at < now - _FORGOTTEN))
    both = sorted((tried.name, tried.source))
    await transaction.insert_new(
        SignInBrake, [{"key": key, "failures": 0, "last_at": now, "until": None} for key in both], "key"
    )
    query = select(_BRAKES).where(_BRAKES.c.key.in_(both)).order_by(_BRAKES.c.key)
    rows = (await connection.execute(query.with_for_update() if is_postgresql(connection) else query)).all()
    waits = [row.until - now for row in rows if row.until is not None and row.until > now]
    if waits:
        raise TooManyTriesError(max(waits))
    closes = False
    for row in rows:
        wait = _wait(row.key, row.failures + 1)
        closes = closes or wait > timedelta(0)
        counted = {"failures": row.failures + 1, "last_at": now, "until": now + wait if wait else None}
        await connection.execute(update(_BRAKES).where(_BRAKES.c.key == row.key).values(counted))
    return closes


async def forgive(transaction: Transaction, tried: Try) -> None:
    """Take back a try that succeeded: the name starts anew, the source had one try less."""
    connection = transaction.connection
    await connection.execute(delete(_BRAKES).where(_BRAKES.c.key == tried.name))
    fewer = {"failures": _BRAKES.c.failures - 1, "until": None}
    await connection.execute(update(_BRAKES).where(_BRAKES.c.key == tried.source, _BRAKES.c.failures > 0).values(fewer))


async def release_name(transaction: Transaction, keys: KeyRing, name: str) -> bool:
    """Let the brake of a name go; whether there was one."""
    key = _key(keys, "name", name)
    return bool((await transaction.connection.execute(delete(_BRAKES).where(_BRAKES.c.key == key))).rowcount)


def _key(keys: KeyRing, kind: str, value: str) -> str:
    return f"{kind}:{keys.lookup_hash(f'sign-in-{kind}', value)}"


def _wait(key: str, failures: int) -> timedelta:
    beyond = failures - _FREE[key.partition(":")[0]]
    return timedelta(0) if beyond < 0 else min(_FIRST * 2 ** min(beyond, 10), _LONGEST)
