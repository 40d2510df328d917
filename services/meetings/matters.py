"""Matters (议题) come up by themselves, grow with their cases, and go when nothing hangs on them any more.

``gather`` makes the table agree with the ledger: one matter a cause, opened once, told once. It is safe to repeat, and
side by side. What a meeting has settled keeps its cause until it is done, so that nothing comes up twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, and_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from models import AgendaItem, AgendaState, Matter, MatterKind, MatterState, Meeting, MeetingState
from services.database import Transaction, is_postgresql, table
from services.house import House
from services.meetings.causes import Cause, Extent, live_causes
from services.meetings.rules import Rule, rule_on
from services.meetings.words import RESOLVED_ITSELF

_MATTERS, _AGENDA, _MEETINGS = table(Matter), table(AgendaItem), table(Meeting)
_DAY = timedelta(days=1)
ACTOR = "prepare_meeting"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a look changed, by number: matters that came up, that grew, and that resolved themselves."""

    opened: tuple[int, ...] = ()
    grown: tuple[int, ...] = ()
    off: tuple[int, ...] = ()


async def gather(house: House) -> Gathered:
    """Open a matter for every cause that has none, bring the figures of the others up to now, and take off what
    resolved itself, with that reason.
    """
    today = house.database.clock.today()
    async with house.database.read() as connection:
        rule = await rule_on(connection, today)
        causes = await live_causes(house, connection, rule)
        if not _differs(causes, await standing_matters(connection)):
            return Gathered()
    async with house.database.write(ACTOR) as transaction:
        causes = await live_causes(house, transaction.connection, rule)
        rows = await standing_matters(transaction.connection)
        by_key = {cause.key: (cause, extent) for cause, extent in causes.items()}
        answer_by = await answer_day(transaction.connection, rule, today)
        opened = [
            number for key, (cause, extent) in by_key.items() if key not in rows
            and (number := await _open(transaction, cause, extent, answer_by)) is not None
        ]  # fmt: skip
        grown, off = [], []
        for key, row in rows.items():
            if key in by_key:
                extent = by_key[key][1]
                await _refresh(transaction, row, extent)
                if extent.size > row.most_cases:
                    grown.append(row.id)
            elif resolves_itself(row):
                await take_off_rows(transaction, row.id, RESOLVED_ITSELF)
                off.append(row.id)
            elif row.kind is not MatterKind.PROPOSED and row.cases:
                await _refresh(transaction, row, Extent())
        return Gathered(tuple(opened), tuple(grown), tuple(off))


async def standing_matters(connection: AsyncConnection) -> dict[str, Row[Any]]:
    """Every matter that is not settled, by the key of its cause."""
    rows = await connection.execute(select(_MATTERS).where(_MATTERS.c.open_key.is_not(None)))
    return {row.open_key: row for row in rows}


def resolves_itself(row: Any) -> bool:
    """Whether a matter is over with its cause: none that a member put forward, and none that the meeting settled."""
    return row.state is MatterState.OPEN and row.kind is not MatterKind.PROPOSED and not row.returns


async def answer_day(connection: AsyncConnection, rule: Rule, today: date) -> date:
    """Until when a department answers to a matter that comes up today: before the first meeting whose papers are not
    sent yet.
    """
    called = select(_MEETINGS.c.held_on).where(_MEETINGS.c.state != MeetingState.PLANNED)
    gone = set((await connection.execute(called)).scalars())
    day = rule.next_day(today + _DAY)
    while day in gone or rule.workdays_before(day, rule.papers_days) < today:
        day = rule.next_day(day + _DAY)
    return rule.workdays_before(day, rule.answer_days)


async def take_off_rows(
    transaction: Transaction, matter: int, because: str, state: MatterState = MatterState.OFF
) -> None:
    """The matter is off, or done; from a planned agenda it goes silently, on one that was sent out with its reason."""
    connection = transaction.connection
    ended = {
        "state": state,
        "open_key": None,
        "closed_at": transaction.at,
        "closed_by": transaction.actor,
        "closed_because": because,
    }
    await connection.execute(update(_MATTERS).where(_MATTERS.c.id == matter).values(ended))
    planned = select(_MEETINGS.c.id).where(_MEETINGS.c.state == MeetingState.PLANNED)
    mine = _AGENDA.c.matter_id == matter
    await connection.execute(_AGENDA.delete().where(mine, _AGENDA.c.meeting_id.in_(planned)))
    waiting = and_(mine, _AGENDA.c.state.in_((AgendaState.LISTED, AgendaState.DISCUSSED)))
    await connection.execute(update(_AGENDA).where(waiting).values(state=AgendaState.OFF, because=because))
    transaction.note(f"matter.{state.value}", "system", matter=matter, because=because)


def _differs(causes: Mapping[Cause, Extent], rows: Mapping[str, Row[Any]]) -> bool:
    by_key = {cause.key: extent for cause, extent in causes.items()}
    if by_key.keys() - rows.keys():
        return True
    for key, row in rows.items():
        extent = by_key.get(key)
        if extent is None:
            if resolves_itself(row) or (row.kind is not MatterKind.PROPOSED and row.cases):
                return True
        elif _figures(extent) != {name: getattr(row, name) for name in _figures(extent)}:
            return True
    return False


def _figures(extent: Extent) -> dict[str, Any]:
    return {
        "cases": extent.size,
        "people": extent.persons,
        "overdue": extent.overdue,
        "due_on": extent.due_on,
    }


async def _open(transaction: Transaction, cause: Cause, extent: Extent, answer_by: date) -> int | None:
    """A new matter; its number, or None where another look was quicker."""
    dialect = postgresql if is_postgresql(transaction.connection) else sqlite
    row = _figures(extent) | {
        "open_key": cause.key,
        "kind": cause.kind,
        "state": MatterState.OPEN,
        "department": cause.department,
        "subject": cause.subject,
        "opened_by": transaction.actor,
        "opened_at": transaction.at,
        "answer_by": answer_by if cause.department else None,
        "most_cases": extent.size,
        "returns": 0,
    }
    statement = dialect.insert(_MATTERS).values(row).on_conflict_do_nothing(index_elements=["open_key"])
    made = (await transaction.connection.execute(statement.returning(_MATTERS.c.id))).scalar_one_or_none()
    if made is None:
        return None
    transaction.note(
        "matter.opened", cause.department or "system", matter=made, kind=cause.kind.value, about=cause.subject,
        cases=extent.size,
    )  # fmt: skip
    return int(made)


async def _refresh(transaction: Transaction, row: Row[Any], extent: Extent) -> None:
    values = _figures(extent) | {"most_cases": max(row.most_cases, extent.size)}
    if any(getattr(row, name) != value for name, value in values.items()):
        await transaction.connection.execute(update(_MATTERS).where(_MATTERS.c.id == row.id).values(values))
