"""Resolutions (议定事项): written down as they are agreed, each with what, who, until when, and what the system carries
out for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select, update

from models import AgendaItem, AgendaState, Matter, MatterState, Meeting, MeetingState, Minutes, Resolution, Role
from models import ResolutionState as State
from services.access import Caller
from services.database import Transaction, is_postgresql, table
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.house import House
from services.meetings.agenda import lock_meeting
from services.meetings.handling import lock_matter
from services.meetings.members import seated
from services.meetings.office import office
from services.meetings.orders import Action, action_content, read_action
from services.meetings.rules import line
from services.meetings.sitting import write_item

_RESOLUTIONS, _AGENDA, _MATTERS = table(Resolution), table(AgendaItem), table(Matter)
_MEETINGS, _MINUTES = table(Meeting), table(Minutes)
UNFINISHED = (State.AGREED, State.ASKED, State.ACTING)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the meeting agreed on: ``text`` by ``department`` (helped by ``helpers``) until ``due_on``."""

    text: str
    department: str
    due_on: date
    helpers: Sequence[str] = ()
    action: dict[str, Any] | None = None


async def record_resolution(house: House, caller: Caller, meeting: int, matter: int, agreed: Agreed) -> int:
    """Write a resolution down; its id. While the meeting sits, and until its minutes are signed.

    InputError names the field that is wrong, ConflictError where the matter is not on the agenda any more.
    """
    text = line(agreed.text, "text", 1_000)
    action = read_action(agreed.action) if agreed.action is not None else None
    async with office(house, caller) as transaction:
        row = await _writable(transaction, meeting)
        for code in (agreed.department, *agreed.helpers):
            seated(house, code, row.held_on)
        if agreed.due_on < row.held_on:
            raise InputError("must not lie before the meeting", place="due_on")
        item = await _agenda_item(transaction, meeting, matter)
        if item.state is AgendaState.OFF:
            raise ConflictError("was taken off the agenda", place="matter")
        await lock_matter(transaction, matter)
        if action is not None:
            check_action(house, action)
        ordinal = await _next_ordinal(transaction, meeting)
        values = {
            "meeting_id": meeting,
            "matter_id": matter,
            "ordinal": ordinal,
            "text": text,
            "department": agreed.department,
            "helpers": sorted(set(agreed.helpers) - {agreed.department}),
            "due_on": agreed.due_on,
            "action": action_content(action) if action is not None else None,
            "state": State.AGREED,
            "agreed_by": caller.actor,
            "agreed_at": transaction.at,
            "traces": {},
        }
        made = await transaction.connection.execute(_RESOLUTIONS.insert().values(values).returning(_RESOLUTIONS.c.id))
        number = int(made.scalar_one())
        await write_item(transaction, meeting, matter, state=AgendaState.RESOLVED, because=None)
        await write_matter(transaction, matter, state=MatterState.RULED)
        transaction.note(
            "resolution.agreed", agreed.department, resolution=number, meeting=meeting, matter=matter,
            due_on=agreed.due_on.isoformat(), deed=action.kind if action is not None else None,
        )  # fmt: skip
    return number


async def set_action(house: House, caller: Caller, resolution: int, action: dict[str, Any] | None) -> None:
    """Give a resolution another action, or none, as long as nobody was asked to approve it."""
    read = read_action(action) if action is not None else None
    if read is not None:
        check_action(house, read)
    async with office(house, caller) as transaction:
        row = await lock_resolution(transaction, resolution)
        if row.state is not State.AGREED:
            raise ConflictError(f"is {row.state.value}; its action stands", place="resolution")
        content = action_content(read) if read is not None else None
        await write_resolution(transaction, resolution, action=content)
        transaction.note("resolution.action-set", row.department, resolution=resolution,
                         deed=read.kind if read is not None else None)  # fmt: skip


async def extend(house: House, caller: Caller, resolution: int, due_on: date, because: str) -> None:
    """Let a resolution have more time, as a meeting that sits decided."""
    because = line(because, "because", 400)
    async with office(house, caller) as transaction:
        row = await lock_resolution(transaction, resolution)
        if row.state not in UNFINISHED:
            raise ConflictError(f"is {row.state.value}; its time does not matter any more", place="resolution")
        if due_on <= row.due_on:
            raise InputError(f"must be later than {row.due_on}", place="due_on")
        sits = select(_MEETINGS.c.id).where(_MEETINGS.c.state == MeetingState.SITTING)
        meeting = (await transaction.connection.execute(sits)).scalars().first()
        if meeting is None:
            raise ConflictError("only a meeting that sits gives more time", place="resolution")
        await write_resolution(transaction, resolution, due_on=due_on)
        matter = await lock_matter(transaction, row.matter_id)
        if matter.state is MatterState.OPEN:
            # It had come back because it was overdue.
            await write_matter(transaction, matter.id, state=MatterState.RULED)
            await write_item(transaction, meeting, matter.id, state=AgendaState.RESOLVED, because=because)
        transaction.note("resolution.extended", row.department, resolution=resolution, was=row.due_on.isoformat(),
                         due_on=due_on.isoformat(), why=because)  # fmt: skip


async def revoke(house: House, caller: Caller, resolution: int, because: str) -> None:
    """Take a resolution back of which nothing has been carried out. What was carried out needs a new resolution."""
    because = line(because, "because", 400)
    async with office(house, caller) as transaction:
        row = await lock_resolution(transaction, resolution)
        if row.state not in (State.AGREED, State.ASKED):
            raise ConflictError(f"is {row.state.value}; settle it by a new resolution", place="resolution")
        await write_resolution(transaction, resolution, state=State.REVOKED, closed_at=transaction.at,
                               closed_by=caller.actor, decided_because=because)  # fmt: skip
        transaction.note("resolution.revoked", row.department, resolution=resolution, why=because)
        left = select(func.count()).where(
            _RESOLUTIONS.c.matter_id == row.matter_id, _RESOLUTIONS.c.state != State.REVOKED
        )
        if not (await transaction.connection.execute(left)).scalar_one():
            # Nothing is settled about it any more: it waits for a meeting again.
            await write_matter(transaction, row.matter_id, state=MatterState.OPEN)


async def report(house: House, caller: Caller, resolution: int, text: str) -> None:
    """The department that owes it says what it did. That alone closes nothing."""
    text = line(text, "text", 1_000)
    async with house.database.write(caller.actor) as transaction:
        row = await lock_resolution(transaction, resolution)
        if caller.role is Role.OFFICER and caller.scope not in (row.department, *row.helpers):
            raise AccessError("is another department's to report on", place="resolution")
        if row.state not in UNFINISHED:
            raise ConflictError(f"is {row.state.value}; there is nothing to report", place="resolution")
        state = State.ACTING if row.action is None else row.state
        await write_resolution(transaction, resolution, report=text, reported_by=caller.actor,
                               reported_at=transaction.at, state=state)  # fmt: skip
        transaction.note("resolution.reported", row.department, resolution=resolution)


def check_action(house: House, action: Action) -> None:
    """Whether the codes of an action stand in the packs; InputError names the first that does not."""
    packs = house.packs.packs
    checks = {
        "fact": ("facts", "is no fact of a policy"),
        "department": ("departments", "is no department of a policy"),
        "to": ("departments", "is no department of a policy"),
        "district": ("districts", "is no district of a policy"),
        "parameter": ("parameters", "is no parameter of a policy"),
    }
    given = action.model_dump(exclude_none=True)
    given |= {"district": given["of"]["district"]} if given.get("of", {}).get("district") else {}
    for name, (section, detail) in checks.items():
        if name in given and not any(given[name] in getattr(pack, section) for pack in packs):
            raise InputError(detail, place=f"action.{name}")
    if "pack" in given:
        house.packs.named(given["pack"])
    for service in given.get("services", ()):
        if not any(service in pack.services for pack in packs):
            raise InputError("is no service of a policy", place="action.services")
    clause = given.get("clause")
    if clause and not any(clause in {**pack.clauses, **pack.services, **pack.settlements} for pack in packs):
        raise InputError("is no clause of a policy", place="action.clause")


async def lock_resolution(transaction: Transaction, resolution: int) -> Row[Any]:
    """The resolution's row, nobody else's until the transaction ends; NotFoundError if there is none."""
    query = select(_RESOLUTIONS).where(_RESOLUTIONS.c.id == resolution)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such resolution", place="resolution")
    return row


async def write_resolution(transaction: Transaction, resolution: int, **values: Any) -> None:
    """Change a resolution's row."""
    await transaction.connection.execute(update(_RESOLUTIONS).where(_RESOLUTIONS.c.id == resolution).values(values))


async def write_matter(transaction: Transaction, matter: int, **values: Any) -> None:
    """Change a matter's row."""
    await transaction.connection.execute(update(_MATTERS).where(_MATTERS.c.id == matter).values(values))


async def _writable(transaction: Transaction, meeting: int) -> Row[Any]:
    row = await lock_meeting(transaction, meeting)
    if row.state not in (MeetingState.SITTING, MeetingState.CLOSED):
        raise ConflictError(f"is {row.state.value}; open the sitting first", place="meeting")
    signed = select(_MINUTES.c.version).where(_MINUTES.c.meeting_id == meeting, _MINUTES.c.signed_at.is_not(None))
    if (await transaction.connection.execute(signed)).first() is not None:
        raise ConflictError("its minutes are signed; settle it at another meeting", place="meeting")
    return row


async def _agenda_item(transaction: Transaction, meeting: int, matter: int) -> Row[Any]:
    query = select(_AGENDA).where(_AGENDA.c.meeting_id == meeting, _AGENDA.c.matter_id == matter)
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError("is not on the agenda of this meeting", place="matter")
    return row


async def _next_ordinal(transaction: Transaction, meeting: int) -> int:
    last = select(func.coalesce(func.max(_RESOLUTIONS.c.ordinal), 0)).where(_RESOLUTIONS.c.meeting_id == meeting)
    return int((await transaction.connection.execute(last)).scalar_one()) + 1
