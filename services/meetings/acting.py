"""Resolutions that act: previewed, asked for, approved by a second person, carried out, and gone on with after a crash.

What a resolution says is agreed by the meeting; that the system now does it is asked for by one person, who sees what
would come of it, and approved by another. Neither can be the same, however high the office.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from models import Resolution, ResolutionState
from services.access import Caller
from services.access.second_person import approve, person_behind
from services.database import Transaction, table
from services.errors import ConflictError
from services.house import House
from services.meetings.actions.amending import Amending
from services.meetings.actions.cases import ForCases
from services.meetings.actions.outage import Declaring
from services.meetings.actions.sending import Sending
from services.meetings.actions.work import Deed, Preview, Work, load_work
from services.meetings.office import office
from services.meetings.resolutions import lock_resolution, write_resolution
from services.meetings.rules import line

_RESOLUTIONS = table(Resolution)

DEEDS: Mapping[str, Deed] = {
    "accept-ground": ForCases(),
    "decide-fact": ForCases(),
    "waive": ForCases(),
    "hand-over": Amending(),
    "set-parameter": Amending(),
    "amend": Amending(),
    "retry": Sending(),
    "outage": Declaring(),
}


async def preview_action(house: House, resolution: int) -> Preview:
    """What would come of the resolution's action now; nothing is done."""
    async with house.database.read() as connection:
        work = await load_work(house, connection, resolution)
        return await deed_of(work).preview(work, connection)


async def ask_action(house: House, caller: Caller, resolution: int) -> Preview:
    """Ask for the action to be carried out; what would come of it is kept for the second person to look at."""
    preview = await preview_action(house, resolution)
    async with office(house, caller) as transaction:
        row = await lock_resolution(transaction, resolution)
        if row.state is not ResolutionState.AGREED:
            raise ConflictError(f"is {row.state.value}; its action is asked for once", place="resolution")
        asked = {
            "state": ResolutionState.ASKED,
            "asks": row.asks + 1,
            "asked_by": caller.actor,
            "asked_person": await person_behind(transaction.connection, caller),
            "asked_at": transaction.at,
            "preview": preview.to_json(),
            "decided_because": None,
        }
        await write_resolution(transaction, resolution, **asked)
        transaction.note("resolution.asked", row.department, resolution=resolution, deed=row.action["kind"])
    return preview


async def approve_action(house: House, caller: Caller, resolution: int, because: str | None = None) -> bool:
    """The second person's yes: what the action is about is recorded, and it is carried out; whether to its end. Where
    nobody knows who asked, two persons have to approve, and it is not carried out before.

    AccessError to who asked and to who is no known person, ConflictError where nobody asked or nothing is left that it
    could be about.
    """
    because = line(because, "because", 400) if because else None
    async with office(house, caller) as transaction:
        row = await _asked(transaction, resolution)
        if not await approve(transaction, caller, f"resolution:{resolution}:{row.asks}", row.asked_person):
            return False
        work = await load_work(house, transaction.connection, resolution)
        await deed_of(work).fix(work, transaction)
        approved = {
            "state": ResolutionState.ACTING,
            "approved_by": caller.actor,
            "approved_at": transaction.at,
            "decided_because": because,
        }
        await write_resolution(transaction, resolution, **approved)
        transaction.note(
            "resolution.approved", row.department, resolution=resolution, deed=row.action["kind"],
            asked_by=row.asked_by, why=because,
        )  # fmt: skip
    return await go_on(house, resolution)


async def reject_action(house: House, caller: Caller, resolution: int, because: str) -> None:
    """The second person's no, with the reason: nothing is done, and the action may be changed. Who asked may take it
    back this way.
    """
    because = line(because, "because", 400)
    async with office(house, caller) as transaction:
        row = await _asked(transaction, resolution)
        rejected = {"state": ResolutionState.AGREED, "preview": None, "decided_because": because}
        await write_resolution(transaction, resolution, **rejected)
        transaction.note(
            "resolution.rejected", row.department, resolution=resolution, asked_by=row.asked_by, why=because
        )


async def go_on(house: House, resolution: int) -> bool:
    """Carry out what was approved, from where it was broken off; whether everything is set going now."""
    async with house.database.read() as connection:
        work = await load_work(house, connection, resolution)
    if work.resolution.state is not ResolutionState.ACTING or work.resolution.action is None:
        return True
    if work.resolution.carried_out_at is not None:
        return True
    if not await deed_of(work).carry_out(work):
        return False
    async with house.database.write(work.resolution.approved_by) as transaction:
        row = await lock_resolution(transaction, resolution)
        if row.carried_out_at is None:
            await write_resolution(transaction, resolution, carried_out_at=transaction.at)
            transaction.note("resolution.carried-out", row.department, resolution=resolution)
    return True


async def go_on_with_all(house: House) -> tuple[int, ...]:
    """Go on with every action that was approved and is not set going whole; those that still are not."""
    waiting = select(_RESOLUTIONS.c.id).where(
        _RESOLUTIONS.c.state == ResolutionState.ACTING,
        _RESOLUTIONS.c.action.is_not(None),
        _RESOLUTIONS.c.carried_out_at.is_(None),
    )
    async with house.database.read() as connection:
        numbers = sorted((await connection.execute(waiting)).scalars())
    return tuple([number for number in numbers if not await go_on(house, number)])


def deed_of(work: Work) -> Deed:
    """What carries the resolution's action out; ConflictError where only people can act."""
    if work.resolution.action is None:
        raise ConflictError(
            "has no action that the system carries out; its department reports on it", place="resolution"
        )
    return DEEDS[work.resolution.action["kind"]]


async def _asked(transaction: Transaction, resolution: int) -> Any:
    row = await lock_resolution(transaction, resolution)
    if row.state is not ResolutionState.ASKED:
        raise ConflictError(f"is {row.state.value}; nobody asks for its action", place="resolution")
    return row
