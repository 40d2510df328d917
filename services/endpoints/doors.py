"""Which doors are open: what a claim may send now, what it must hold, and where one try is let through to see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Door, Endpoint, EndpointState, Maintenance
from models.steps import services_of
from services.database import table
from services.endpoints.health import health_of
from services.endpoints.registry import target_of
from services.exchange.breaker import may_probe
from services.exchange.delivery import Target
from services.ledger.holding import departments_due, departments_holding
from services.sealing import KeyRing, SealError

_ENDPOINTS, _MAINTENANCE = table(Endpoint), table(Maintenance)


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors as they stand. ``open``: pushed to; ``probes``: shut, and due for one try; ``shut``: all that are not
    sent to, those included; ``fetching``: departments that come for their steps themselves. ``rows`` by department.
    """

    open: frozenset[str]
    probes: frozenset[str]
    shut: frozenset[str]
    fetching: frozenset[str]
    rows: Mapping[str, Row[Any]]

    def targets(self, keys: KeyRing, now: datetime) -> dict[str, Target]:
        """What the open doors and the probes are called by; to a door that is probed goes one message.

        A department whose credentials do not open is left out and stops no other. SealError if of several
        none opens: then it is our ring that is wrong.
        """
        targets: dict[str, Target] = {}
        failure: SealError | None = None
        for code in sorted(self.open | self.probes):
            try:
                targets[code] = target_of(self.rows[code], keys, now)
            except SealError as problem:
                failure = problem
        if failure is not None and not targets and len(self.open | self.probes) > 1:
            raise failure
        return targets

    def without(self, departments: frozenset[str]) -> Doors:
        """The same doors with those of ``departments`` shut for good."""
        open_, probes = self.open - departments, self.probes - departments
        return replace(self, open=open_, probes=probes, shut=self.shut | departments)

    def takes(self, department: str, district: str, content: Mapping[str, Any]) -> bool:
        """Whether the endpoint takes a step by its filters. A step goes out whole: every service of it must be taken.
        What is planned is split accordingly (``casework.splitting``): only a step that was tried before may be mixed.

        Verifications and news of the permit bear no service, so that only their district counts.
        """
        row = self.rows[department]
        if row.districts is not None and district not in row.districts:
            return False
        return row.services is None or services_of(content) <= set(row.services)


async def read_doors(connection: AsyncConnection, now: datetime, departments: Collection[str] | None = None) -> Doors:
    """The doors of all departments, or of ``departments``, at ``now`` (wire time)."""
    query = select(_ENDPOINTS)
    if departments is not None:
        query = query.where(_ENDPOINTS.c.department.in_(sorted(departments)))
    rows = {row.department: row for row in await connection.execute(query)}
    announced = select(_MAINTENANCE.c.department).where(_MAINTENANCE.c.from_at <= now, _MAINTENANCE.c.until_at > now)
    closed_for_work = set((await connection.execute(announced)).scalars())
    pushed = {code for code, row in rows.items() if row.door is Door.PUSH and row.state is not EndpointState.DRAFT}
    opened = {code for code in pushed if rows[code].state is EndpointState.OPEN} - closed_for_work
    probes = {code for code in pushed - closed_for_work if may_probe(health_of(rows[code]), now)}
    fetching = {code for code, row in rows.items() if row.door is not Door.PUSH and row.state is EndpointState.OPEN}
    return Doors(frozenset(opened), frozenset(probes), frozenset(pushed - opened), frozenset(fetching), rows)


async def work_waits(connection: AsyncConnection, now: datetime, busy: Collection[str] = ()) -> set[str]:
    """Departments for which a delivery has something to do: steps due at a door that is open, shut or to be probed,
    or steps held at one that has opened. Those in ``busy`` are left out: a delivery to them is under way.
    """
    doors = await read_doors(connection, now)
    ready = doors.open | doors.fetching
    waiting = await departments_holding(connection, (ready | doors.probes) - set(busy))
    return waiting | await departments_due(connection, (doors.open | doors.shut) - set(busy), now)
