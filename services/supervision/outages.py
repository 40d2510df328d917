"""Declared outages (停机公告): while a department takes nothing, the clocks of what waits for it stand still."""

from __future__ import annotations

from datetime import datetime

from services.endpoints.maintenance import announce_maintenance, end_maintenance
from services.house import House
from services.supervision.running import Moved, reckon
from services.supervision.terms import load_terms


async def declare_outage(
    house: House, actor: str, department: str, from_at: datetime, until_at: datetime, note: str | None = None
) -> tuple[Moved, ...]:
    """Announce a window (wire time) and move the deadlines of what waits for the department; which moved.

    Errors as ``announce_maintenance``.
    """
    clock = house.database.clock
    async with house.database.write(actor) as transaction:
        await announce_maintenance(transaction, department, from_at, until_at, clock.now(), note)
        terms = await load_terms(transaction.connection, clock)
        return await reckon(transaction, house, terms, "outage-declared", department=department)


async def end_outage(house: House, actor: str, department: str) -> tuple[int, tuple[Moved, ...]]:
    """End the window that is going on and call off those to come; how many, and which deadlines moved back."""
    clock = house.database.clock
    async with house.database.write(actor) as transaction:
        ended = await end_maintenance(transaction, department, clock.now())
        terms = await load_terms(transaction.connection, clock)
        return ended, await reckon(transaction, house, terms, "outage-ended", department=department)
