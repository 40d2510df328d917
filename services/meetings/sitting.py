"""The sitting itself: opened by the chair, who is there, what is being discussed, what is put off, and its close.

Everything is written as it happens, so that whoever follows the live page sees it, and the minutes need no memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, select, update

from models import AgendaItem, AgendaState, Attendance, Matter, Meeting, MeetingState
from services.access import Caller
from services.database import Transaction, table
from services.errors import ConflictError, NotFoundError
from services.house import House
from services.meetings.agenda import lock_meeting
from services.meetings.office import office
from services.meetings.rules import line

_AGENDA, _ATTENDANCE, _MEETINGS, _MATTERS = table(AgendaItem), table(Attendance), table(Meeting), table(Matter)
_WAITING = (AgendaState.LISTED, AgendaState.DISCUSSED)


async def open_sitting(house: House, caller: Caller, meeting: int, chair: str) -> None:
    """The meeting begins, led by ``chair`` (an office and who holds it, as the minutes write it). It must be called."""
    chair = line(chair, "chair", 80)
    async with office(house, caller) as transaction:
        row = await lock_meeting(transaction, meeting)
        if row.state is not MeetingState.CALLED:
            raise ConflictError(f"is {row.state.value}; only a meeting that was called can be opened", place="meeting")
        opened = {"state": MeetingState.SITTING, "chair": chair, "opened_at": transaction.at}
        await _write(transaction, meeting, **opened)
        transaction.note("meeting.opened", "system", meeting=meeting)


async def attend(
    house: House, caller: Caller, meeting: int, department: str, *, present: bool, delegate: str | None = None
) -> None:
    """Write down whether a department is there, and by whom (an office held). The last entry counts."""
    delegate = line(delegate, "delegate", 80) if delegate else None
    async with office(house, caller) as transaction:
        row = await _sitting(transaction, meeting)
        if department not in {member["code"] for member in row.members}:
            raise NotFoundError("was not called to this meeting", place="department")
        mine = and_(_ATTENDANCE.c.meeting_id == meeting, _ATTENDANCE.c.department == department)
        await transaction.connection.execute(_ATTENDANCE.delete().where(mine))
        entry = {
            "meeting_id": meeting,
            "department": department,
            "present": present,
            "delegate": delegate,
            "written_at": transaction.at,
        }
        await transaction.insert(Attendance, [entry])
        transaction.note("meeting.attended", department, meeting=meeting, present=present)


async def take_up(house: House, caller: Caller, meeting: int, matter: int) -> None:
    """This matter is discussed from now on."""
    async with office(house, caller) as transaction:
        await _sitting(transaction, meeting)
        item = await _item(transaction, meeting, matter)
        if item.state is AgendaState.OFF:
            raise ConflictError("was taken off the agenda", place="matter")
        state = AgendaState.DISCUSSED if item.state is AgendaState.LISTED else item.state
        await write_item(transaction, meeting, matter, state=state, taken_up_at=transaction.at)
        transaction.note("matter.taken-up", "system", meeting=meeting, matter=matter)


async def defer(house: House, caller: Caller, meeting: int, matter: int, because: str) -> None:
    """Put a matter off to the next meeting, with the reason."""
    because = line(because, "because", 400)
    async with office(house, caller) as transaction:
        await _sitting(transaction, meeting)
        item = await _item(transaction, meeting, matter)
        if item.state not in _WAITING:
            raise ConflictError(f"is {item.state.value} at this meeting already", place="matter")
        await write_item(transaction, meeting, matter, state=AgendaState.DEFERRED, because=because)
        transaction.note("matter.deferred", "system", meeting=meeting, matter=matter)


async def close_sitting(house: House, caller: Caller, meeting: int) -> Sequence[int]:
    """The meeting is over. What was not settled goes to the next one; those matters."""
    async with office(house, caller) as transaction:
        await _sitting(transaction, meeting)
        return await _end(transaction, meeting, "meeting.closed", None)


async def call_off(house: House, caller: Caller, meeting: int, because: str) -> Sequence[int]:
    """A meeting that was called does not take place; its matters go to the next one."""
    because = line(because, "because", 400)
    async with office(house, caller) as transaction:
        row = await lock_meeting(transaction, meeting)
        if row.state is not MeetingState.CALLED:
            raise ConflictError(f"is {row.state.value}; only a meeting that was called is called off", place="meeting")
        return await _end(transaction, meeting, "meeting.called-off", because)


async def write_item(transaction: Transaction, meeting: int, matter: int, **values: Any) -> None:
    """Change a matter's place at a meeting."""
    mine = and_(_AGENDA.c.meeting_id == meeting, _AGENDA.c.matter_id == matter)
    await transaction.connection.execute(update(_AGENDA).where(mine).values(values))


async def _end(transaction: Transaction, meeting: int, action: str, because: str | None) -> Sequence[int]:
    waiting = and_(_AGENDA.c.meeting_id == meeting, _AGENDA.c.state.in_(_WAITING))
    left = update(_AGENDA).where(waiting).values(state=AgendaState.DEFERRED, because=because)
    rows = await transaction.connection.execute(left.returning(_AGENDA.c.matter_id))
    matters = sorted(rows.scalars())
    await _write(transaction, meeting, state=MeetingState.CLOSED, closed_at=transaction.at)
    transaction.note(action, "system", meeting=meeting, deferred=matters, because=because)
    return matters


async def _sitting(transaction: Transaction, meeting: int) -> Row[Any]:
    row = await lock_meeting(transaction, meeting)
    if row.state is not MeetingState.SITTING:
        raise ConflictError(f"is {row.state.value}; this is for a meeting that sits", place="meeting")
    return row


async def _item(transaction: Transaction, meeting: int, matter: int) -> Row[Any]:
    query = select(_AGENDA).where(_AGENDA.c.meeting_id == meeting, _AGENDA.c.matter_id == matter)
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError("is not on the agenda of this meeting", place="matter")
    return row


async def _write(transaction: Transaction, meeting: int, **values: Any) -> None:
    await transaction.connection.execute(update(_MEETINGS).where(_MEETINGS.c.id == meeting).values(values))
