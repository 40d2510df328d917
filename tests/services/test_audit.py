"""The audit chain holds what was written, and names the first entry that was touched."""

from __future__ import annotations

from sqlalchemy import delete, update

from models import AuditEntry
from services.audit import verify_chain
from services.database import Database, table

ENTRIES = table(AuditEntry)


async def _write(database: Database, count: int) -> None:
    for number in range(count):
        async with database.write("clerk:test") as transaction:
            transaction.note("case.received", f"370303-2014-{number:06d}", district="370303", grounds=["employment"])
            transaction.note("steps.planned", f"370303-2014-{number:06d}", steps={"a": {"facts": ["核验"]}})


async def test_an_untouched_chain_holds(database: Database) -> None:
    await _write(database, 5)
    async with database.read() as connection:
        report = await verify_chain(connection)
    assert (report.entries, report.broken_at) == (10, None)


async def test_an_altered_entry_is_named(database: Database) -> None:
    await _write(database, 5)
    async with database.engine.begin() as connection:
        await connection.execute(update(ENTRIES).where(ENTRIES.c.sequence == 4).values(actor="nobody"))
    async with database.read() as connection:
        report = await verify_chain(connection)
    assert (report.entries, report.broken_at, report.problem) == (3, 4, "was altered")


async def test_a_missing_entry_is_named(database: Database) -> None:
    await _write(database, 5)
    async with database.engine.begin() as connection:
        await connection.execute(delete(ENTRIES).where(ENTRIES.c.sequence == 7))
    async with database.read() as connection:
        report = await verify_chain(connection)
    assert (report.entries, report.broken_at) == (6, 7)


async def test_a_cut_tail_is_noticed(database: Database) -> None:
    await _write(database, 3)
    async with database.engine.begin() as connection:
        await connection.execute(delete(ENTRIES).where(ENTRIES.c.sequence > 4))
    async with database.read() as connection:
        report = await verify_chain(connection)
    assert report.broken_at == 5


async def test_a_change_undone_leaves_no_entry(database: Database) -> None:
    class TroubleError(Exception):
        pass

    try:
        async with database.write("clerk:test") as transaction:
            transaction.note("case.received", "370303-2014-000001")
            raise TroubleError
    except TroubleError:
        pass
    async with database.read() as connection:
        assert (await verify_chain(connection)).entries == 0
