"""A change and its entry stand together or not at all, wherever the process is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models import AuditEntry, SystemClock
from services.audit import verify_chain
from services.database import Database, table

ROOT = Path(__file__).resolve().parents[2]
# One change in a process that is killed: before its entry is written, after that, and after both are committed.
PROGRAM = """
import asyncio, os, signal, sys
from models import SystemClock
from services import database
dsn, where = sys.argv[1:]
append = database.append_notes
def kill(): os.kill(os.getpid(), signal.SIGKILL)
async def appended(*given, **more):
    if where == "before": kill()
    await append(*given, **more)
    if where == "between": kill()
database.append_notes = appended
async def change():
    async with database.Database(dsn).write("administrator:test") as transaction:
        await transaction.insert(SystemClock, [{"id": 1, "shift_seconds": 5}])
        transaction.note("clock.moved", "system")
    kill()
asyncio.run(change())
"""


@pytest.mark.parametrize(("where", "stands"), [("before", 0), ("between", 0), ("after", 1)])
async def test_killed_anywhere_neither_stands_alone(database: Database, where: str, stands: int) -> None:
    command = [sys.executable, "-c", PROGRAM, database.dsn, where]
    ended = subprocess.run(  # noqa: ASYNC221, S603 - nothing else goes on, and the command is ours
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=False
    )
    assert ended.returncode == -9
    async with database.read() as connection:
        for model in (SystemClock, AuditEntry):
            count = (await connection.execute(select(func.count()).select_from(table(model)))).scalar_one()
            assert count == stands, model
        assert (await verify_chain(connection)).broken_at is None
