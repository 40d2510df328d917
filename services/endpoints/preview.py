"""What waits at shut doors: how much, how old, and how long it takes to drain once the door opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Endpoint, Maintenance, Step, StepState
from services.database import table

_ENDPOINTS, _MAINTENANCE, _STEPS = table(Endpoint), table(Maintenance), table(Step)


@dataclass(frozen=True, slots=True)
class HeldSteps:
    """What is held at one department. ``because``: why its door is shut; ``oldest_at``: business instant at which the
    oldest held step was made; ``held_at``, ``probe_at`` and ``maintenance_until``: wire time; ``drain_seconds``: how
    long the steps take to go out, ``drain_per_second`` of them, once it opens.
    """

    department: str
    state: str
    because: str | None
    held_at: datetime | None
    probe_at: datetime | None
    maintenance_until: datetime | None
    count: int
    oldest_at: datetime | None
    drain_per_second: float
    drain_seconds: float


async def held_steps(
    connection: AsyncConnection, now: datetime, department: str | None = None
) -> tuple[HeldSteps, ...]:
    """What is held, by department, at ``now`` (wire time). With ``department`` that one, even if nothing is held."""
    counts = select(_STEPS.c.department, func.count(), func.min(_STEPS.c.created_at)).group_by(_STEPS.c.department)
    rows = await connection.execute(counts.where(_STEPS.c.state == StepState.HELD))
    held = {code: (count, oldest) for code, count, oldest in rows}
    windows = select(_MAINTENANCE.c.department, func.max(_MAINTENANCE.c.until_at)).group_by(_MAINTENANCE.c.department)
    going_on = windows.where(_MAINTENANCE.c.from_at <= now, _MAINTENANCE.c.until_at > now)
    until = {row.department: row[1] for row in await connection.execute(going_on)}
    endpoints = select(_ENDPOINTS).order_by(_ENDPOINTS.c.department)
    if department is not None:
        endpoints = endpoints.where(_ENDPOINTS.c.department == department)
    return tuple(
        HeldSteps(
            department=row.department,
            state=row.state.value,
            because=row.because,
            held_at=row.held_at,
            probe_at=row.probe_at,
            maintenance_until=until.get(row.department),
            count=count,
            oldest_at=oldest,
            drain_per_second=row.drain_per_second,
            drain_seconds=count / row.drain_per_second,
        )
        for row in await connection.execute(endpoints)
        for count, oldest in [held.get(row.department, (0, None))]
        if count or department is not None
    )
