"""Departments' endpoints: where each takes messages, and the secrets that sign them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Door, Endpoint, EndpointState
from services.database import Transaction, is_postgresql, table
from services.errors import NotFoundError
from services.exchange.credentials import Credentials, open_credentials, seal_credentials
from services.exchange.delivery import Target
from services.sealing import KeyRing, SealError

_ENDPOINTS = table(Endpoint)


async def register_endpoint(transaction: Transaction, keys: KeyRing, target: Target) -> None:
    """Connect a department, or change how it is connected."""
    await transaction.connection.execute(_ENDPOINTS.delete().where(_ENDPOINTS.c.department == target.department))
    row = {
        "department": target.department,
        "url": target.url,
        "secrets": seal_credentials(keys, target.department, Credentials.of(target.secrets)),
        "batch_size": target.batch_size,
        "concurrency": target.concurrency,
        "timeout_seconds": target.timeout,
        "door": Door.PUSH,
        "state": EndpointState.OPEN,
    }
    await transaction.insert(Endpoint, [row])
    transaction.note("endpoint.registered", target.department, url=target.url, batch_size=target.batch_size)


async def open_targets(
    connection: AsyncConnection,
    keys: KeyRing,
    departments: Collection[str] | None = None,
    now: datetime | None = None,
) -> dict[str, Target]:
    """The endpoints that take messages, by department, with the keys that sign at ``now`` (wire time)."""
    query = select(_ENDPOINTS).where(_ENDPOINTS.c.state == EndpointState.OPEN, _ENDPOINTS.c.door == Door.PUSH)
    if departments is not None:
        query = query.where(_ENDPOINTS.c.department.in_(departments))
    return {row.department: target_of(row, keys, now) for row in await connection.execute(query)}


def target_of(row: Row[Any], keys: KeyRing, now: datetime | None = None) -> Target:
    """The target that a row of ``endpoints`` describes. Without ``now`` every key signs, ended ones too."""
    credentials = open_credentials(keys, row.department, row.secrets)
    return Target(
        row.department,
        row.url or "",
        tuple(one.key for one in credentials.keys) if now is None else credentials.signing(now),
        row.batch_size,
        row.concurrency,
        row.timeout_seconds,
        credentials.access(row.certificate_authority),
    )


async def secrets_of(
    connection: AsyncConnection, keys: KeyRing, department: str, now: datetime | None = None
) -> tuple[str, ...]:
    """The keys with which a department signs what it sends at ``now``; NotFoundError if it is not connected."""
    query = select(_ENDPOINTS.c.secrets).where(_ENDPOINTS.c.department == department)
    sealed = (await connection.execute(query)).scalar_one_or_none()
    if sealed is None:
        raise NotFoundError("no such department is connected", place=department)
    credentials = open_credentials(keys, department, sealed)
    return credentials.verifying(now or datetime.min.replace(tzinfo=UTC))


async def close_endpoint(transaction: Transaction, department: str, because: str) -> None:
    """Stop sending to a department; its steps stay due. One that is closed already keeps its reason."""
    closed = await transaction.connection.execute(
        update(_ENDPOINTS)
        .where(_ENDPOINTS.c.department == department, _ENDPOINTS.c.state != EndpointState.CLOSED)
        .values(state=EndpointState.CLOSED, because=because)
        .returning(_ENDPOINTS.c.department)
    )
    if closed.first() is not None:
        transaction.note("endpoint.closed", department, because=because)


async def close_gone(transaction: Transaction, keys: KeyRing, called: Sequence[Target], because: str) -> set[str]:
    """Close the endpoints that said by a 410 that they are no more; the departments whose door is closed now.

    ``called`` are the targets as they were called. A department that has registered anew meanwhile, at another
    address or with secrets of which none signed that call, keeps its new door.
    """
    query = select(_ENDPOINTS).where(_ENDPOINTS.c.department.in_([one.department for one in called]))
    if is_postgresql(transaction.connection):
        query = query.order_by(_ENDPOINTS.c.department).with_for_update()
    rows = {row.department: row for row in await transaction.connection.execute(query)} if called else {}
    closed: set[str] = set()
    for target in called:
        row = rows.get(target.department)
        if row is not None and _is_called_by(row, keys, target):
            await close_endpoint(transaction, target.department, because)
            closed.add(target.department)
    return closed


def _is_called_by(row: Row[Any], keys: KeyRing, target: Target) -> bool:
    if row.url != target.url:
        return False
    try:
        now_held = target_of(row, keys).secrets
    except SealError:
        # Whoever claims next closes it for that.
        return False
    return not set(target.secrets).isdisjoint(now_held)
