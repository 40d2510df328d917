"""The file door: an officer downloads what waits for the department, and hands the filled sheet in.

Taking the sheet is receipt, as a 2xx is at the push; what was received and not answered yet stands in every later
sheet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, select

from models import Door, Step, StepKind
from services.access import Caller
from services.access.purposes import Purpose
from services.casework.answers import Inbound, Taken, take_outcomes
from services.database import among, table
from services.doors import sheet_form as form
from services.doors.offering import endpoint_row, offers, still_right
from services.doors.sheet_answers import RowProblem, read_rows, weigh_rows
from services.doors.sheets import write_sheet
from services.doors.taking import take
from services.house import House
from services.ledger.handing import received_steps, waiting_steps

MAX_STEPS = 2_000
_STEPS = table(Step)
_NOTED = 200


@dataclass(frozen=True, slots=True)
class Work:
    """A sheet of due work (.xlsx): how many steps stand in it, and how many of them for the first time."""

    content: bytes
    steps: int
    fresh: int


@dataclass(frozen=True, slots=True)
class SheetTaken:
    """What became of a sheet: steps as of a call-back, and the rows that were not taken."""

    taken: Taken
    rows: int
    rejected: tuple[RowProblem, ...]


async def download_work(house: House, caller: Caller, department: str, limit: int = 500) -> Work:
    """Hand the officer ``caller`` what waits for ``department``: at most ``limit`` steps, the oldest first."""
    clock = house.database.clock
    now = clock.now()
    async with house.database.write(caller.actor) as transaction:
        connection = transaction.connection
        row = await endpoint_row(connection, department)
        wanted = offers(row, Door.INBOX, clock.moment())
        standing = await received_steps(connection, department, limit)
        room = limit - len(standing)
        found = await waiting_steps(connection, department, wanted, now, limit=room, lock=True)
        fresh = await still_right(house, transaction, found)
        messages = await take(house, transaction, row, standing, fresh)
        ids = sorted(message.step_id for message in messages)
        for start in range(0, len(ids), _NOTED):
            shown = ids[start : start + _NOTED]
            transaction.note("work.downloaded", department, steps=shown, purpose=Purpose.HANDLING.value)
    packs = {step.pack: house.packs.named(step.pack) for step in (*standing, *fresh)}
    content = write_sheet(messages, packs, {step.id: step.pack for step in (*standing, *fresh)})
    return Work(content, len(messages), len(fresh))


async def upload_answers(house: House, caller: Caller, department: str, content: bytes) -> SheetTaken:
    """Take the outcomes of a filled sheet from the officer ``caller``; the same file again changes nothing.

    InputError if it is no such sheet. A bad row holds up no other.
    """
    rows = read_rows(content)
    asked = await asked_of(house, department, {row.step for row in rows})
    outcomes, problems = weigh_rows(rows, asked)
    taken = Taken(repeated=False)
    if outcomes:
        message_id = f"sheet-{hashlib.sha256(content).hexdigest()[:40]}"
        taken = await take_outcomes(house, department, outcomes, Inbound(message_id, {}, content), caller.actor)
    return SheetTaken(taken, len(rows), tuple(problems))


async def asked_of(house: House, department: str, steps: set[str]) -> dict[str, Mapping[str, str]]:
    """What each of ``steps`` that is the department's asks: kind of row by code."""
    async with house.database.read() as connection:
        query = select(_STEPS.c.id, _STEPS.c.kind, _STEPS.c.content).where(
            and_(_STEPS.c.department == department, among(connection, _STEPS.c.id, steps))
        )
        found = (await connection.execute(query)).all()
    asked: dict[str, Mapping[str, str]] = {}
    for row in found:
        if row.kind is StepKind.VERIFICATION:
            asked[row.id] = dict.fromkeys(row.content["facts"], form.FACT)
        elif row.kind is StepKind.ENTITLEMENTS:
            asked[row.id] = {
                **{one["service"]: form.OPEN for one in row.content.get("open", ())},
                **{one["service"]: form.WITHDRAW for one in row.content.get("withdraw", ())},
            }
        else:
            asked[row.id] = {"permit": form.NOTICE}
    return asked
