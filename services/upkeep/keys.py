"""Change of the key that seals personal data (密钥轮换), while the work goes on.

A new key comes on the ring and seals from then on; every process follows the file. What stands under the old keys is
sealed anew in batches; each is a transaction of its own, and a value that somebody else changed meanwhile is left to
the next round. A key is taken off the ring only by ``retire``, an hour after it ceased to seal and with nothing left
under it: no transaction that began with it is still open then. The lookup key stays, and so does the evidence seal.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import and_, or_, select, tuple_, update

from services.database import Transaction, is_postgresql
from services.errors import ConflictError
from services.house import House
from services.sealing import new_key
from services.upkeep.sealed import SEALED, Sealed, count_under

BATCH = 500
REST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KeyState:
    """One key of the ring: whether it seals, since when it does not, and how many values stand under it."""

    name: str
    current: bool
    ceased_at: datetime | None
    sealed: int


async def list_sealing_keys(house: House) -> tuple[KeyState, ...]:
    """Every key on the ring, the oldest first."""
    ring = _read(house.settings.keys_path)
    ceased = ring.get("ceased", {})
    async with house.database.read() as connection:
        counts = {name: await count_under(connection, name) for name in ring["keys"]}
    return tuple(
        KeyState(
            name,
            name == ring["current"],
            datetime.fromisoformat(ceased[name]) if name in ceased else None,
            count,
        )
        for name, count in counts.items()
    )


async def add_key(house: House, actor: str) -> str:
    """Put a new key on the ring and have it seal from now on; its id. The file is replaced whole, mode kept at 0600."""
    now = house.database.clock.now()
    async with house.database.write(actor) as transaction:
        # SQLite's writer lock keeps a second change of the ring out; PostgreSQL's is the head of the audit chain.
        await _alone(transaction)
        ring = _read(house.settings.keys_path)
        old, name = ring["current"], _next_name(ring["keys"])
        ring["keys"][name] = new_key()
        ring["current"] = name
        ring["ceased"] = ring.get("ceased", {}) | {old: now.isoformat()}
        _replace(house.settings.keys_path, ring)
        transaction.note("keys.added", "system", key=name, after=old)
    house.keys.follow()
    return name


async def reseal(house: House, actor: str, told: Callable[[int], None] | None = None) -> int:
    """Seal everything under the current key that is not; how many values. ``told`` hears of the progress.

    Safe to break off and to run again. SealError if a value does not open: it was altered, or its key is gone.
    """
    house.keys.follow()
    done = 0
    for column in SEALED:
        after: tuple[Any, ...] | None = None
        while True:
            async with house.database.write(actor) as transaction:
                count, after = await _batch(house, transaction, column, after)
                if count:
                    transaction.note(
                        "keys.resealed", "system", key=house.keys.current, table=column.table.name, count=count
                    )
            done += count
            if told is not None and count:
                told(done)
            if after is None:
                break
    return done


async def retire_keys(house: House, actor: str) -> tuple[str, ...]:
    """Take the keys off the ring that seal no more; their ids.

    ConflictError, naming the reason, if there are such keys and none can go: something stands under them (reseal
    first), or they ceased less than an hour ago.
    """
    now = house.database.clock.now()
    path = house.settings.keys_path
    async with house.database.write(actor) as transaction:
        await _alone(transaction)
        ring = _read(path)
        gone, kept = [], []
        for name in [name for name in ring["keys"] if name != ring["current"]]:
            ceased = ring.get("ceased", {}).get(name)
            left = await count_under(transaction.connection, name)
            if left:
                kept.append(f"{left} values stand under {name}; run `lianban keys rotate --resume`")
            elif ceased is None or datetime.fromisoformat(ceased) + REST > now:
                kept.append(f"{name} ceased to seal less than an hour ago; come again later")
                if ceased is None:
                    ring["ceased"] = ring.get("ceased", {}) | {name: now.isoformat()}
            else:
                gone.append(name)
        for name in gone:
            del ring["keys"][name]
            ring.get("ceased", {}).pop(name, None)
            transaction.note("keys.retired", "system", key=name)
        _replace(path, ring)
    house.keys.follow()
    if kept and not gone:
        raise ConflictError("; ".join(kept), place="keys")
    return tuple(gone)


async def _alone(transaction: Transaction) -> None:
    if is_postgresql(transaction.connection):
        await transaction.connection.exec_driver_sql("SELECT id FROM audit_head WHERE id = 1 FOR UPDATE")


async def _batch(
    house: House, transaction: Transaction, column: Sealed, after: tuple[Any, ...] | None
) -> tuple[int, tuple[Any, ...] | None]:
    """Seal one batch anew; how many, and the key after which the next begins (None: there is none)."""
    keys, connection = house.keys, transaction.connection
    others = or_(*(column.under(name) for name in keys.ciphers if name != keys.current))
    if len(keys.ciphers) < 2:
        return 0, None
    wanted = [others]
    if after is not None:
        wanted.append(tuple_(*column.key) > after)
    query = select(*column.key, column.value).where(and_(*wanted)).order_by(*column.key).limit(BATCH)
    rows = (await connection.execute(query)).all()
    count = 0
    for row in rows:
        old = getattr(row, column.column)
        context = column.context(row)
        new = keys.seal(keys.open(old, context), context)
        # Only what is still as it was read: what changed meanwhile was sealed by somebody who follows the ring.
        mine = and_(*(key == getattr(row, key.name) for key in column.key), column.value == old)
        changed = await connection.execute(update(column.table).where(mine).values({column.column: new}))
        count += changed.rowcount
    return count, tuple(rows[-1][: len(column.key)]) if len(rows) == BATCH else None


def _read(path: Path) -> dict[str, Any]:
    ring: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return ring


def _next_name(names: Any) -> str:
    number = len(names) + 1
    while f"k{number}" in names:
        number += 1
    # A retired key's id must not come back for another key while an old back-up still names it.
    return f"k{number}-{secrets.token_hex(3)}"


def _replace(path: Path, ring: dict[str, Any]) -> None:
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(ring, out)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
