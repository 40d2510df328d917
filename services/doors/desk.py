"""A department's desk: what is asked of it by deadline, one step opened with the person's minimum data, and answered.

The desk is the inbox one by one. What an officer answers here is judged as a row of the sheet is, and kept as evidence
as a call-back is. A department that is pushed to may answer here as well, what it has received.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, and_, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Door, Step, StepKind, StepState
from services.access import Caller
from services.access.purposes import Purpose
from services.casework.answers import Inbound, Taken, take_outcomes
from services.database import is_postgresql, table
from services.doors import sheet_form as form
from services.doors.inbox import asked_of
from services.doors.offering import endpoint_row, offers, still_right
from services.doors.sheet_answers import RowProblem, SheetRow, weigh_rows
from services.doors.taking import take
from services.errors import ConflictError, InputError, NotFoundError
from services.exchange.reasons import REASONS
from services.house import House
from services.ledger.handing import Offered
from services.lexicon import Lexicon, Named
from services.policy.text import Text
from services.words import FIELD_WORDS, KIND_WORDS, STEP_WORDS

_STEPS = table(Step)
MAX_PAGE = 200
_ON_THE_DESK = (StepState.DUE, StepState.SENDING, StepState.RECEIVED, StepState.HELD, StepState.FAILED)
# Sorts after every deadline there is.
_NEVER = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class DeskStep:
    """One step on the desk. ``open_here``: it can be opened and answered here; else a push of it is under way or held.
    ``asks`` are facts or services by name."""

    id: str
    case_number: str
    kind: Named
    state: Named
    asks: tuple[Named, ...]
    withdraws: tuple[Named, ...]
    created_at: datetime
    answer_by: date | None
    open_here: bool
    taken: bool


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """How much lies on the desk: in all, not taken yet, due today, past its day."""

    steps: int
    untaken: int
    due_today: int
    overdue: int


@dataclass(frozen=True, slots=True)
class DeskPage:
    """Steps by deadline, the closest first; ``next`` is the cursor of the next page, None at the end."""

    items: tuple[DeskStep, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class AskedItem:
    """One thing to answer: its code and kind (``sheet_form.ASKED``), and what may be answered, as the sheet says it.

    ``reasons``: why it may be declined, by code; none where it cannot be. ``days``: from and until when, where told.
    """

    code: str
    kind: str
    asks: Text
    title: Text
    answers: tuple[str, ...]
    reasons: tuple[Named, ...]
    days: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """One step opened: what it is for and on which clause, the person's fields that it may bear, and what to answer."""

    step: DeskStep
    purpose: Text
    clauses: tuple[Named, ...]
    person: tuple[tuple[Text, str], ...]
    items: tuple[AskedItem, ...]


async def count_desk(house: House, department: str) -> DeskCounts:
    """What lies on the desk of ``department``, in figures."""
    today = house.database.clock.today()
    late, due = _STEPS.c.answer_by < today, _STEPS.c.answer_by == today
    query = select(
        func.count(),
        *(func.count(case((this, 1))) for this in (_STEPS.c.state != StepState.RECEIVED, due, late)),
    ).where(_STEPS.c.department == department, _STEPS.c.state.in_(_ON_THE_DESK))
    async with house.database.read() as connection:
        return DeskCounts(*(await connection.execute(query)).one())


async def list_desk(
    house: House, department: str, *, kind: StepKind | None = None, cursor: str | None = None, limit: int = 50
) -> DeskPage:
    """One page of what lies on the desk of ``department``."""
    by = func.coalesce(_STEPS.c.answer_by, literal(_NEVER))
    wanted: list[ColumnElement[bool]] = [_STEPS.c.department == department, _STEPS.c.state.in_(_ON_THE_DESK)]
    if kind is not None:
        wanted.append(_STEPS.c.kind == kind)
    if cursor is not None:
        day, step = _read_cursor(cursor)
        wanted.append(or_(by > day, and_(by == day, _STEPS.c.id > step)))
    query = select(_STEPS).where(and_(*wanted)).order_by(by, _STEPS.c.id).limit(limit + 1)
    async with house.database.read() as connection:
        rows = (await connection.execute(query)).all()
        offered = offers(await endpoint_row(connection, department), Door.INBOX, house.database.clock.moment())
    page = rows[:limit]
    items = tuple(_desk_step(house, row, open_here=_is_ours(row) or offered(row)) for row in page)
    return DeskPage(items, _write_cursor(page[-1]) if len(rows) > limit else None)


async def open_step(house: House, caller: Caller, department: str, step: str) -> Opened:
    """Open one step: with this it is received, if it was not. That it was opened, and by whom, is logged.

    NotFoundError if it is not the department's, ConflictError if a push of it is under way or it is settled.
    """
    async with house.database.write(caller.actor) as transaction:
        connection = transaction.connection
        row = await _row(connection, department, step, lock=True)
        endpoint = await endpoint_row(connection, department)
        one = Offered(*(getattr(row, name) for name in Offered.__slots__))
        if _is_ours(row):
            messages = await take(house, transaction, endpoint, [one], [])
        else:
            if not offers(endpoint, Door.INBOX, house.database.clock.moment())(row):
                raise ConflictError(f"is {row.state.value} and cannot be opened here", place=step)
            # What is right no longer is superseded in this very transaction, which must therefore not fail.
            messages = await take(house, transaction, endpoint, [], await still_right(house, transaction, [one]))
        if messages:
            transaction.note("work.opened", department, steps=[step], purpose=Purpose.HANDLING.value)
    if not messages:
        raise ConflictError("things have changed and it is not asked any more; look at the list again", place=step)
    async with house.database.read() as connection:
        row = await _row(connection, department, step)
    return _opened(house, row, json.loads(messages[0].body)["data"])


async def answer_step(
    house: House, caller: Caller, department: str, step: str, answers: Mapping[str, Mapping[str, str]]
) -> tuple[Taken | None, Sequence[RowProblem]]:
    """Let what the officer says of one step take effect, or nothing of it and what is wrong, by the place of the item.

    ``answers``: cells of the sheet (``sheet_form``) by the code of the item; an item without a result is not answered
    yet. InputError if none is. NotFoundError as of ``open_step``.
    """
    async with house.database.read() as connection:
        row = await _row(connection, department, step)
    if not _is_ours(row) and row.state not in (StepState.DONE, StepState.DECLINED):
        raise ConflictError(f"is {row.state.value}; open it first", place=step)
    rows = [
        SheetRow(place, step, code, dict(cells))
        for place, (code, cells) in enumerate(answers.items())
        if cells.get(form.RESULT)
    ]
    if not rows:
        raise InputError("nothing is answered; give a result for one item at least", place=step)
    outcomes, problems = weigh_rows(rows, await asked_of(house, department, {step}))
    if problems:
        return None, problems
    said = orjson.dumps({"step": step, "answers": answers}, option=orjson.OPT_SORT_KEYS)
    message_id = f"desk-{hashlib.sha256(said).hexdigest()[:40]}"
    return await take_outcomes(house, department, outcomes, Inbound(message_id, {}, said), caller.actor), ()


def _is_ours(row: Row[Any]) -> bool:
    """Whether the department has the step and may answer it."""
    return row.state is StepState.RECEIVED


async def _row(connection: AsyncConnection, department: str, step: str, *, lock: bool = False) -> Row[Any]:
    query = select(_STEPS).where(_STEPS.c.id == step, _STEPS.c.department == department)
    if lock and is_postgresql(connection):
        query = query.with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError("this department was asked no such step", place="step")
    return row


def _desk_step(house: House, row: Row[Any], *, open_here: bool) -> DeskStep:
    words = Lexicon(house.packs, house.caseworker.pack(row.pack))
    content = row.content
    asked = [words.fact(one) for one in content.get("facts", ())]
    asked += [words.service(one["service"]) for one in content.get("open", ())]
    return DeskStep(
        id=row.id,
        case_number=row.case_number,
        kind=Named.of(row.kind.value, KIND_WORDS[row.kind.value]),
        state=Named.of(row.state.value, STEP_WORDS[row.state.value]),
        asks=tuple(asked),
        withdraws=tuple(words.service(one["service"]) for one in content.get("withdraw", ())),
        created_at=row.created_at,
        answer_by=row.answer_by,
        open_here=open_here,
        taken=_is_ours(row),
    )


def _opened(house: House, row: Row[Any], data: Mapping[str, Any]) -> Opened:
    step = _desk_step(house, row, open_here=True)
    words = Lexicon(house.packs, house.caseworker.pack(row.pack))
    person = tuple((FIELD_WORDS.get(name, Text(name, name)), _plain(value)) for name, value in data["person"].items())
    purpose = data["purpose"]
    clauses = dict.fromkeys(data.get("clauses", ()))
    return Opened(
        step, Text(purpose["zh"], purpose["en"]), tuple(map(words.clause, clauses)), person, _items(words, data)
    )


def _items(words: Lexicon, data: Mapping[str, Any]) -> tuple[AskedItem, ...]:
    items = [_item(form.FACT, fact, words.fact(fact)) for fact in data.get("facts", ())]
    items += [
        _item(form.OPEN, one["service"], words.service(one["service"]), one["from"], one["until"])
        for one in data.get("open", ())
    ]
    items += [
        _item(form.WITHDRAW, one["service"], words.service(one["service"]), one["last_day"])
        for one in data.get("withdraw", ())
    ]
    if not items:
        permit = data["permit"]
        title = Named("permit", "登记居住证信息", "take note of the permit")
        items = [_item(form.NOTICE, "permit", title, permit["valid_from"], permit["valid_until"])]
    return tuple(items)


def _item(kind: str, code: str, title: Named, *days: str) -> AskedItem:
    ask = form.ASKED[kind]
    concern = "facts" if kind == form.FACT else "services"
    declinable = form.DECLINED in ask.answers.values()
    reasons = [Named(its.code, its.zh, its.en) for its in REASONS.values() if declinable and concern in its.concerns]
    return AskedItem(code, kind, ask.words, Text(title.zh, title.en), tuple(ask.answers), tuple(reasons), days)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "；".join("，".join(str(part) for part in one.values()) for one in value)
    return str(value)


def _write_cursor(row: Row[Any]) -> str:
    text = f"{row.answer_by or _NEVER} {row.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[date, str]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        day, _, step = text.partition(" ")
        return date.fromisoformat(day), step
    except ValueError:
        raise InputError("is no cursor of this list; begin again without one", place="cursor") from None
