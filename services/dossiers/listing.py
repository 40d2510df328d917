"""Lists of cases, newest first, by keyset pages: the hundredth page costs what the first does.

Every list passes through ``sight``; none is counted, so no count can tell of rows that are not shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, CaseState, Permit, Step, StepState
from models.base import UtcDateTime
from models.states import OPEN_CASES, OPEN_STEPS
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


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the list: after the case ``number``, received at ``received_at``."""

    received_at: datetime
    number: str


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What to list; None does not filter. ``department`` has an unfinished step in the case; ``term`` is what was
    asked for, in years; ``received_from`` and ``received_to`` are days of receipt, ``closed_from`` and ``closed_to``
    days on which a case was closed, all included. ``late``: an unfinished step is past its day (that department's,
    where one is named). ``under_way``: not over; ``aside``: no flow takes it up any more.
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
    under_way: bool = False
    aside: bool = False


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of a list. ``waiting_for`` are the departments in sight with an unfinished step."""

    number: str
    state: Named
    district: Named
    station: str
    person: MaskedPerson
    received_on: date
    received_at: datetime
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
    oldest_first: bool = False,
) -> CasePage:
    """One page of the cases in ``sight`` that fit ``wanted``, by time of receipt, the newest first unless told."""
    conditions = _conditions(sight, wanted, house.database.clock.today())
    if after is not None:
        place = tuple_(literal(after.received_at, UtcDateTime), literal(after.number))
        here = tuple_(_CASES.c.received_at, _CASES.c.number)
        conditions.append(here > place if oldest_first else here < place)
    async with house.database.read() as connection:
        rows, more = await _page(house, connection, sight, conditions, limit, oldest_first=oldest_first)
    last = rows[-1] if more else None
    return CasePage(rows, Position(last.received_at, last.number) if last is not None else None)


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
        rows, more = await _page(house, transaction.connection, caller.sight, by, MAX_FOUND)
        given = [what for what, value in (("name", name), ("id_number", id_number)) if value is not None]
        transaction.note("person.searched", "system", by=given, found=len(rows), purpose=purpose.value)
    return rows, more


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
    if wanted.department is not None or wanted.late:
        # Through the reader's own sight: what another department has to do is not for an officer to find out.
        mine = [_STEPS.c.state.in_(_UNFINISHED), steps_in(sight)]
        if wanted.department is not None:
            mine.append(_STEPS.c.department == wanted.department)
        if wanted.late:
            mine.append(_STEPS.c.answer_by < today)
        found.append(exists(select(_STEPS.c.id).where(_STEPS.c.case_number == _CASES.c.number, *mine)))
    return found


async def _page(
    house: House,
    connection: AsyncConnection,
    sight: Sight,
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
    *,
    oldest_first: bool = False,
) -> tuple[tuple[CaseRow, ...], bool]:
    order = (_CASES.c.received_at, _CASES.c.number)
    query = (
        select(_CASES, _PERMITS.c.term_years, _PERMITS.c.valid_until)
        .outerjoin(_PERMITS, _PERMITS.c.case_number == _CASES.c.number)
        .where(and_(*conditions))
        .order_by(*(order if oldest_first else (column.desc() for column in order)))
        .limit(limit + 1)
    )
    rows = (await connection.execute(query)).all()
    shown = rows[:limit]
    waiting = await _waiting(connection, sight, [row.number for row in shown])
    return tuple(_row(house, row, waiting[row.number]) for row in shown), len(rows) > limit


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
        term_asked=row.term_asked,
        term_issued=row.term_years,
        valid_until=row.valid_until,
        closed_at=row.closed_at,
        set_aside=row.set_aside,
        waiting_for=tuple(words.department(code, today) for code in waiting),
    )
