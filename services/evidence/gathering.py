"""All that proves one step: read, opened, and the message written anew and compared with what was sent."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Attempt, Decision, Door, Entitlement, Fact, InboundMessage, InboundStep, Step
from services.database import among, table
from services.errors import ConflictError, NotFoundError
from services.evidence.chain import show_place
from services.evidence.inbound import open_inbound
from services.exchange.messages import BATCH_CONTENT_TYPE, CONTENT_TYPE, Message, batch_body
from services.exchange.orders import read_order
from services.house import House
from services.sealing import SealError

_STEPS, _ATTEMPTS, _DECISIONS = table(Step), table(Attempt), table(Decision)
_FACTS, _ENTITLEMENTS = table(Fact), table(Entitlement)
_INBOUND, _INBOUND_STEPS = table(InboundMessage), table(InboundStep)


async def gather(connection: AsyncConnection, house: House, step_id: str) -> dict[str, Any]:
    """The parts of a bundle about ``step_id``, as JSON values; it bears the person's fields that the message bore.

    NotFoundError if there is no such step; ConflictError if no try sent the message that is written today;
    SealError if something kept does not open.
    """
    step = (await connection.execute(select(_STEPS).where(_STEPS.c.id == step_id))).one_or_none()
    if step is None:
        raise NotFoundError("there is no such step; `lianban case NUMBER` names a case's steps", place="step")
    messages = await _messages(connection, house, [step])
    message = messages[step_id]
    query = select(_ATTEMPTS).where(_ATTEMPTS.c.step_id == step_id).order_by(_ATTEMPTS.c.number)
    attempts = [await _attempt(connection, house, step, row, message) for row in await connection.execute(query)]
    if attempts and not any(one["same_message"] for one in attempts):
        raise ConflictError(
            "cannot be written again as it was sent; run this with LIANBAN_PUBLIC_URL and LIANBAN_SOURCE as they were "
            f"then, and with the pack {step.pack} of then",
            place=step_id,
        )
    return {
        "step": _step(house, step),
        "message": {
            "type": message.type,
            "content_type": CONTENT_TYPE,
            "body": message.body.decode(),
            "digest": _digest(message.body),
        },
        "attempts": attempts,
        "inbound": await _inbound(connection, house, step_id),
        "facts": await _rows(connection, _FACTS, step_id, ("name", "value", "authority", "confirmed_at")),
        "entitlements": await _rows(
            connection, _ENTITLEMENTS, step_id, ("service", "state", "reason", "in_force_from", "changed_at")
        ),
        "decision": await _decision(connection, house, step),
        "audit": await show_place(connection, step.case_number, step_id),
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _plain(value: Any) -> Any:
    """Days and instants as text; states by value."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def _step(house: House, step: Row[Any]) -> dict[str, Any]:
    return {
        "id": step.id,
        "case": step.case_number,
        "department": step.department,
        "department_name": house.department_name(step.department, step.created_at.date()),
        "kind": step.kind.value,
        "state": step.state.value,
        "reason": step.reason,
        "content": step.content,
        "pack": step.pack,
        # Of the rules that wrote the message: a verification stands on no decision that would name it.
        "pack_digest": house.packs.named(step.pack).digest,
        "created_at": _plain(step.created_at),
        "answer_by": _plain(step.answer_by),
        "received_at": _plain(step.received_at),
        "settled_at": _plain(step.settled_at),
    }


async def _messages(connection: AsyncConnection, house: House, steps: Sequence[Row[Any]]) -> dict[str, Message]:
    await house.rules.refresh(connection)
    numbers = {step.case_number for step in steps}
    applications = await house.caseworker.applications.of_cases(connection, numbers)
    return {
        step.id: house.writer(step.pack).build(
            read_order(
                step_id=step.id,
                case_number=step.case_number,
                department=step.department,
                kind=step.kind,
                asked_at=step.created_at,
                answer_by=step.answer_by,
                content=step.content,
            ),
            applications[step.case_number].person_fields(),
        )
        for step in steps
    }


async def _attempt(
    connection: AsyncConnection, house: House, step: Row[Any], row: Row[Any], message: Message
) -> dict[str, Any]:
    own = _digest(message.body)
    shown = {
        "number": row.number,
        "door": row.door.value,
        "started_at": _plain(row.started_at),
        "timestamp": int(row.started_at.timestamp()),
        "message_id": row.message_id or step.id,
        "signature": row.signature,
        "sent_digest": row.sent_digest,
        "event_digest": row.event_digest or row.sent_digest,
        "fields": row.fields.split() if row.fields is not None else None,
        "duration_ms": row.duration_ms,
        "status": row.status,
        "error": row.error,
        "problem": row.problem,
        "excerpt": row.excerpt,
        "answer_digest": row.answer_digest,
        "batch": None,
    }
    shown["same_message"] = shown["event_digest"] == own
    if shown["message_id"] != step.id and row.door is not Door.INBOX:
        events = await _batch(connection, house, step, row)
        body = batch_body(events)
        shown["batch"] = {
            "content_type": BATCH_CONTENT_TYPE,
            "position": row.position,
            # Other people's events are shown by digest only; the whole was compared here, which the seal vouches for.
            "events": [_digest(event.body) for event in events],
            "rebuilt": _digest(body) == row.sent_digest,
        }
    return shown


async def _batch(connection: AsyncConnection, house: House, step: Row[Any], row: Row[Any]) -> list[Message]:
    """The messages of one batch in their order, written anew."""
    together = and_(
        _STEPS.c.department == step.department,
        _ATTEMPTS.c.message_id == row.message_id,
        _ATTEMPTS.c.started_at == row.started_at,
    )
    ids = select(_ATTEMPTS.c.step_id).join(_STEPS, _STEPS.c.id == _ATTEMPTS.c.step_id).where(together)
    order = [str(one) for one in (await connection.execute(ids.order_by(_ATTEMPTS.c.position))).scalars()]
    steps = (await connection.execute(select(_STEPS).where(among(connection, _STEPS.c.id, order)))).all()
    written = await _messages(connection, house, steps)
    return [written[one] for one in order]


async def _inbound(connection: AsyncConnection, house: House, step_id: str) -> list[dict[str, Any]]:
    same = and_(
        _INBOUND_STEPS.c.department == _INBOUND.c.department, _INBOUND_STEPS.c.message_id == _INBOUND.c.message_id
    )
    query = (
        select(_INBOUND)
        .join(_INBOUND_STEPS, same)
        .where(_INBOUND_STEPS.c.step_id == step_id)
        .order_by(_INBOUND.c.received_at, _INBOUND.c.message_id)
    )
    return [_came(house, row) for row in await connection.execute(query)]


def _came(house: House, row: Row[Any]) -> dict[str, Any]:
    came = {
        "message_id": row.message_id,
        "received_at": _plain(row.received_at),
        "digest": row.digest,
        "headers": {},
        "body": None,
        "encoding": None,
    }
    if row.sealed is not None:
        came["headers"], body = open_inbound(house.keys, row.department, row.message_id, row.sealed)
        try:
            came |= {"body": body.decode(), "encoding": "utf-8"}
        except UnicodeDecodeError:
            # A sheet that an officer handed in.
            came |= {"body": base64.b64encode(body).decode(), "encoding": "base64"}
    return came


async def _rows(connection: AsyncConnection, of: Any, step_id: str, names: Sequence[str]) -> list[dict[str, Any]]:
    query = select(*(of.c[name] for name in names)).where(of.c.step_id == step_id).order_by(of.c[names[0]])
    return [{name: _plain(getattr(row, name)) for name in names} for row in await connection.execute(query)]


async def _decision(connection: AsyncConnection, house: House, step: Row[Any]) -> dict[str, Any] | None:
    """The decision that the step stands on; None for what is asked before anything is decided."""
    if step.decision is None:
        return None
    mine = and_(_DECISIONS.c.case_number == step.case_number, _DECISIONS.c.sequence == step.decision)
    row = (await connection.execute(select(_DECISIONS).where(mine))).one()
    place = f"decision:{step.case_number}:{step.decision}"
    try:
        kept = zlib.decompress(house.keys.open(row.sealed, place))
    except zlib.error as problem:
        raise SealError("does not open: it was altered or moved", place=place) from problem
    return {
        "sequence": row.sequence,
        "on": _plain(row.on),
        "decided_at": _plain(row.decided_at),
        "outcome": row.outcome,
        "term_years": row.term_years,
        "because": row.because,
        "pack": row.pack,
        "pack_digest": row.pack_digest,
        "digest": row.digest,
        "kept": kept.decode(),
    }
