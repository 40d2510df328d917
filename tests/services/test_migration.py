"""Migrations and models say the same, on both databases, there and back."""

from __future__ import annotations

import asyncio
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from models import metadata
from services.audit import verify_chain
from services.database import Database
from services.migration import _config, is_current, upgrade


def _with(dsn: str, look: Any) -> Any:
    async def connected() -> Any:
        database = Database(dsn)
        try:
            async with database.engine.connect() as connection:
                return await connection.run_sync(look)
        finally:
            await database.dispose()

    return connected()


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True, "render_as_batch": True}
    )
    return list(compare_metadata(context, metadata))


async def test_from_nothing_to_what_the_models_declare(empty_dsn: str) -> None:
    await asyncio.to_thread(upgrade, empty_dsn)
    assert await _with(empty_dsn, _differences) == []
    # Once more changes nothing.
    await asyncio.to_thread(upgrade, empty_dsn)
    assert await _with(empty_dsn, _differences) == []
    assert set(await _with(empty_dsn, lambda c: inspect(c).get_table_names())) == {*metadata.tables, "alembic_version"}


async def test_a_migrated_database_has_the_head_of_its_chain(empty_dsn: str) -> None:
    await asyncio.to_thread(upgrade, empty_dsn)
    database = Database(empty_dsn)
    async with database.write("clerk:test") as transaction:
        transaction.note("case.received", "370303-2014-000001")
    async with database.read() as connection:
        assert (await verify_chain(connection)).entries == 1
    await database.dispose()


async def test_down_to_nothing_and_up_again(empty_dsn: str) -> None:
    await asyncio.to_thread(upgrade, empty_dsn)
    await asyncio.to_thread(command.downgrade, _config(empty_dsn), "base")
    assert await _with(empty_dsn, lambda c: inspect(c).get_table_names()) == ["alembic_version"]
    await asyncio.to_thread(upgrade, empty_dsn)
    assert await _with(empty_dsn, _differences) == []


async def test_whether_a_database_is_current_is_told(empty_dsn: str) -> None:
    database = Database(empty_dsn)
    assert not await is_current(database)
    await asyncio.to_thread(upgrade, empty_dsn)
    assert await is_current(database)
    await asyncio.to_thread(command.downgrade, _config(empty_dsn), "base")
    assert not await is_current(database)
    await database.dispose()
