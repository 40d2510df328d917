"""The agenda composes itself: meetings planned by the rule, matters ranked, and papers fixed when it is called.

Matters are ranked by people affected and time left: people divided by one more than the working days to the first
deadline, which counts as none once it is missed. What came back because it was not done stands first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, func, select, update

from models import AgendaItem, AgendaState, Matter, MatterState, Meeting, MeetingState
from services.access import Caller
from services.database import Transaction, is_postgresql, table
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from services.meetings.causes import live_causes
from services.meetings.matters import ACTOR
from services.meetings.members import members_on
from services.meetings.office import office
from services.meetings.papers import write_paper
from services.meetings.rules import Rule, rule_on

_MATTERS, _AGENDA, _MEETINGS = table(Matter), table(AgendaItem), table(Meeting)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What preparing came to: the next meeting, whether it was called this time, and how many matters are on it."""

    meeting: int
    held_on: date
    called: bool
    matters: int


def weight(rule: Rule, people: int, due_on: date | None, today: date) -> float:
    """How pressing a matter is (see above); without a deadline it has twenty working days left."""
    left = rule.workdays_between(today, due_on) if due_on is not None else 20
    return people / (1 + left)


async def prepare_agenda(house: House) -> Prepared:
    """Plan the next meeting if there is none, compose its agenda, and call it when its day to be called has come."""
    today = house.database.clock.today()
    async with house.database.write(ACTOR) as transaction:
        rule = await rule_on(transaction.connection, today)
        meeting = await _next_meeting(transaction, rule, today)
        number = int(meeting.id)
        if meeting.state is MeetingState.PLANNED:
            matters = await _compose(transaction, meeting, rule, today)
            if today >= rule.workdays_before(meeting.held_on, rule.papers_days):
                await _call(house, transaction, meeting, rule)
                return Prepared(number, meeting.held_on, called=True, matters=len(matters))
            return Prepared(number, meeting.held_on, called=False, matters=len(matters))
        listed = select(func.count()).where(_AGENDA.c.meeting_id == number, _AGENDA.c.state != AgendaState.OFF)
        count = (await transaction.connection.execute(listed)).scalar_one()
        return Prepared(number, meeting.held_on, called=False, matters=int(count))


async def call_meeting(house: House, caller: Caller, meeting: int) -> None:
    """Call a planned meeting before its day to be called: compose it once more, and fix members and papers."""
    async with office(house, caller) as transaction:
        row = await lock_meeting(transaction, meeting)
        if row.state is not MeetingState.PLANNED:
            raise ConflictError("was called already", place="meeting")
        today = house.database.clock.today()
        rule = await rule_on(transaction.connection, today)
        await _compose(transaction, row, rule, today)
        await _call(house, transaction, row, rule)


async def convene(house: House, caller: Caller, day: date) -> int:
    """Plan a meeting beside the regular ones (临时会议) on ``day``; its number."""
    today = house.database.clock.today()
    if day < today:
        raise InputError("must be today or later", place="held_on")
    async with office(house, caller) as transaction:
        rule = await rule_on(transaction.connection, day)
        if not rule.calendar.is_workday(day):
            raise InputError("is a day off by the official calendar", place="held_on")
        taken = select(_MEETINGS.c.id).where(_MEETINGS.c.held_on == day)
        if (await transaction.connection.execute(taken)).first() is not None:
            raise ConflictError("there is a meeting on that day already", place="held_on")
        row = await _plan(transaction, rule, day, regular=False)
        await _compose(transaction, row, rule, today)
        return int(row.id)


async def lock_meeting(transaction: Transaction, meeting: int) -> Row[Any]:
    """The meeting's row, nobody else's until the transaction ends; NotFoundError if there is none."""
    query = select(_MEETINGS).where(_MEETINGS.c.id == meeting)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such meeting", place="meeting")
    return row


async def _next_meeting(transaction: Transaction, rule: Rule, today: date) -> Row[Any]:
    """The first meeting that was not called yet; planned now if there is none, or if the rule has another day for it
    by now.
    """
    connection = transaction.connection
    query = select(_MEETINGS).where(_MEETINGS.c.state == MeetingState.PLANNED).order_by(_MEETINGS.c.held_on)
    if is_postgresql(connection):
        query = query.with_for_update()
    planned = (await connection.execute(query)).all()
    held = select(func.max(_MEETINGS.c.held_on)).where(_MEETINGS.c.regular, _MEETINGS.c.state != MeetingState.PLANNED)
    last = (await connection.execute(held)).scalar_one_or_none()
    day = rule.next_day(max(today, last + _DAY) if last is not None else today)
    for row in planned:
        if row.held_on == day or (not row.regular and row.held_on >= today):
            return row
        await _drop(transaction, row)
    return await _plan(transaction, rule, day, regular=True)


async def _drop(transaction: Transaction, meeting: Row[Any]) -> None:
    """A meeting that nobody was called to goes, and leaves its number."""
    connection = transaction.connection
    await connection.execute(_AGENDA.delete().where(_AGENDA.c.meeting_id == meeting.id))
    await connection.execute(_MEETINGS.delete().where(_MEETINGS.c.id == meeting.id))
    transaction.note("meeting.dropped", "system", meeting=meeting.id, on=meeting.held_on.isoformat())


async def _plan(transaction: Transaction, rule: Rule, day: date, *, regular: bool) -> Row[Any]:
    before = select(func.coalesce(func.max(_MEETINGS.c.ordinal), 0)).where(_MEETINGS.c.year == day.year)
    ordinal = int((await transaction.connection.execute(before)).scalar_one()) + 1
    row = {
        "year": day.year,
        "ordinal": ordinal,
        "held_on": day,
        "begins": rule.begins,
        "place": rule.place,
        "regular": regular,
        "state": MeetingState.PLANNED,
        "members": [],
    }
    made = await transaction.connection.execute(_MEETINGS.insert().values(row).returning(_MEETINGS))
    meeting = made.one()
    transaction.note("meeting.planned", "system", meeting=meeting.id, on=day.isoformat(), regular=regular)
    return meeting


async def _compose(transaction: Transaction, meeting: Row[Any], rule: Rule, today: date) -> Sequence[Row[Any]]:
    """Put the most pressing of the open matters on the agenda, in their order; what does not fit waits for the next."""
    connection = transaction.connection
    elsewhere = (
        select(_AGENDA.c.matter_id)
        .join(_MEETINGS, _MEETINGS.c.id == _AGENDA.c.meeting_id)
        .where(
            _MEETINGS.c.state != MeetingState.CLOSED,
            _MEETINGS.c.id != meeting.id,
            _AGENDA.c.state.in_((AgendaState.LISTED, AgendaState.DISCUSSED)),
        )
    )
    query = select(_MATTERS).where(_MATTERS.c.state == MatterState.OPEN, _MATTERS.c.id.not_in(elsewhere))
    matters = sorted((await connection.execute(query)).all(), key=lambda row: _rank(rule, row, today))[
        : rule.agenda_limit
    ]
    standing = select(_AGENDA.c.matter_id).where(_AGENDA.c.meeting_id == meeting.id).order_by(_AGENDA.c.position)
    if list((await connection.execute(standing)).scalars()) != [row.id for row in matters]:
        await connection.execute(_AGENDA.delete().where(_AGENDA.c.meeting_id == meeting.id))
        items = [
            {"meeting_id": meeting.id, "matter_id": row.id, "position": place, "state": AgendaState.LISTED}
            for place, row in enumerate(matters, start=1)
        ]
        await transaction.insert(AgendaItem, items)
    return matters


def _rank(rule: Rule, row: Row[Any], today: date) -> tuple[Any, ...]:
    return (not row.returns, -weight(rule, row.people, row.due_on, today), row.id)


async def _call(house: House, transaction: Transaction, meeting: Row[Any], rule: Rule) -> None:
    """Fix who is asked to come, by the names of the day, and what they are sent."""
    connection = transaction.connection
    causes = await live_causes(house, connection, rule)
    by_key = {cause.key: extent for cause, extent in causes.items()}
    query = (
        select(_MATTERS)
        .join(_AGENDA, _AGENDA.c.matter_id == _MATTERS.c.id)
        .where(_AGENDA.c.meeting_id == meeting.id)
        .order_by(_AGENDA.c.position)
    )
    for matter in (await connection.execute(query)).all():
        paper = await write_paper(house, connection, matter, by_key.get(matter.open_key or ""), meeting.held_on)
        mine = (_AGENDA.c.meeting_id == meeting.id, _AGENDA.c.matter_id == matter.id)
        await connection.execute(update(_AGENDA).where(*mine).values(paper=paper))
    members = [member.to_json() for member in members_on(house, meeting.held_on)]
    called = {"state": MeetingState.CALLED, "members": members, "called_at": transaction.at}
    await connection.execute(update(_MEETINGS).where(_MEETINGS.c.id == meeting.id).values(called))
    transaction.note("meeting.called", "system", meeting=meeting.id, on=meeting.held_on.isoformat())
