"""Carrying all that an installation remembers from one database to another, be they SQLite or PostgreSQL.

Table by table, in the order in which they refer to each other, as one state of the source. Values go through the
models' own types, so that days, instants and sealed values mean the same on the other side.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Integer, Table, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import metadata
from services.database import Database, is_postgresql
from services.errors import ConflictError
from services.migration import upgrade

_ROWS = 1_000


async def carry_over(source: str, target: str) -> None:
    """Copy every row of the database ``source`` (a DSN) to ``target``, whose tables are made; ConflictError if anything
    stands there. All of it or nothing.
    """
    await asyncio.to_thread(upgrade, target)
    from_, to = Database(source), Database(target)
    try:
        async with from_.engine.connect() as reading, to.engine.begin() as writing:
            if is_postgresql(reading):
                await reading.execution_options(isolation_level="REPEATABLE READ")
            else:
                await reading.execution_options(read_only=True)
            await _make_room(writing)
            for table in metadata.sorted_tables:
                await _copy(reading, writing, table)
            if is_postgresql(writing):
                await _go_on_counting(writing)
    finally:
        await from_.dispose()
        await to.dispose()


async def _make_room(writing: AsyncConnection) -> None:
    """Remove what migrations put into fresh tables; refuse a database in which anything was done."""
    head = metadata.tables["audit_head"]
    if (await writing.execute(select(func.max(head.c.sequence)))).scalar_one():
        raise ConflictError("is in use already; restore into an empty one", place="database")
    for table in reversed(metadata.sorted_tables):
        await writing.execute(delete(table))


async def _copy(reading: AsyncConnection, writing: AsyncConnection, table: Table) -> None:
    rows: list[dict[str, Any]] = []
    found = await reading.stream(select(table))
    async for row in found.mappings():
        rows.append(dict(row))
        if len(rows) == _ROWS:
            await writing.execute(table.insert(), rows)
            rows = []
    if rows:
        await writing.execute(table.insert(), rows)


async def _go_on_counting(writing: AsyncConnection) -> None:
    """Have PostgreSQL number new rows after those that came."""
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        if len(keys) != 1 or not isinstance(keys[0].type, Integer) or keys[0].autoincrement is False:
            continue
        sequence = select(func.pg_get_serial_sequence(table.name, keys[0].name))
        name = (await writing.execute(sequence)).scalar_one()
        last = (await writing.execute(select(func.max(keys[0])))).scalar_one()
        if name is not None and last is not None:
            await writing.execute(text("SELECT setval(:name, :last)").bindparams(name=name, last=last))
