"""Endpoints as officers and coordinators see them: everything but what is secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from models import Endpoint, EndpointDay
from services.database import table
from services.doors.registration import Registration
from services.errors import NotFoundError
from services.exchange.credentials import open_credentials
from services.house import House
from services.lexicon import Named

_ENDPOINTS, _DAYS = table(Endpoint), table(EndpointDay)
_PLAIN = (
    "door", "state", "because", "url", "batch_size", "concurrency", "timeout_seconds", "rate_per_second", "services",
    "districts", "fallback", "fallback_hours", "drain_per_second", "held_at", "probe_at", "tested_at", "tested_well",
    "polled_at",
)  # fmt: skip
# What a registration says and the endpoint's row keeps under the same name.
_KEPT_AS_GIVEN = (
    "door", "url", "batch_size", "concurrency", "timeout_seconds", "rate_per_second", "fallback", "fallback_hours",
    "drain_per_second", "certificate_authority",
)  # fmt: skip


async def view_endpoints(house: House, department: str | None = None) -> list[Mapping[str, Any]]:
    """Every endpoint, or only that of ``department``: column to value, with what may be told of its credentials."""
    mine = _DAYS.c.department == _ENDPOINTS.c.department
    last = select(_DAYS.c.problem).where(mine).order_by(_DAYS.c.on.desc()).limit(1).scalar_subquery()
    query = select(_ENDPOINTS, last.label("problem")).order_by(_ENDPOINTS.c.department)
    if department is not None:
        query = query.where(_ENDPOINTS.c.department == department)
    async with house.database.read() as connection:
        rows = (await connection.execute(query)).all()
    now = house.database.clock.now()
    return [_view(house, row, now) for row in rows]


async def view_endpoint(house: House, department: str) -> Mapping[str, Any]:
    """The endpoint of ``department``; NotFoundError if it has none."""
    for view in await view_endpoints(house, department):
        return view
    raise NotFoundError("no such department is connected", place="department")


async def standing_registration(house: House, department: str) -> Registration:
    """How ``department`` is connected now, for whoever changes a part of it; the defaults if it is not yet."""
    async with house.database.read() as connection:
        found = await connection.execute(select(_ENDPOINTS).where(_ENDPOINTS.c.department == department))
        row = found.one_or_none()
    if row is None:
        return Registration(department)
    credentials = open_credentials(house.keys, department, row.secrets)
    return Registration(
        department,
        signing=credentials.schemes(),
        their_keys=credentials.their_keys,
        services=None if row.services is None else tuple(row.services),
        districts=None if row.districts is None else tuple(row.districts),
        **{name: getattr(row, name) for name in _KEPT_AS_GIVEN},
    )


def _view(house: House, row: Row[Any], now: datetime) -> Mapping[str, Any]:
    credentials = open_credentials(house.keys, row.department, row.secrets)
    signing, schemes = credentials.signing(now), credentials.schemes()
    name = house.department_name(row.department, house.database.clock.today())
    return {name: getattr(row, name) for name in _PLAIN} | {
        "department": Named(row.department, name, row.department),
        "signing": list(schemes),
        "overlapping": len(signing) > len(schemes),
        "public_keys": list(credentials.public_keys(now)),
        "their_public_keys": list(credentials.their_keys),
        "certificate_authority": row.certificate_authority is not None,
        "client_certificate": credentials.certificate is not None,
        "oauth": credentials.oauth is not None,
        # A test passed since then says that it was mended.
        "problem": row.problem if row.tested_well is False else None,
    }
