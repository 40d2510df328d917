"""Sending again: one message, or a range of them after a department lost what it had.

A message that is not settled becomes due again and goes its ordinary way. One that is settled is sent once more as a
copy, the same bytes under the same id, if it still holds; a copy changes nothing here, whatever is answered to it. What
was superseded, declined or waived is never sent again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select, update

from models import Door, EndpointState, Entitlement, EntitlementState, Permit, PermitState, Step, StepKind, StepState
from services.database import Transaction, among, is_postgresql, table
from services.doors.offering import digest, endpoint_row, write_messages
from services.endpoints.registry import target_of
from services.errors import ConflictError, NotFoundError
from services.exchange.client import connected, shared_client
from services.exchange.delivery import AttemptResult, Target, deliver
from services.exchange.messages import Message
from services.house import House
from services.ledger.handing import Offered
from services.ledger.steps import Move, move_steps, record_attempts

_STEPS, _ENTITLEMENTS, _PERMITS = table(Step), table(Entitlement), table(Permit)
MAX_REPLAY = 500
_AGAIN = (StepState.FAILED, StepState.RECEIVED, StepState.DUE)
_COPIED = (StepKind.ENTITLEMENTS, StepKind.PERMIT_ISSUED, StepKind.PERMIT_ENDED)


@dataclass(frozen=True, slots=True)
class Range:
    """Messages made from ``from_at`` (included) until ``until_at`` (not included; business time), in ``states``."""

    from_at: datetime
    until_at: datetime
    states: Collection[StepState]


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay would do, or did: how many messages by state, the first and the last. ``outdated``: settled ones
    that hold no more and stay. ``queued`` became due, ``delivered`` of the ``copied`` were taken.
    """

    count: int
    by_state: Mapping[str, int]
    first: datetime | None
    last: datetime | None
    outdated: int
    queued: int = 0
    copied: int = 0
    delivered: int = 0


async def preview(house: House, department: str, wanted: Range) -> Replay:
    """What ``replay`` would send again. ConflictError for more than 500 messages: take a shorter range."""
    async with house.database.read() as connection:
        rows = (await connection.execute(_query(department, _within(wanted)))).all()
        standing = await _standing(connection, rows)
    return _counted(rows, standing)


async def replay(house: House, department: str, wanted: Range, expected: int, actor: str) -> Replay:
    """Send again what ``preview`` counted; ConflictError if it is no longer ``expected`` messages."""
    return await _again(house, department, _within(wanted), actor, expected)


async def resend(house: House, department: str, step: str, actor: str) -> Replay:
    """Send one message again; ConflictError if it is being sent, held, or no longer right."""
    async with house.database.read() as connection:
        mine = and_(_STEPS.c.id == step, _STEPS.c.department == department)
        state = (await connection.execute(select(_STEPS.c.state).where(mine))).scalar_one_or_none()
    if state is None:
        raise NotFoundError("this department was sent no such message", place="message")
    if state not in (*_AGAIN, StepState.DONE):
        raise ConflictError(f"is {state.value}, and is not sent again from there", place="message")
    done = await _again(house, department, [_STEPS.c.id == step], actor, None)
    if not done.count:
        raise ConflictError("no longer holds: what it says has been replaced or has ended", place="message")
    return done


def _within(wanted: Range) -> list[ColumnElement[bool]]:
    return [
        _STEPS.c.created_at >= wanted.from_at,
        _STEPS.c.created_at < wanted.until_at,
        _STEPS.c.state.in_(set(wanted.states) & {*_AGAIN, StepState.DONE}),
    ]


def _query(department: str, conditions: Sequence[ColumnElement[bool]]) -> Any:
    may = or_(_STEPS.c.state.in_(_AGAIN), and_(_STEPS.c.state == StepState.DONE, _STEPS.c.kind.in_(_COPIED)))
    mine = and_(_STEPS.c.department == department, may, *conditions)
    return select(_STEPS).where(mine).order_by(_STEPS.c.created_at, _STEPS.c.id).limit(MAX_REPLAY + 1)


async def _standing(connection: Any, rows: Sequence[Row[Any]]) -> set[str]:
    """The steps of ``rows`` that still say what holds."""
    done = [row for row in rows if row.state is StepState.DONE]
    cases = {row.case_number for row in done}
    entitlements = select(_ENTITLEMENTS.c.step_id, _ENTITLEMENTS.c.service, _ENTITLEMENTS.c.state).where(
        among(connection, _ENTITLEMENTS.c.case_number, cases)
    )
    last = {(one.step_id, one.service): one.state for one in await connection.execute(entitlements)}
    permits = select(_PERMITS.c.case_number, _PERMITS.c.state).where(among(connection, _PERMITS.c.case_number, cases))
    ended = {one.case_number for one in await connection.execute(permits) if one.state is PermitState.ENDED}
    holding = {row.id for row in rows if row.state is not StepState.DONE}
    for row in done:
        if row.kind is StepKind.ENTITLEMENTS:
            # Every part of it must be the last word on its service.
            opens = [last.get((row.id, one["service"])) for one in row.content.get("open", ())]
            withdraws = [last.get((row.id, one["service"])) for one in row.content.get("withdraw", ())]
            states = (EntitlementState.IN_FORCE, EntitlementState.DECLINED)
            holds = all(one in states for one in opens) and all(one is EntitlementState.ENDED for one in withdraws)
        else:
            holds = (row.kind is StepKind.PERMIT_ENDED) == (row.case_number in ended)
        if holds:
            holding.add(row.id)
    return holding


def _counted(rows: Sequence[Row[Any]], standing: set[str]) -> Replay:
    if len(rows) > MAX_REPLAY:
        raise ConflictError(f"is more than {MAX_REPLAY} messages; take a shorter range", place="replay")
    sent = [row for row in rows if row.id in standing]
    times = [row.created_at for row in sent]
    states = dict(Counter(row.state.value for row in sent))
    first, last = (min(times), max(times)) if times else (None, None)
    return Replay(len(sent), states, first, last, len(rows) - len(sent))


async def _again(
    house: House, department: str, conditions: Sequence[ColumnElement[bool]], actor: str, expected: int | None
) -> Replay:
    now = house.database.clock.now()
    async with house.database.write(actor) as transaction:
        query = _query(department, conditions)
        rows = (
            await transaction.connection.execute(
                query.with_for_update() if is_postgresql(transaction.connection) else query
            )
        ).all()
        standing = await _standing(transaction.connection, rows)
        counted = _counted(rows, standing)
        if expected is not None and counted.count != expected:
            raise ConflictError(f"is now {counted.count} messages; look at the preview again", place="expected")
        queued = await _queue(transaction, [row for row in rows if row.state in _AGAIN], now)
        copies = [row for row in rows if row.state is StepState.DONE and row.id in standing]
        target, messages = await _prepare(house, transaction, department, copies)
        if counted.count:
            transaction.note("messages.resent", department, steps=[row.id for row in rows if row.id in standing])
    results = await _copy(house, target, messages)
    await _record(house, actor, copies, messages, results)
    delivered = sum(len(one.step_ids) for one in results if one.verdict.value == "received")
    counts = (counted.count, counted.by_state, counted.first, counted.last, counted.outdated)
    return Replay(*counts, queued, len(copies), delivered)


async def _queue(transaction: Transaction, rows: Sequence[Row[Any]], now: datetime) -> int:
    """Make what is not settled due now."""
    moves = [Move(row.id, StepState.DUE, row.reason, now) for row in rows if row.state is not StepState.DUE]
    await move_steps(transaction, moves)
    waiting = [row.id for row in rows if row.state is StepState.DUE]
    await transaction.connection.execute(
        update(_STEPS).where(among(transaction.connection, _STEPS.c.id, waiting)).values(next_attempt_at=now)
    )
    return len(rows)


async def _prepare(
    house: House, transaction: Transaction, department: str, copies: Sequence[Row[Any]]
) -> tuple[Target | None, list[Message]]:
    """Where copies go, and what they are; each counts as a try from here on, whatever becomes of us."""
    if not copies:
        return None, []
    endpoint = await endpoint_row(transaction.connection, department)
    if endpoint is None or endpoint.door is not Door.PUSH or endpoint.state is not EndpointState.OPEN:
        raise ConflictError(
            "settled messages are sent again to an open push endpoint only; leave the state `done` out",
            place="endpoint",
        )
    ids = [row.id for row in copies]
    mine = among(transaction.connection, _STEPS.c.id, ids)
    await transaction.connection.execute(update(_STEPS).where(mine).values(attempts=_STEPS.c.attempts + 1))
    steps = [Offered(*(getattr(row, name) for name in Offered.__slots__)) for row in copies]
    messages = await write_messages(house, transaction.connection, steps)
    return target_of(endpoint, house.keys, house.database.clock.now()), messages


async def _copy(house: House, target: Target | None, messages: Sequence[Message]) -> list[AttemptResult]:
    if target is None:
        return []
    client = connected(shared_client(), house.guard, target.access)
    async with aclosing(deliver(client, target, messages, house.database.clock.now)) as results:
        return [result async for result in results]


async def _record(
    house: House,
    actor: str,
    copies: Sequence[Row[Any]],
    messages: Sequence[Message],
    results: Sequence[AttemptResult],
) -> None:
    if not results:
        return
    rows, written = {row.id: row for row in copies}, {message.step_id: message for message in messages}
    attempts = [
        {
            "step_id": step,
            "number": rows[step].attempts + 1,
            "started_at": result.started_at,
            "duration_ms": result.duration_ms,
            "status": result.status,
            "error": result.error,
            "problem": result.problem,
            "sent_digest": result.sent_digest,
            "excerpt": result.excerpt,
            "message_id": result.message_id,
            "signature": result.signature,
            "event_digest": digest(written[step].body),
            "position": position,
            "fields": " ".join(written[step].fields),
            "answer_digest": result.answer_digest,
            "door": Door.PUSH,
        }
        for result in results
        for position, step in enumerate(result.step_ids)
    ]
    async with house.database.write(actor) as transaction:
        await record_attempts(transaction, attempts)
