"""Departments' endpoints: where each takes messages, and the secrets that sign them."""

from __future__ import annotations

from collections.abc import Collection

import orjson
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Door, Endpoint, EndpointState
from services.database import Transaction, table
from services.errors import NotFoundError
from services.exchange.delivery import Target
from services.sealing import KeyRing

_ENDPOINTS = table(Endpoint)


async def register_endpoint(transaction: Transaction, keys: KeyRing, target: Target) -> None:
    """Connect a department, or change how it is connected."""
    await transaction.connection.execute(_ENDPOINTS.delete().where(_ENDPOINTS.c.department == target.department))
    row = {
        "department": target.department,
        "url": target.url,
        "secrets": keys.seal(orjson.dumps(target.secrets), f"endpoint:{target.department}"),
        "batch_size": target.batch_size,
        "concurrency": target.concurrency,
        "timeout_seconds": target.timeout,
        "door": Door.PUSH,
        "state": EndpointState.OPEN,
    }
    await transaction.insert(Endpoint, [row])
    transaction.note("endpoint.registered", target.department, url=target.url, batch_size=target.batch_size)


async def open_targets(
    connection: AsyncConnection, keys: KeyRing, departments: Collection[str] | None = None
) -> dict[str, Target]:
    """The endpoints that take messages now, by department."""
    query = select(_ENDPOINTS).where(_ENDPOINTS.c.state == EndpointState.OPEN, _ENDPOINTS.c.door == Door.PUSH)
    if departments is not None:
        query = query.where(_ENDPOINTS.c.department.in_(departments))
    return {
        row.department: Target(
            row.department,
            row.url,
            tuple(orjson.loads(keys.open(row.secrets, f"endpoint:{row.department}"))),
            row.batch_size,
            row.concurrency,
            row.timeout_seconds,
        )
        for row in await connection.execute(query)
    }


async def secrets_of(connection: AsyncConnection, keys: KeyRing, department: str) -> tuple[str, ...]:
    """The secrets with which a department signs its call-backs; NotFoundError if it is not connected."""
    query = select(_ENDPOINTS.c.secrets).where(_ENDPOINTS.c.department == department)
    sealed = (await connection.execute(query)).scalar_one_or_none()
    if sealed is None:
        raise NotFoundError("no such department is connected", place=department)
    return tuple(orjson.loads(keys.open(sealed, f"endpoint:{department}")))


async def close_endpoint(transaction: Transaction, department: str, because: str) -> None:
    """Stop sending to a department; its steps stay due."""
    await transaction.connection.execute(
        update(_ENDPOINTS)
        .where(_ENDPOINTS.c.department == department)
        .values(state=EndpointState.CLOSED, because=because)
    )
    transaction.note("endpoint.closed", department, because=because)
