"""What was sent to a department, as its officers see it: every message, with every try and the bounded answer to it."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row, and_, exists, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Attempt, Door, Step, StepKind, StepState
from models.base import UtcDateTime
from services.access import WHOLE_CITY, Sight
from services.casework.sight import steps_in
from services.database import among, table
from services.errors import InputError, NotFoundError
from services.exchange.orders import KINDS
from services.house import House
from services.lexicon import Named
from services.words import KIND_WORDS, STEP_WORDS

_STEPS, _ATTEMPTS = table(Step), table(Attempt)
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: when (wire time), by which door, what came back."""

    number: int
    door: Door
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    problem: str | None
    excerpt: str | None
    message_id: str | None
    sent_digest: str


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message, that is one step: its ``webhook-id``, its type, and where it stands. ``tries``: all, or the last."""

    id: str
    type: str
    case_number: str
    kind: Named
    state: Named
    reason: str | None
    created_at: datetime
    answer_by: date | None
    next_attempt_at: datetime | None
    received_at: datetime | None
    settled_at: datetime | None
    attempts: int
    asks: tuple[str, ...]
    withdraws: tuple[str, ...]
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages, the newest first; ``next`` is the cursor of the next page, None at the end."""

    items: tuple[SentMessage, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What to list; None does not filter. ``from_at`` is included, ``until_at`` is not: instants of making (business
    time). ``answer``: what came of any of the tries, an HTTP status (``503``) or why none came (``timeout``).
    """

    states: Collection[StepState] | None = None
    kind: StepKind | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    case_number: str | None = None
    answer: str | None = None

    def conditions(self) -> list[Any]:
        """The filter as conditions on ``steps``."""
        wanted: list[Any] = []
        if self.states is not None:
            wanted.append(_STEPS.c.state.in_(self.states))
        if self.kind is not None:
            wanted.append(_STEPS.c.kind == self.kind)
        if self.from_at is not None:
            wanted.append(_STEPS.c.created_at >= self.from_at)
        if self.until_at is not None:
            wanted.append(_STEPS.c.created_at < self.until_at)
        if self.case_number is not None:
            wanted.append(_STEPS.c.case_number == self.case_number)
        if self.answer is not None:
            came = _ATTEMPTS.c.status == int(self.answer) if self.answer.isdigit() else _ATTEMPTS.c.error == self.answer
            wanted.append(exists().where(_ATTEMPTS.c.step_id == _STEPS.c.id, came))
        return wanted


async def list_messages(
    house: House,
    department: str,
    wanted: MessageFilter,
    *,
    sight: Sight = WHOLE_CITY,
    cursor: str | None = None,
    limit: int = 50,
) -> MessagePage:
    """One page of the messages to ``department`` in ``sight``, each with its last try."""
    place = tuple_(_STEPS.c.created_at, _STEPS.c.id)
    conditions = [_STEPS.c.department == department, steps_in(sight), *wanted.conditions()]
    if cursor is not None:
        created_at, step = _read_cursor(cursor)
        conditions.append(place < tuple_(literal(created_at, UtcDateTime()), literal(step)))
    query = (
        select(_STEPS)
        .where(and_(*conditions))
        .order_by(_STEPS.c.created_at.desc(), _STEPS.c.id.desc())
        .limit(limit + 1)
    )
    async with house.database.read() as connection:
        rows = (await connection.execute(query)).all()
        page = rows[:limit]
        tries = await _tries(connection, [row.id for row in page])
    items = tuple(_message(row, tries.get(row.id, ())[-1:]) for row in page)
    return MessagePage(items, _write_cursor(page[-1]) if len(rows) > limit else None)


async def show_message(house: House, department: str, step: str, sight: Sight = WHOLE_CITY) -> SentMessage:
    """One message to ``department`` with every try; NotFoundError if it was sent no such one in ``sight``."""
    async with house.database.read() as connection:
        query = select(_STEPS).where(and_(_STEPS.c.id == step, _STEPS.c.department == department, steps_in(sight)))
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError("this department was sent no such message", place="message")
        tries = await _tries(connection, [step])
    return _message(row, tries.get(step, ()))


async def _tries(connection: AsyncConnection, steps: Sequence[str]) -> dict[str, tuple[Try, ...]]:
    columns = [_ATTEMPTS.c.step_id, *(_ATTEMPTS.c[name] for name in Try.__slots__)]
    query = (
        select(*columns)
        .where(among(connection, _ATTEMPTS.c.step_id, steps))
        .order_by(_ATTEMPTS.c.step_id, _ATTEMPTS.c.number)
    )
    tries: dict[str, tuple[Try, ...]] = {}
    for step, *rest in await connection.execute(query):
        tries[step] = (*tries.get(step, ()), Try(*rest))
    return tries


def _message(row: Row[Any], tries: tuple[Try, ...]) -> SentMessage:
    content = row.content
    return SentMessage(
        row.id,
        KINDS[row.kind].type,
        row.case_number,
        Named.of(row.kind.value, KIND_WORDS[row.kind]),
        Named.of(row.state.value, STEP_WORDS[row.state]),
        row.reason,
        row.created_at,
        row.answer_by,
        row.next_attempt_at,
        row.received_at,
        row.settled_at,
        row.attempts,
        tuple(content.get("facts", ())) or tuple(one["service"] for one in content.get("open", ())),
        tuple(one["service"] for one in content.get("withdraw", ())),
        tries,
    )


def _write_cursor(row: Row[Any]) -> str:
    text = f"{row.created_at.astimezone(UTC).isoformat()} {row.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        at, _, step = text.partition(" ")
        created_at: datetime | None = datetime.fromisoformat(at)
    except ValueError:
        created_at, step = None, ""
    if created_at is None or created_at.tzinfo is None or not step or "\0" in step:
        raise InputError("is no cursor of this list; begin again without one", place="cursor")
    return created_at, step
