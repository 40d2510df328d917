"""Transactions: whole or not at all, with their audit entries, one after the other, and plain words when it is gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, StatementError

from models import AuditEntry, CaseCounter
from services.audit import verify_chain
from services.database import Database, among, table
from services.errors import UnavailableError

COUNTERS = table(CaseCounter)


async def _count(database: Database) -> int:
    async with database.read() as connection:
        return len((await connection.execute(select(COUNTERS))).all())


async def _write_twice(database: Database, scope: str, last: int = 0) -> None:
    async with database.write("clerk") as transaction:
        await transaction.insert(CaseCounter, [{"scope": scope, "last": last}])
        transaction.note("case.received", scope)
        await transaction.insert(CaseCounter, [{"scope": scope, "last": last}])


async def test_an_error_undoes_the_whole(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await _write_twice(database, "a")
    assert await _count(database) == 0
    async with database.read() as connection:
        assert (await verify_chain(connection)).entries == 0


async def test_what_stands_already_is_left_as_it_is(database: Database) -> None:
    async with database.write("clerk") as transaction:
        await transaction.insert_new(CaseCounter, [{"scope": "a", "last": 1}], "scope")
        await transaction.insert_new(CaseCounter, [{"scope": "a", "last": 9}, {"scope": "b", "last": 2}], "scope")
    async with database.read() as connection:
        rows = await connection.execute(select(COUNTERS.c.scope, COUNTERS.c.last).order_by(COUNTERS.c.scope))
        assert [tuple(row) for row in rows] == [("a", 1), ("b", 2)]


async def test_writers_follow_one_another_without_a_gap_in_the_chain(database: Database) -> None:
    twin = Database(database.dsn, database.clock)

    async def write(one: Database, number: int) -> None:
        async with one.write(f"clerk:{number}") as transaction:
            await transaction.insert_new(CaseCounter, [{"scope": "s", "last": 0}], "scope")
            await transaction.connection.execute(COUNTERS.update().values(last=COUNTERS.c.last + 1))
            transaction.note("counted", "s", number=number)

    await asyncio.gather(*(write(one, number) for number in range(20) for one in (database, twin)))
    await twin.dispose()
    async with database.read() as connection:
        assert (await connection.execute(select(COUNTERS.c.last))).scalar_one() == 40
        report = await verify_chain(connection)
    assert (report.entries, report.broken_at) == (40, None)


async def test_a_reader_is_not_held_up_by_a_writer(database: Database) -> None:
    async with database.write("clerk") as transaction:
        await transaction.insert(CaseCounter, [{"scope": "a", "last": 0}])
        async with asyncio.timeout(5):
            assert await _count(database) == 0
    assert await _count(database) == 1


async def test_thousands_of_values_are_one_parameter(database: Database) -> None:
    names = [f"s{number}" for number in range(40_000)]
    async with database.write("clerk") as transaction:
        await transaction.insert(CaseCounter, [{"scope": name, "last": 0} for name in ("s1", "s39999", "x'; --")])
        mine = among(transaction.connection, COUNTERS.c.scope, [*names, "x'; --"])
        found = (await transaction.connection.execute(select(COUNTERS.c.scope).where(mine))).scalars().all()
        none = among(transaction.connection, COUNTERS.c.scope, [])
        assert (await transaction.connection.execute(select(COUNTERS.c.scope).where(none))).all() == []
    assert set(found) == {"s1", "s39999", "x'; --"}


async def test_a_time_without_a_zone_cannot_be_stored(database: Database) -> None:
    naive = datetime(2014, 11, 3, tzinfo=UTC).replace(tzinfo=None)
    entries = table(AuditEntry)
    with pytest.raises(StatementError, match="time zone"):
        async with database.read() as connection:
            await connection.execute(select(entries).where(entries.c.at == naive))


async def test_a_database_without_tables_says_what_to_do(empty_dsn: str) -> None:
    database = Database(empty_dsn)
    with pytest.raises(UnavailableError, match="lianban migrate"):
        await _count(database)
    await database.dispose()


@pytest.mark.parametrize("dsn", ["postgresql+asyncpg://nobody@127.0.0.1:9/none", "postgresql+asyncpg://x@/y?host={}"])
async def test_a_server_that_is_not_there_is_told_plainly(dsn: str, tmp_path: Path) -> None:
    database = Database(dsn.format(tmp_path))
    with pytest.raises(UnavailableError, match="does not answer"):
        await database.ping()
    await database.dispose()


async def test_errors_bear_no_values(database: Database) -> None:
    with pytest.raises(IntegrityError) as told:
        await _write_twice(database, "a", last=424242)
    # PostgreSQL names the key that stands already: keys are numbers and keyed hashes (test_house holds that).
    assert "424242" not in str(told.value)
