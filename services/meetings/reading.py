"""Matters, meetings and resolutions as they are read: lists, one whole, and what sits this moment.

Every seat of the meeting reads all of it, since nobody of whom a case is about stands in it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import (
    AgendaItem,
    AgendaState,
    Attendance,
    Matter,
    MatterRemark,
    MatterState,
    Meeting,
    MeetingState,
    Reminder,
    Resolution,
    ResolutionCase,
    ResolutionState,
)
from services.database import table
from services.errors import NotFoundError
from services.house import House
from services.lexicon import Lexicon, Named
from services.meetings.classes import extent_of
from services.meetings.minutes import versions_of
from services.meetings.papers import write_paper
from services.meetings.records import (
    MatterFile,
    MatterItem,
    MeetingFile,
    MeetingItem,
    MinutesItem,
    Point,
    ResolutionFile,
    ResolutionItem,
    ResolutionOutcome,
    Seat,
    Wanted,
)
from services.meetings.words import (
    ACTION_WORDS,
    AGENDA_WORDS,
    MATTER_STATE_WORDS,
    MATTER_WORDS,
    MEETING_WORDS,
    RESOLUTION_WORDS,
    because_words,
    matter_title,
    resolution_number,
)

_MATTERS, _AGENDA, _MEETINGS, _REMARKS = table(Matter), table(AgendaItem), table(Meeting), table(MatterRemark)
_ATTENDANCE, _RESOLUTIONS = table(Attendance), table(Resolution)
_REMINDERS, _OF_RESOLUTION = table(Reminder), table(ResolutionCase)
MAX_PAGE = 200
_OVER = (ResolutionState.CLOSED, ResolutionState.REVOKED)


async def list_matters(
    house: House, state: MatterState | None = None, *, before: int | None = None, limit: int = 50
) -> tuple[MatterItem, ...]:
    """Matters, the newest first: those in ``state``, opened before the one numbered ``before``."""
    wanted: list[ColumnElement[bool]] = []
    if state is not None:
        wanted.append(_MATTERS.c.state == state)
    if before is not None:
        wanted.append(_MATTERS.c.id < before)
    query = select(_MATTERS).where(*wanted).order_by(_MATTERS.c.id.desc()).limit(limit)
    async with house.database.read() as connection:
        return await _matters(house, connection, (await connection.execute(query)).all())


async def show_matter(house: House, matter: int) -> MatterFile:
    """One matter with its paper as it stands now; NotFoundError if there is none."""
    today = house.database.clock.today()
    async with house.database.read() as connection:
        row = (await connection.execute(select(_MATTERS).where(_MATTERS.c.id == matter))).one_or_none()
        if row is None:
            raise NotFoundError("there is no such matter", place="matter")
        (item,) = await _matters(house, connection, [row])
        paper = await write_paper(house, connection, row, await extent_of(house, connection, row), today)
        resolutions = await _resolutions(house, connection, _RESOLUTIONS.c.matter_id == matter)
    return MatterFile(item, paper, resolutions)


async def list_meetings(house: House, *, before: int | None = None, limit: int = 50) -> tuple[MeetingItem, ...]:
    """Meetings, the latest day first: those planned before the one numbered ``before``."""
    query = select(_MEETINGS).order_by(_MEETINGS.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_MEETINGS.c.id < before)
    async with house.database.read() as connection:
        return tuple(_meeting(row) for row in await connection.execute(query))


async def wanted_of(house: House, department: str) -> Wanted:
    """What the meeting wants of ``department`` now."""
    at_hand = await meeting_at_hand(house)
    answers = select(_REMARKS.c.matter_id).where(_REMARKS.c.is_answer)
    asked = (
        select(_MATTERS)
        .where(
            _MATTERS.c.state == MatterState.OPEN, _MATTERS.c.department == department,
            _MATTERS.c.answer_by.is_not(None), _MATTERS.c.id.not_in(answers),
        )
        .order_by(_MATTERS.c.answer_by, _MATTERS.c.id)
    )  # fmt: skip
    owed = (_RESOLUTIONS.c.department == department, _RESOLUTIONS.c.state.not_in(_OVER))
    async with house.database.read() as connection:
        to_answer = await _matters(house, connection, (await connection.execute(asked)).all())
        resolutions = await _resolutions(house, connection, *owed)
    return Wanted(
        await show_meeting(house, at_hand) if at_hand is not None else None,
        to_answer,
        tuple(sorted(resolutions, key=lambda one: (one.due_on, one.id))),
    )


async def show_meeting(house: House, meeting: int) -> MeetingFile:
    """One meeting with its seats, its agenda and its minutes; NotFoundError if there is none."""
    async with house.database.read() as connection:
        row = (await connection.execute(select(_MEETINGS).where(_MEETINGS.c.id == meeting))).one_or_none()
        if row is None:
            raise NotFoundError("there is no such meeting", place="meeting")
        seats = await _seats(connection, row)
        agenda = await _agenda(house, connection, meeting)
        minutes = tuple(
            MinutesItem(one.version, one.digest, one.because, one.signed_by, one.signed_at)
            for one in await versions_of(connection, meeting)
        )
    return MeetingFile(_meeting(row), seats, agenda, minutes)


async def meeting_at_hand(house: House) -> int | None:
    """The meeting that sits; else the one that was called; else the next one planned."""
    order = [MeetingState.SITTING, MeetingState.CALLED, MeetingState.PLANNED]
    query = select(_MEETINGS).where(_MEETINGS.c.state.in_(order)).order_by(_MEETINGS.c.held_on)
    async with house.database.read() as connection:
        rows = (await connection.execute(query)).all()
    return min(rows, key=lambda row: order.index(row.state)).id if rows else None


async def list_resolutions(
    house: House,
    state: ResolutionState | None = None,
    *,
    department: str | None = None,
    overdue: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> tuple[ResolutionItem, ...]:
    """Resolutions, the newest first. ``department``: owed by it; ``overdue``: only those past their time."""
    wanted: list[ColumnElement[bool]] = []
    if state is not None:
        wanted.append(_RESOLUTIONS.c.state == state)
    if department is not None:
        wanted.append(_RESOLUTIONS.c.department == department)
    if overdue:
        wanted.append(_RESOLUTIONS.c.due_on < house.database.clock.today())
        wanted.append(_RESOLUTIONS.c.state.not_in(_OVER))
    if before is not None:
        wanted.append(_RESOLUTIONS.c.id < before)
    async with house.database.read() as connection:
        return await _resolutions(house, connection, *wanted, newest=limit)


async def show_resolution(house: House, resolution: int) -> ResolutionFile:
    """One resolution with its evidence; NotFoundError if there is none."""
    async with house.database.read() as connection:
        row = (await connection.execute(select(_RESOLUTIONS).where(_RESOLUTIONS.c.id == resolution))).one_or_none()
        if row is None:
            raise NotFoundError("there is no such resolution", place="resolution")
        (item,) = await _resolutions(house, connection, _RESOLUTIONS.c.id == resolution)
        chased = select(_REMINDERS.c.on).where(_REMINDERS.c.resolution_id == resolution).order_by(_REMINDERS.c.on)
        cases = select(_OF_RESOLUTION).where(_OF_RESOLUTION.c.resolution_id == resolution)
        outcomes = tuple(
            ResolutionOutcome(one.case_number, one.done, one.remedy_id, one.problem)
            for one in await connection.execute(cases.order_by(_OF_RESOLUTION.c.case_number))
        )
        days = tuple((await connection.execute(chased)).scalars())
    return ResolutionFile(
        item, row.action, row.preview, row.asked_by, row.asked_at, row.approved_by, row.approved_at,
        row.decided_because, row.carried_out_at, row.traces, row.report, row.reported_by, row.reported_at,
        row.evidence, row.checked_at, days, outcomes,
    )  # fmt: skip


async def _matters(house: House, connection: AsyncConnection, rows: Sequence[Row[Any]]) -> tuple[MatterItem, ...]:
    ids = [row.id for row in rows]
    answered = select(_REMARKS.c.matter_id).where(_REMARKS.c.matter_id.in_(ids), _REMARKS.c.is_answer)
    said = set((await connection.execute(answered)).scalars())
    coming = (
        select(_AGENDA.c.matter_id, _AGENDA.c.meeting_id)
        .join(_MEETINGS, _MEETINGS.c.id == _AGENDA.c.meeting_id)
        .where(
            _AGENDA.c.matter_id.in_(ids),
            _MEETINGS.c.state != MeetingState.CLOSED,
            _AGENDA.c.state.in_((AgendaState.LISTED, AgendaState.DISCUSSED)),
        )
    )
    on = {row.matter_id: row.meeting_id for row in await connection.execute(coming)}
    return tuple(_matter(house, row, on.get(row.id), answered=row.id in said) for row in rows)


def _matter(house: House, row: Row[Any], meeting: int | None, *, answered: bool) -> MatterItem:
    today = house.database.clock.today()
    words = Lexicon(house.packs, None)
    return MatterItem(
        id=row.id,
        kind=Named.of(row.kind.value, MATTER_WORDS[row.kind]),
        state=Named.of(row.state.value, MATTER_STATE_WORDS[row.state]),
        title=matter_title(house, row, today),
        department=words.department(row.department, today) if row.department else None,
        opened_at=row.opened_at,
        answer_by=row.answer_by,
        answered=answered,
        cases=row.cases,
        people=row.people,
        overdue=row.overdue,
        due_on=row.due_on,
        returns=row.returns,
        meeting=meeting,
        closed_at=row.closed_at,
        because=because_words(row.closed_because),
    )


def _meeting(row: Row[Any]) -> MeetingItem:
    return MeetingItem(
        id=row.id,
        year=row.year,
        ordinal=row.ordinal,
        held_on=row.held_on,
        begins=row.begins,
        place=row.place,
        regular=row.regular,
        state=Named.of(row.state.value, MEETING_WORDS[row.state]),
        chair=row.chair,
        called_at=row.called_at,
    )


async def _seats(connection: AsyncConnection, meeting: Row[Any]) -> tuple[Seat, ...]:
    query = select(_ATTENDANCE).where(_ATTENDANCE.c.meeting_id == meeting.id)
    there = {row.department: row for row in await connection.execute(query)}
    return tuple(
        Seat(
            Named(one["code"], one["zh"], one["en"]),
            one["standing"],
            there[one["code"]].present if one["code"] in there else None,
            there[one["code"]].delegate if one["code"] in there else None,
        )
        for one in meeting.members
    )


async def _agenda(house: House, connection: AsyncConnection, meeting: int) -> tuple[Point, ...]:
    items = select(_AGENDA).where(_AGENDA.c.meeting_id == meeting).order_by(_AGENDA.c.position)
    rows = (await connection.execute(items)).all()
    ids = [row.matter_id for row in rows]
    found = (await connection.execute(select(_MATTERS).where(_MATTERS.c.id.in_(ids)))).all()
    matters = {one.id: one for one in await _matters(house, connection, found)}
    resolutions = await _resolutions(house, connection, _RESOLUTIONS.c.meeting_id == meeting)
    taken = [row for row in rows if row.taken_up_at is not None]
    current = max(taken, key=lambda row: row.taken_up_at).matter_id if taken else None
    return tuple(
        Point(
            row.position,
            matters[row.matter_id],
            Named.of(row.state.value, AGENDA_WORDS[row.state]),
            because_words(row.because),
            row.matter_id == current,
            row.paper,
            tuple(one for one in reversed(resolutions) if one.matter == row.matter_id),
        )
        for row in rows
    )


async def _resolutions(
    house: House, connection: AsyncConnection, *wanted: ColumnElement[bool], newest: int = MAX_PAGE
) -> tuple[ResolutionItem, ...]:
    """Resolutions that fit, the newest first."""
    query = (
        select(_RESOLUTIONS, _MEETINGS.c.year, _MEETINGS.c.ordinal.label("sitting"), _MEETINGS.c.held_on)
        .join(_MEETINGS, _MEETINGS.c.id == _RESOLUTIONS.c.meeting_id)
        .where(*wanted)
        .order_by(_RESOLUTIONS.c.id.desc())
        .limit(newest)
    )
    rows = (await connection.execute(query)).all()
    ids = {row.matter_id for row in rows}
    found = await connection.execute(select(_MATTERS).where(_MATTERS.c.id.in_(ids)))
    matters = {row.id: row for row in found}
    reminders = await _reminders(connection, [row.id for row in rows])
    return tuple(_resolution(house, row, matters[row.matter_id], reminders.get(row.id, 0)) for row in rows)


async def _reminders(connection: AsyncConnection, ids: Collection[int]) -> dict[int, int]:
    query = select(_REMINDERS.c.resolution_id).where(_REMINDERS.c.resolution_id.in_(ids))
    found: dict[int, int] = {}
    for number in (await connection.execute(query)).scalars():
        found[number] = found.get(number, 0) + 1
    return found


def _resolution(house: House, row: Row[Any], matter: Row[Any], reminders: int) -> ResolutionItem:
    words, day = Lexicon(house.packs, None), row.held_on
    kind = row.action["kind"] if row.action else None
    over = row.state in _OVER
    return ResolutionItem(
        id=row.id,
        number=resolution_number(row.year, row.sitting, row.ordinal),
        meeting=row.meeting_id,
        matter=row.matter_id,
        title=matter_title(house, matter, day),
        text=row.text,
        department=words.department(row.department, day),
        helpers=tuple(words.department(code, day) for code in row.helpers),
        due_on=row.due_on,
        state=Named.of(row.state.value, RESOLUTION_WORDS[row.state]),
        action=Named.of(kind, ACTION_WORDS[kind]) if kind else None,
        overdue=not over and row.due_on < house.database.clock.today(),
        reminders=reminders,
        closed_at=row.closed_at,
    )
