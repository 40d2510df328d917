"""The breaker's state as it stands in the database, so that every process knows the same door."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Executable, Row, and_, bindparam, select, update
from sqlalchemy.engine.interfaces import Dialect

from models import Endpoint, EndpointState
from services.bulk import Many
from services.database import Transaction, is_postgresql, table
from services.exchange.breaker import Health, Tries, after_probe, after_tries, probing

_ENDPOINTS = table(Endpoint)
_NAMES = tuple(one.name for one in fields(Health))


@dataclass(frozen=True, slots=True)
class DoorMoves:
    """Doors that fell shut, and doors that opened."""

    shut: frozenset[str]
    opened: frozenset[str]


def health_of(row: Row[Any]) -> Health:
    """The health that a row of ``endpoints`` tells."""
    return Health(*(getattr(row, name) for name in _NAMES))


async def record_tries(
    transaction: Transaction, tries: Mapping[str, Tries], probes: Collection[str], now: datetime
) -> DoorMoves:
    """Count what came of the requests to each department, and move its door. ``probes``: whose one try this was."""
    query = select(_ENDPOINTS).where(_ENDPOINTS.c.department.in_(sorted(tries))).order_by(_ENDPOINTS.c.department)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    shut, opened = set(), set()
    changed: list[dict[str, Any]] = []
    for row in (await transaction.connection.execute(query)).all():
        before, department = health_of(row), row.department
        judge = after_probe if department in probes else after_tries
        # Chance only spreads load over time.
        after = judge(before, tries[department], now, random.random())  # noqa: S311
        if after == before:
            continue
        changed.append({"code": department} | {name: getattr(after, name) for name in _NAMES})
        if after.state is EndpointState.HELD:
            shut.add(department)
            if before.state is EndpointState.OPEN:
                transaction.note("endpoint.held", department, because=after.because or "unknown", holds=after.holds)
        elif before.state is EndpointState.PROBING:
            opened.add(department)
            transaction.note("endpoint.reopened", department, held_at=before.held_at and before.held_at.isoformat())
    await _CHANGED.run(transaction.connection, changed)
    return DoorMoves(frozenset(shut), frozenset(opened))


async def begin_probe(transaction: Transaction, department: str, now: datetime, seconds: float) -> bool:
    """Take the one try at a shut door; False if another process has it already."""
    health = probing(Health(), now + timedelta(seconds=seconds))
    free = and_(_ENDPOINTS.c.department == department, _ENDPOINTS.c.probe_at <= now)
    shut = _ENDPOINTS.c.state.in_((EndpointState.HELD, EndpointState.PROBING))
    taken = await transaction.connection.execute(
        update(_ENDPOINTS)
        .where(free, shut)
        .values(state=health.state, probe_at=health.probe_at)
        .returning(_ENDPOINTS.c.department)
    )
    return taken.first() is not None


async def give_up_probe(transaction: Transaction, department: str, now: datetime) -> None:
    """Give the try back unused: the next may begin at once."""
    await transaction.connection.execute(
        update(_ENDPOINTS)
        .where(_ENDPOINTS.c.department == department, _ENDPOINTS.c.state == EndpointState.PROBING)
        .values(state=EndpointState.HELD, probe_at=now)
    )


async def reserve_slots(transaction: Transaction, row: Row[Any], requests: int, now: datetime) -> datetime:
    """Reserve ``requests`` slots of the endpoint's rate, which no other process then has; the first one's instant."""
    locked = select(_ENDPOINTS.c.rate_until).where(_ENDPOINTS.c.department == row.department)
    if is_postgresql(transaction.connection):
        locked = locked.with_for_update()
    given_out = (await transaction.connection.execute(locked)).scalar_one()
    first = max(now, given_out or now)
    until = first + timedelta(seconds=requests / row.rate_per_second)
    await transaction.connection.execute(
        update(_ENDPOINTS).where(_ENDPOINTS.c.department == row.department).values(rate_until=until)
    )
    return first


def _change(dialect: Dialect) -> Executable:
    del dialect
    values: dict[str, Any] = {name: bindparam(name) for name in _NAMES}
    return update(_ENDPOINTS).where(_ENDPOINTS.c.department == bindparam("code")).values(values)


_CHANGED = Many(_change, ("code", *_NAMES))
