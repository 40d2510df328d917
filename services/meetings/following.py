"""Following resolutions to their end: closed when the ledger shows them done, chased when overdue (督办).

What is overdue is put down each few working days as a reminder to who owes it, and its matter comes back to the agenda.
Safe to repeat: a reminder is one a day, and a matter comes back once for each deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select

from models import CardColour, Matter, MatterKind, MatterState, Reminder, Resolution, ResolutionState
from services.access import Caller
from services.database import Transaction, table
from services.errors import AccessError, ConflictError
from services.house import House
from services.meetings.acting import deed_of, go_on_with_all
from services.meetings.actions.work import Evidence, Work, load_work
from services.meetings.classes import extent_of
from services.meetings.handling import lock_matter
from services.meetings.matters import ACTOR, take_off_rows
from services.meetings.office import office
from services.meetings.resolutions import UNFINISHED, lock_resolution, write_matter, write_resolution
from services.meetings.rules import Rule, line, rule_on
from services.meetings.words import CARRIED_OUT
from services.policy.text import Text

_RESOLUTIONS, _REMINDERS, _MATTERS = table(Resolution), table(Reminder), table(Matter)
# Of these nothing in the ledger can tell whether they are done: somebody has to look at what was reported.
_BY_WORD = (MatterKind.PROPOSED, MatterKind.CATCH_ALL)


@dataclass(frozen=True, slots=True)
class Followed:
    """What a pass came to, by resolution: closed by evidence, reminded of; and matters that came back."""

    closed: tuple[int, ...] = ()
    reminded: tuple[int, ...] = ()
    returned: tuple[int, ...] = ()


async def follow(house: House) -> Followed:
    """Go on with what was broken off, close what is done, chase what is overdue."""
    await go_on_with_all(house)
    query = select(_RESOLUTIONS.c.id).where(_RESOLUTIONS.c.state.in_(UNFINISHED)).order_by(_RESOLUTIONS.c.id)
    async with house.database.read() as connection:
        numbers = list((await connection.execute(query)).scalars())
        rule = await rule_on(connection, house.database.clock.today())
    closed, reminded, returned = [], [], []
    for number in numbers:
        if await check_resolution(house, number):
            closed.append(number)
            continue
        chased = await _chase(house, number, rule)
        reminded += [number] if chased.reminded else []
        returned += [chased.matter] if chased.matter is not None else []
    return Followed(tuple(closed), tuple(reminded), tuple(returned))


async def check_resolution(house: House, resolution: int) -> bool:
    """Look whether the ledger shows it done, keep what was seen, and close it if so; whether it is closed now."""
    async with house.database.read() as connection:
        work = await load_work(house, connection, resolution)
        if work.resolution.state not in UNFINISHED:
            return work.resolution.state is ResolutionState.CLOSED
        evidence = await evidence_of(work, connection)
    if not evidence.done and evidence.to_json() == work.resolution.evidence:
        return False
    async with house.database.write(ACTOR) as transaction:
        row = await lock_resolution(transaction, resolution)
        if row.state not in UNFINISHED:
            return row.state is ResolutionState.CLOSED
        await write_resolution(transaction, resolution, evidence=evidence.to_json(), checked_at=transaction.at)
        if evidence.done:
            await _close(transaction, row, dict(evidence.figures))
    return evidence.done


async def evidence_of(work: Work, connection: Any) -> Evidence:
    """What the ledger shows of a resolution now."""
    row = work.resolution
    if row.action is not None:
        if row.state is not ResolutionState.ACTING or row.carried_out_at is None:
            waits = row.state is ResolutionState.ASKED
            told = Text("措施待第二人复核。", "its action waits for a second person.") if waits else Text(
                "措施尚未执行。", "its action has not been carried out."
            )  # fmt: skip
            return Evidence(done=False, told=(told,))
        return await deed_of(work).check(work, connection)
    if work.matter.kind in _BY_WORD:
        if row.report is None:
            told = Text("责任单位尚未报告。", "the department has not reported.")
        else:
            told = Text("责任单位已报告，待联席会议办公室核实。", "reported; the office has to look at it.")
        return Evidence(done=False, told=(told,))
    extent = await extent_of(work.house, connection, work.matter)
    told = (
        Text(f"尚有 {extent.size} 件未解决。", f"{extent.size} cases still hang on it.")
        if extent.size
        else Text("已无办件受此影响。", "no case hangs on it any more.")
    )
    return Evidence(not extent.size, (told,), {"cases": extent.size})


async def confirm(house: House, caller: Caller, resolution: int, because: str) -> None:
    """Close a resolution on what was reported, having looked at it; only where nothing in the ledger could tell, and by
    another person than who reported.
    """
    because = line(because, "because", 400)
    async with office(house, caller) as transaction:
        row = await lock_resolution(transaction, resolution)
        matter = await lock_matter(transaction, row.matter_id)
        if row.action is not None or matter.kind not in _BY_WORD:
            raise ConflictError("closes by itself when the ledger shows it done", place="resolution")
        if row.state not in UNFINISHED or row.report is None:
            raise ConflictError("nothing was reported that could be confirmed", place="resolution")
        if row.reported_by == caller.actor:
            raise AccessError("another person has to look at what you reported", place="resolution")
        evidence = Evidence(done=True, told=(Text(f"经核实：{because}", f"looked at: {because}"),))
        await write_resolution(transaction, resolution, evidence=evidence.to_json(), checked_at=transaction.at)
        await _close(transaction, row, {"confirmed": True})


async def _close(transaction: Transaction, row: Row[Any], figures: dict[str, Any]) -> None:
    """The resolution is done; with the last of a matter, so is the matter."""
    closed = {"state": ResolutionState.CLOSED, "closed_at": transaction.at, "closed_by": transaction.actor}
    await write_resolution(transaction, row.id, **closed)
    transaction.note("resolution.closed", row.department, resolution=row.id, figures=figures)
    left = select(func.count()).where(_RESOLUTIONS.c.matter_id == row.matter_id, _RESOLUTIONS.c.state.in_(UNFINISHED))
    if (await transaction.connection.execute(left)).scalar_one():
        return
    await take_off_rows(transaction, row.matter_id, CARRIED_OUT, MatterState.DONE)


@dataclass(frozen=True, slots=True)
class _Chased:
    reminded: bool = False
    matter: int | None = None


async def _chase(house: House, resolution: int, rule: Rule) -> _Chased:
    """Remind who owes an overdue resolution, and bring its matter back to the agenda."""
    today = house.database.clock.today()
    async with house.database.write(ACTOR) as transaction:
        row = await lock_resolution(transaction, resolution)
        if row.state not in UNFINISHED:
            return _Chased()
        reminded = await _remind(transaction, row, rule, today)
        if row.due_on >= today:
            return _Chased(reminded)
        traces = dict(row.traces)
        if traces.get("returned_for") == row.due_on.isoformat():
            return _Chased(reminded)
        traces["returned_for"] = row.due_on.isoformat()
        await write_resolution(transaction, resolution, traces=traces)
        matter = await lock_matter(transaction, row.matter_id)
        if matter.state is not MatterState.RULED:
            return _Chased(reminded)
        await write_matter(transaction, matter.id, state=MatterState.OPEN, returns=matter.returns + 1)
        transaction.note("matter.returned", row.department, matter=matter.id, resolution=resolution)
        return _Chased(reminded, matter.id)


async def _remind(transaction: Transaction, row: Row[Any], rule: Rule, today: date) -> bool:
    """A card for who owes it: yellow the working day before its time is over, red past it and each few days on."""
    over = rule.workdays_between(row.due_on, today) if row.due_on < today else 0
    colour = CardColour.RED if row.due_on < today else CardColour.YELLOW
    if colour is CardColour.YELLOW and rule.workdays_between(today, row.due_on) > 1:
        return False
    last = select(func.max(_REMINDERS.c.on)).where(_REMINDERS.c.resolution_id == row.id, _REMINDERS.c.colour == colour)
    before = (await transaction.connection.execute(last)).scalar_one_or_none()
    if before is not None and (colour is CardColour.YELLOW or rule.workdays_between(before, today) < rule.remind_days):
        return False
    reminder = {
        "resolution_id": row.id,
        "on": today,
        "department": row.department,
        "days_over": over,
        "colour": colour,
    }
    await transaction.insert_new(Reminder, [reminder], "resolution_id", "on")
    transaction.note("resolution.chased", row.department, resolution=row.id, days_over=over, colour=colour.value)
    return True
