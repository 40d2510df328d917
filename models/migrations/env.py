"""Alembic's environment: the same migrations on SQLite (by batch, since it cannot alter) and PostgreSQL."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

import models

_LOCK_TIMEOUT = "5s"


def _run(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # A migration that cannot have its lock gives up, and the service goes on.
        connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
    context.configure(connection=connection, target_metadata=models.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


async def _online() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    if url is None:
        raise RuntimeError("no database is named")
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_online())
