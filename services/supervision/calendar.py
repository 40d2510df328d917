"""The calendar of working days (工作日历): days set otherwise than published, and deadlines in flight that follow.

A change is looked at first: which deadlines move, from what day to what day. Making it moves them, on record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from models import CalendarDay
from services.database import Transaction, is_postgresql, table
from services.errors import InputError
from services.house import House
from services.supervision.running import Moved, case_clocks, moved, note_moved, step_clocks, write_clocks
from services.supervision.terms import Terms, load_terms
from services.workdays import Workdays, is_workday

_DAYS = table(CalendarDay)
MAX_DAYS = 366
_NOTE = 120


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """What a change of the calendar does to deadlines in flight. ``days``: True where offices open."""

    days: Mapping[date, bool]
    moved: tuple[Moved, ...]

    @property
    def cases(self) -> int:
        """How many cases have a deadline that moves."""
        return len({one.case_number for one in self.moved})

    @property
    def by_clock(self) -> dict[str, int]:
        """How many deadlines move, by clock."""
        return dict(sorted(Counter(one.clock for one in self.moved).items()))


@dataclass(frozen=True, slots=True)
class SetDay:
    """A day as it was set; ``published``: whether offices are open by the published calendar."""

    on: date
    working: bool
    published: bool
    note: str | None
    set_by: str


async def preview_calendar(house: House, days: Mapping[date, bool]) -> CalendarChange:
    """What setting ``days`` would do. Nothing is changed."""
    _check(days)
    async with house.database.read() as connection:
        terms = await load_terms(connection, house.database.clock)
        return CalendarChange(days, await _moves(house, connection, _with(terms, days)))


async def set_calendar(house: House, actor: str, days: Mapping[date, bool], note: str | None = None) -> CalendarChange:
    """Set ``days`` open or shut, and move every deadline in flight that this touches.

    A day set as it is published is taken out of the list again. InputError for none, too many, or too long a note.
    """
    _check(days)
    if note is not None and len(note) > _NOTE:
        raise InputError(f"may have {_NOTE} characters at most", place="note")
    clock = house.database.clock
    async with house.database.write(actor) as transaction:
        connection = transaction.connection
        terms = _with(await load_terms(connection, clock), days)
        await _write(transaction, days, note)
        steps = await step_clocks(connection, house, terms, lock=True)
        cases = await case_clocks(connection, house, terms, transaction.at)
        await write_clocks(transaction, steps, cases)
        change = CalendarChange(days, tuple(moved(steps, cases)))
        note_moved(transaction, change.moved, "calendar-changed")
        told = {day.isoformat(): working for day, working in sorted(days.items())}
        transaction.note("calendar.changed", "system", days=told, why=note, cases=change.cases, moved=len(change.moved))
    return change


async def list_calendar(house: House) -> tuple[SetDay, ...]:
    """The days that are set otherwise than published, in order."""
    async with house.database.read() as connection:
        rows = (await connection.execute(select(_DAYS).order_by(_DAYS.c.on))).all()
    return tuple(SetDay(row.on, row.working, is_workday(row.on), row.note, row.set_by) for row in rows)


async def _moves(house: House, connection: AsyncConnection, terms: Terms) -> tuple[Moved, ...]:
    steps = await step_clocks(connection, house, terms)
    cases = await case_clocks(connection, house, terms, house.database.clock.moment())
    return tuple(moved(steps, cases))


def _check(days: Mapping[date, bool]) -> None:
    if not 1 <= len(days) <= MAX_DAYS:
        raise InputError(f"give 1 to {MAX_DAYS} days", place="days")


def _with(terms: Terms, days: Mapping[date, bool]) -> Terms:
    return replace(terms, calendar=Workdays({**terms.calendar.changed, **days}))


async def _write(transaction: Transaction, days: Mapping[date, bool], note: str | None) -> None:
    as_published = [day for day, working in days.items() if working is is_workday(day)]
    await transaction.connection.execute(_DAYS.delete().where(_DAYS.c.on.in_(as_published)))
    rows = [
        {"on": day, "working": working, "note": note, "set_by": transaction.actor, "set_at": transaction.at}
        for day, working in days.items()
        if working is not is_workday(day)
    ]
    if rows:
        dialect = postgresql if is_postgresql(transaction.connection) else sqlite
        statement = dialect.insert(_DAYS).values(rows)
        changed = {name: statement.excluded[name] for name in ("working", "note", "set_by", "set_at")}
        await transaction.connection.execute(statement.on_conflict_do_update(index_elements=["on"], set_=changed))
