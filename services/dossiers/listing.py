"""Lists of cases, by receipt or by deadline, in keyset pages: the hundredth page costs what the first does.

Every list passes through ``sight``; none is counted, so no count can tell of rows that are not shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Date, Row, and_, exists, literal, not_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, CaseState, Permit, Step, StepState
from models.base import UtcDateTime
from models.states import OPEN_CASES, OPEN_STEPS, RUNNING_CASES
from services.access import Caller, Sight
from services.access.purposes import Purpose
from services.casework.sight import cases_in, steps_in
from services.clock import day_bounds
from services.database import among, table
from services.dossiers.persons import MaskedPerson, masked
from services.house import House
from services.lexicon import Lexicon, Named
from services.words import CASE_WORDS

_CASES, _PERMITS, _STEPS = table(Case), table(Permit), table(Step)
MAX_PAGE = 200
MAX_FOUND = 50
_UNFINISHED = (*OPEN_STEPS, StepState.FAILED)


# The promised time runs: it does not stand still, and nothing is decided. `ix_cases_promised_by_number` is over these.
_RUNNING = and_(_CASES.c.promised_by.is_not(None), _CASES.c.decided_at.is_(None), _CASES.c.state.in_(RUNNING_CASES))


class Order(StrEnum):
    """In which order cases are listed. By deadline, those whose promised time does not run follow the others, the
    newest first.
    """

    NEWEST = "-received"
    OLDEST = "received"
    NEAREST = "deadline"
    FARTHEST = "-deadline"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the list: after the case ``number``, received at ``received_at``. In a list by deadline ``due_on`` is
    its own, or None where the list is past those that have one.
    """

    received_at: datetime
    number: str
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What to list; None does not filter. ``department`` has an unfinished step in the case; ``term`` is what was
    asked for, in years; ``received_from`` and ``received_to`` are days of receipt, ``closed_from`` and ``closed_to``
    days on which a case was closed, all included. ``late``: an unfinished step is past its day (that department's,
    where one is named); ``failed``: one could not be sent, likewise. ``under_way``: not over;
    ``aside``: no flow takes it up any more.
    """

    state: CaseState | None = None
    district: str | None = None
    department: str | None = None
    term: int | None = None
    received_from: date | None = None
    received_to: date | None = None
    number_prefix: str | None = None
    closed_from: date | None = None
    closed_to: date | None = None
    late: bool = False
    failed: bool = False
    under_way: bool = False
    aside: bool = False


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of a list. ``waiting_for`` are the departments in sight with an unfinished step; ``due_on`` is the last
    day of the promised time, while it runs.
    """

    number: str
    state: Named
    district: Named
    station: str
    person: MaskedPerson
    received_on: date
    received_at: datetime
    due_on: date | None
    term_asked: int
    term_issued: int | None
    valid_until: date | None
    closed_at: datetime | None
    set_aside: str | None
    waiting_for: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class CasePage:
    """Rows, and where the next page begins; None at the end."""

    items: tuple[CaseRow, ...]
    next: Position | None


async def list_cases(
    house: House,
    sight: Sight,
    wanted: CaseFilter,
    *,
    after: Position | None = None,
    limit: int = 50,
    order: Order = Order.NEWEST,
) -> CasePage:
    """One page of the cases in ``sight`` that fit ``wanted``, in ``order``."""
    conditions = _conditions(sight, wanted, house.database.clock.today())
    found: list[Row[Any]] = []
    async with house.database.read() as connection:
        for stretch in _stretches(order, after):
            if len(found) <= limit:
                found += await _read(connection, stretch, conditions, limit + 1 - len(found))
        rows = await _shown(house, connection, sight, found[:limit])
    if len(found) <= limit:
        return CasePage(rows, None)
    last = rows[-1]
    by_deadline = order in (Order.NEAREST, Order.FARTHEST)
    return CasePage(rows, Position(last.received_at, last.number, last.due_on if by_deadline else None))


async def find_person(
    house: House,
    caller: Caller,
    *,
    name: str | None = None,
    id_number: str | None = None,
    purpose: Purpose = Purpose.HANDLING,
) -> tuple[tuple[CaseRow, ...], bool]:
    """The newest cases of a person, by name or by ID number, in the caller's sight; and whether there are more.

    Who looked, and what for, is kept in the audit log; who was looked for is not.
    """
    by: list[ColumnElement[bool]] = [cases_in(caller.sight)]
    if id_number is not None:
        by.append(_CASES.c.person_key == house.keys.lookup_hash("person", id_number))
    if name is not None:
        by.append(_CASES.c.name_key == house.keys.lookup_hash("name", name))
    async with house.database.write(caller.actor) as transaction:
        (newest,) = _stretches(Order.NEWEST, None)
        found = await _read(transaction.connection, newest, by, MAX_FOUND + 1)
        rows = await _shown(house, transaction.connection, caller.sight, found[:MAX_FOUND])
        given = [what for what, value in (("name", name), ("id_number", id_number)) if value is not None]
        transaction.note("person.searched", "system", by=given, found=len(rows), purpose=purpose.value)
    return rows, len(found) > MAX_FOUND


def _conditions(sight: Sight, wanted: CaseFilter, today: date) -> list[ColumnElement[bool]]:
    """The filters that were set, within what the reader sees."""
    found = [cases_in(sight)]
    given: Sequence[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = (
        (wanted.state, lambda state: _CASES.c.state == state),
        (wanted.district, lambda district: _CASES.c.district == district),
        (wanted.term, lambda term: _CASES.c.term_asked == term),
        (wanted.received_from, lambda day: _CASES.c.received_on >= day),
        (wanted.received_to, lambda day: _CASES.c.received_on <= day),
        (wanted.closed_from, lambda day: _CASES.c.closed_at >= day_bounds(day)[0]),
        (wanted.closed_to, lambda day: _CASES.c.closed_at < day_bounds(day)[1]),
        (wanted.number_prefix, lambda prefix: _CASES.c.number.startswith(prefix, autoescape=True)),
        (wanted.under_way or None, lambda _: _CASES.c.state.in_(OPEN_CASES)),
        (wanted.aside or None, lambda _: _CASES.c.set_aside.is_not(None)),
    )
    found += [condition(value) for value, condition in given if value is not None]
    if wanted.department is not None or wanted.late or wanted.failed:
        # Through the reader's own sight: what another department has to do is not for an officer to find out.
        mine = [_STEPS.c.state.in_(_UNFINISHED), steps_in(sight)]
        if wanted.department is not None:
            mine.append(_STEPS.c.department == wanted.department)
        if wanted.late:
            mine.append(_STEPS.c.answer_by < today)
        if wanted.failed:
            mine.append(_STEPS.c.state == StepState.FAILED)
        found.append(exists(select(_STEPS.c.id).where(_STEPS.c.case_number == _CASES.c.number, *mine)))
    return found


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of a list that one index holds in order, from the place reached on."""

    conditions: Sequence[ColumnElement[bool]]
    by: Sequence[ColumnElement[Any]]


def _stretches(order: Order, after: Position | None) -> Sequence[_Stretch]:
    """The stretches of a list that are still to come after the place ``after``."""
    received, number, promised = _CASES.c.received_at, _CASES.c.number, _CASES.c.promised_by
    if order in (Order.NEWEST, Order.OLDEST):
        place = None if after is None else (literal(after.received_at, UtcDateTime), literal(after.number))
        return (_stretch((received, number), place, down=order is Order.NEWEST),)
    down = order is Order.FARTHEST
    if after is None:
        return _stretch((promised, number), None, _RUNNING, down=down), _rest(None)
    if after.due_on is None:
        return (_rest(after),)
    place = (literal(after.due_on, Date), literal(after.number))
    return _stretch((promised, number), place, _RUNNING, down=down), _rest(None)


def _rest(after: Position | None) -> _Stretch:
    """The cases whose promised time does not run, the newest first."""
    place = None if after is None else (literal(after.received_at, UtcDateTime), literal(after.number))
    return _stretch((_CASES.c.received_at, _CASES.c.number), place, not_(_RUNNING), down=True)


def _stretch(
    columns: Sequence[ColumnElement[Any]],
    place: Sequence[ColumnElement[Any]] | None,
    *conditions: ColumnElement[bool],
    down: bool,
) -> _Stretch:
    by = [column.desc() if down else column for column in columns]
    if place is None:
        return _Stretch(conditions, by)
    here, there = tuple_(*columns), tuple_(*place)
    return _Stretch((*conditions, here < there if down else here > there), by)


async def _read(
    connection: AsyncConnection, stretch: _Stretch, conditions: Sequence[ColumnElement[bool]], limit: int
) -> Sequence[Row[Any]]:
    query = (
        select(_CASES, _PERMITS.c.term_years, _PERMITS.c.valid_until)
        .outerjoin(_PERMITS, _PERMITS.c.case_number == _CASES.c.number)
        .where(and_(*conditions, *stretch.conditions))
        .order_by(*stretch.by)
        .limit(limit)
    )
    return (await connection.execute(query)).all()


async def _shown(
    house: House, connection: AsyncConnection, sight: Sight, rows: Sequence[Row[Any]]
) -> tuple[CaseRow, ...]:
    waiting = await _waiting(connection, sight, [row.number for row in rows])
    return tuple(_row(house, row, waiting[row.number]) for row in rows)


async def _waiting(connection: AsyncConnection, sight: Sight, numbers: Sequence[str]) -> dict[str, list[str]]:
    query = (
        select(_STEPS.c.case_number, _STEPS.c.department)
        .where(among(connection, _STEPS.c.case_number, numbers), _STEPS.c.state.in_(_UNFINISHED), steps_in(sight))
        .distinct()
        .order_by(_STEPS.c.case_number, _STEPS.c.department)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for row in await connection.execute(query):
        found[row.case_number].append(row.department)
    return found


def _row(house: House, row: Row[Any], waiting: Sequence[str]) -> CaseRow:
    today = house.database.clock.today()
    words = Lexicon(house.packs, house.packs.on(row.pack, today) if row.pack is not None else None)
    return CaseRow(
        number=row.number,
        state=Named.of(row.state.value, CASE_WORDS[row.state.value]),
        district=words.district(row.district),
        station=row.station,
        person=masked(house.caseworker.applications.open(row.number, row.sealed)),
        received_on=row.received_on,
        received_at=row.received_at,
        due_on=row.promised_by if row.decided_at is None and row.state in RUNNING_CASES else None,
        term_asked=row.term_asked,
        term_issued=row.term_years,
        valid_until=row.valid_until,
        closed_at=row.closed_at,
        set_aside=row.set_aside,
        waiting_for=tuple(words.department(code, today) for code in waiting),
    )
