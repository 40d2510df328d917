r"""The signed poll: a department without a server of its own fetches its steps, and acknowledges them with outcomes.

What it gets is a batch as a push would send it, signed by us; what it sends is signed by Standard Webhooks, with
``METHOD target`` and a line feed before the body, so that a signature opens one address only::

    webhook-id.webhook-timestamp.GET /api/v1/doors/hrss/steps?limit=50\n
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, update

from models import Door, Endpoint
from services.casework.answers import Inbound, Taken, take_outcomes
from services.database import table
from services.doors.offering import (
    digest,
    endpoint_row,
    note_fallback,
    offers,
    record_handing,
    still_right,
    write_messages,
)
from services.endpoints import secrets_of
from services.errors import ConflictError, InputError
from services.exchange.credentials import open_credentials
from services.exchange.messages import batch_body, batch_id
from services.exchange.outcomes import parse_outcomes
from services.exchange.signatures import SIGNATURE_HEADER, signature_headers, verify
from services.house import House
from services.ledger.handing import hand_over, waiting_steps

MAX_STEPS = 200
MAX_WAIT = 30.0
_PAUSE = 1.0
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Request:
    """A signed request as it came: ``target`` is path and query exactly as sent."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def signed(self) -> bytes:
        """What the signature covers, in the place of a message's body."""
        return f"{self.method} {self.target}\n".encode() + self.body


@dataclass(frozen=True, slots=True)
class Polled:
    """A batch of events with the headers of its signature. ``cursor`` is for the next poll; ``more`` wait already."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str]
    count: int
    cursor: str
    more: bool


async def authenticate(house: House, department: str, request: Request) -> str:
    """The ``webhook-id`` of a request that ``department`` signed; errors as of ``signatures.verify``."""
    now = house.database.clock.now()
    async with house.database.read() as connection:
        secrets = await secrets_of(connection, house.keys, department, now)
    return verify(request.headers, request.signed, secrets, now)


async def poll(
    house: House,
    department: str,
    *,
    cursor: str | None = None,
    limit: int = 50,
    wait: float = 0.0,
    pause: float = _PAUSE,
) -> Polled:
    """Hand out what waits for ``department``, whose request was authenticated; if nothing does, look again every
    ``pause`` seconds for up to ``wait``.

    Without a cursor all comes that is not acknowledged. A cursor says that what was handed out before has arrived: it
    comes again only if nothing was heard of it within 15 minutes. ConflictError if the department takes messages by
    another door.
    """
    after = None if cursor is None else read_cursor(cursor)
    loop = asyncio.get_running_loop()
    give_up = loop.time() + min(wait, MAX_WAIT)
    while True:
        if await _anything(house, department, after):
            polled = await _hand_out(house, department, after, limit)
            if polled.count:
                return polled
        if loop.time() >= give_up:
            return await _hand_out(house, department, after, 0)
        await asyncio.sleep(max(0.0, min(pause, give_up - loop.time())))


async def acknowledge(house: House, department: str, request: Request, message_id: str) -> Taken:
    """Take the outcomes in a request that was authenticated as ``message_id``: as of a call-back."""
    outcomes = parse_outcomes(request.body)
    inbound = Inbound(message_id, request.headers, request.signed)
    return await take_outcomes(house, department, outcomes, inbound, f"department:{department}")


async def _anything(house: House, department: str, after: datetime | None) -> bool:
    clock = house.database.clock
    async with house.database.read() as connection:
        row = _polls(await endpoint_row(connection, department))
        wanted = offers(row, Door.POLL, clock.moment())
        return bool(await waiting_steps(connection, department, wanted, clock.now(), after=after, limit=1))


async def _hand_out(house: House, department: str, after: datetime | None, limit: int) -> Polled:
    clock = house.database.clock
    now = clock.now()
    async with house.database.write(f"department:{department}") as transaction:
        connection = transaction.connection
        row = _polls(await endpoint_row(connection, department))
        wanted = offers(row, Door.POLL, clock.moment())
        found = await waiting_steps(connection, department, wanted, now, after=after, limit=limit + 1, lock=True)
        steps = await still_right(house, transaction, found[:limit])
        messages = await write_messages(house, connection, steps)
        body, message_id = batch_body(messages), batch_id(step.id for step in steps)
        keys = open_credentials(house.keys, department, row.secrets).signing(now)
        headers = signature_headers(message_id, body, keys, now)
        if steps:
            await hand_over(transaction, steps, now)
            sent = {
                "started_at": now,
                "sent_digest": digest(body),
                "message_id": message_id,
                "signature": headers[SIGNATURE_HEADER],
            }
            await record_handing(transaction, Door.POLL, steps, messages, sent)
            note_fallback(transaction, row, Door.POLL, steps)
        if row.polled_at is None or row.polled_at + _SEEN_EVERY <= now:
            endpoints = table(Endpoint)
            seen = update(endpoints).where(endpoints.c.department == department).values(polled_at=now)
            await connection.execute(seen)
    return Polled(body, headers, len(steps), write_cursor(now if steps else after or now), len(found) > limit > 0)


def _polls(row: Row[Any] | None) -> Row[Any]:
    if row is None or Door.POLL not in (row.door, row.fallback):
        raise ConflictError("takes its messages by another door; register the door `poll` first", place="endpoint.door")
    return row


def write_cursor(handed: datetime) -> str:
    """What was handed out up to an instant, as a cursor."""
    text = handed.astimezone(UTC).isoformat()
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> datetime:
    """The instant that ``write_cursor`` wrote; InputError for anything else."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        handed = datetime.fromisoformat(text)
    except ValueError:
        handed = None
    if handed is None or handed.tzinfo is None:
        raise InputError("is no cursor of this list; begin again without one", place="cursor")
    return handed
