"""Moving the business clock of a simulated system: demo, rehearsal, what-if. A real installation refuses."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from models import SystemClock
from services.clock import Clock
from services.database import Database, table
from services.errors import ConflictError
from services.settings import Settings


async def move_clock(database: Database, settings: Settings, day: date) -> Clock:
    """Make ``day`` the business day of every process of this installation; after the first move only forward."""
    if not settings.simulate:
        raise ConflictError("only a simulated system's clock moves; set LIANBAN_SIMULATE=true", place="clock")
    clock = await database.refresh_clock()
    moved = clock.moved_to(day)
    async with database.write("simulation") as transaction:
        row = table(SystemClock)
        standing = (await transaction.connection.execute(select(row.c.shift_seconds))).scalar_one_or_none()
        # The first move may go anywhere: a rehearsal begins in the past. What was decided since then is not undone.
        if standing is not None and day < clock.today():
            raise ConflictError(
                f"time only goes forward; the business day is {clock.today()} already, start a new installation for "
                "an earlier one", place="clock",
            )  # fmt: skip
        await transaction.insert_new(SystemClock, [{"id": 1, "shift_seconds": 0}], "id")
        await transaction.connection.execute(
            row.update().where(row.c.id == 1).values(shift_seconds=round(moved.shift.total_seconds()))
        )
        transaction.note("clock.moved", "system", to=day.isoformat())
    return await database.refresh_clock()
