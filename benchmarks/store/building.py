"""Building a large store quickly: indexes and checks stand aside meanwhile, and are made once at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import text

from services.database import Database

# Plain indexes of our tables; what is unique stays, so that nothing wrong gets in.
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
JOIN pg_class ON pg_class.relname = indexname JOIN pg_index ON pg_index.indexrelid = pg_class.oid
WHERE schemaname = 'public' AND NOT indisunique ORDER BY indexname
"""
_KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1, 2
"""


@asynccontextmanager
async def fast_building(database: Database, told: Callable[[str], None]) -> AsyncIterator[None]:
    """On PostgreSQL: without plain indexes and foreign keys while the block runs; both again, and statistics, after it.

    On SQLite nothing needs to stand aside.
    """
    if database.engine.dialect.name != "postgresql":
        yield
        await _analyze(database, "ANALYZE")
        return
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        indexes = (await connection.execute(text(_INDEXES))).all()
        keys = (await connection.execute(text(_KEYS))).all()
        for source, name, _ in keys:
            await connection.exec_driver_sql(f'ALTER TABLE {source} DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            await connection.exec_driver_sql(f'DROP INDEX "{name}"')
    yield
    async with engine.connect() as connection:
        await connection.exec_driver_sql("SET maintenance_work_mem = '1GB'")
        for name, definition in indexes:
            await connection.exec_driver_sql(definition)
            told(name)
        for source, name, definition in keys:
            await connection.exec_driver_sql(f'ALTER TABLE {source} ADD CONSTRAINT "{name}" {definition}')
        told("foreign keys")
    await _analyze(database, "VACUUM ANALYZE")
    told("statistics")


async def _analyze(database: Database, statement: str) -> None:
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.exec_driver_sql(statement)
