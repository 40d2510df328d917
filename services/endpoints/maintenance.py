"""Announced maintenance: a window of wire time in which a department takes nothing. Its steps are held meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from models import Endpoint, Maintenance
from services.database import Transaction, table
from services.errors import InputError, NotFoundError

_ENDPOINTS, _MAINTENANCE = table(Endpoint), table(Maintenance)
LONGEST = timedelta(days=31)


async def announce_maintenance(
    transaction: Transaction, department: str, from_at: datetime, until_at: datetime, now: datetime, note: str | None
) -> None:
    """Announce a window. Its instants are wire time, because they say when a machine is down.

    InputError for a window that is over, ends before it begins, or is longer than ``LONGEST``; NotFoundError for a
    department that is not connected.
    """
    if until_at <= from_at or until_at <= now:
        raise InputError("must end after it begins, and in the future", place="until")
    if until_at - from_at > LONGEST:
        raise InputError(f"may last {LONGEST.days} days at most; close the endpoint for longer", place="until")
    known = select(_ENDPOINTS.c.department).where(_ENDPOINTS.c.department == department)
    if (await transaction.connection.execute(known)).first() is None:
        raise NotFoundError("no such department is connected", place=department)
    row = {
        "department": department,
        "from_at": from_at,
        "until_at": until_at,
        "note": note,
        "announced_by": transaction.actor,
    }
    await transaction.insert(Maintenance, [row])
    transaction.note("maintenance.announced", department, from_at=from_at.isoformat(), until_at=until_at.isoformat())


async def end_maintenance(transaction: Transaction, department: str, now: datetime) -> int:
    """End what is going on at ``now`` and call off what is still to come; how many windows that were."""
    rows = await transaction.connection.execute(
        update(_MAINTENANCE)
        .where(_MAINTENANCE.c.department == department, _MAINTENANCE.c.until_at > now)
        .values(until_at=now)
        .returning(_MAINTENANCE.c.id)
    )
    count = len(rows.scalars().all())
    if count:
        transaction.note("maintenance.ended", department, windows=count)
    return count
