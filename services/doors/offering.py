"""Which steps a door offers, and what goes with each that is handed out: its message, and the record of the try."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Door, Endpoint, StepState
from models.steps import services_of
from services.casework.rechecks import recheck
from services.clock import china_day
from services.database import Transaction, table
from services.exchange.messages import Message
from services.exchange.orders import read_order
from services.house import House
from services.ledger.cases import wake
from services.ledger.handing import Offered
from services.ledger.steps import Move, move_steps, record_attempts

_ENDPOINTS = table(Endpoint)
_DAY = timedelta(days=1)


async def endpoint_row(connection: AsyncConnection, department: str) -> Row[Any] | None:
    """The row of a department's endpoint; None if it has none, and so works from the inbox."""
    query = select(_ENDPOINTS).where(_ENDPOINTS.c.department == department)
    return (await connection.execute(query)).one_or_none()


def offers(row: Row[Any] | None, door: Door, moment: datetime) -> Callable[[Row[Any]], bool]:
    """Whether ``door`` offers a step at ``moment`` (business time), as a test on rows of ``steps``.

    The department's own door offers all that is open. The door it fell back on offers, besides, what has not got
    through shortly before its deadline; and the inbox what the endpoint does not take.
    """
    own = Door.INBOX if row is None else row.door

    def offered(step: Row[Any]) -> bool:
        if own is door or row is None:
            return own is door and step.state is not StepState.FAILED
        if row.fallback is door and _is_near(step.answer_by, row.fallback_hours, moment):
            return True
        return door is Door.INBOX and step.state is not StepState.FAILED and _left_out(row, step)

    return offered


def falls_back(row: Row[Any] | None, door: Door) -> bool:
    """Whether ``door`` is the one that the department falls back on."""
    return row is not None and row.door is not door and row.fallback is door


def _is_near(answer_by: date | None, hours: int, moment: datetime) -> bool:
    # The deadline is the end of the day ``answer_by`` in Zibo.
    return answer_by is not None and answer_by <= china_day(moment + timedelta(hours=hours)) - _DAY


def _left_out(row: Row[Any], step: Row[Any]) -> bool:
    """Whether the endpoint's filters leave the step out."""
    if row.districts is not None and step.district not in row.districts:
        return True
    return row.services is not None and not services_of(step.content) <= set(row.services)


async def still_right(house: House, transaction: Transaction, steps: Sequence[Offered]) -> list[Offered]:
    """Those of ``steps`` (locked) that are right as things stand. What no longer is is superseded, never handed out;
    what must wait for another step stays where it is.
    """
    clock = house.database.clock
    found = await recheck(transaction.connection, steps, clock.today())
    wrong = [step for step in steps if step.id in found.wrong]
    # A hand-out that ran out comes back first: nothing is superseded while it is out.
    handed = [one for one in wrong if one.state is StepState.SENDING]
    await move_steps(transaction, [Move(one.id, StepState.DUE, next_attempt_at=clock.now()) for one in handed])
    await move_steps(transaction, [Move(one.id, StepState.SUPERSEDED, found.wrong[one.id]) for one in wrong])
    for step in wrong:
        transaction.note("steps.superseded", step.case_number, steps=[step.id], reason=found.wrong[step.id])
    await wake(transaction, {step.case_number for step in wrong}, clock.now())
    return [step for step in steps if step.id not in found.wrong and step.id not in found.early]


async def write_messages(house: House, connection: AsyncConnection, steps: Sequence[Offered]) -> list[Message]:
    """The message of each of ``steps``, in their order: the very bytes that a push would send."""
    await house.rules.refresh(connection)
    numbers = {step.case_number for step in steps}
    applications = await house.caseworker.applications.of_cases(connection, numbers)
    return [
        house.writer(step.pack).build(
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
    ]


def digest(data: bytes) -> str:
    """SHA-256 in hex, as attempts keep it."""
    return hashlib.sha256(data).hexdigest()


async def record_handing(
    transaction: Transaction,
    door: Door,
    steps: Collection[Offered],
    messages: Collection[Message],
    sent: Mapping[str, Any],
) -> None:
    """One attempt for each step handed out; ``sent`` are the columns that all of them share."""
    await record_attempts(
        transaction,
        [
            {
                "step_id": step.id,
                "number": step.attempts + 1,
                "duration_ms": 0,
                "status": 200,
                "error": None,
                "problem": None,
                "excerpt": None,
                "event_digest": digest(message.body),
                "position": position,
                "fields": " ".join(message.fields),
                "answer_digest": None,
                "door": door,
                **sent,
            }
            for position, (step, message) in enumerate(zip(steps, messages, strict=True))
        ],
    )


def note_fallback(transaction: Transaction, row: Row[Any] | None, door: Door, steps: Collection[Offered]) -> None:
    """Say of each case that its steps went out by the door of last resort."""
    if falls_back(row, door):
        by_case: dict[str, list[str]] = {}
        for step in steps:
            by_case.setdefault(step.case_number, []).append(step.id)
        for number, ids in by_case.items():
            transaction.note("steps.fell_back", number, steps=ids, door=door.value)
