"""Incidents (异常): steps in trouble, grouped by cause and owner, opened and closed by themselves.

What hangs on an incident is counted in the ledger each time it is asked for. The table keeps only what the ledger
cannot tell: since when a cause stands, when it was told, and when it was over. ``gather`` makes the two agree; whoever
reads gathers first, so nobody sees an incident too late, and the dispatcher gathers so that it is told unread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Attempt, Incident, IncidentKind
from services.clock import CHINA
from services.database import Transaction, is_postgresql, table
from services.house import House
from services.operations.troubles import NO_ANSWER, NOT_TAKEN, Cause, Extent, count_causes, of_cause, troubled

_INCIDENTS, _ATTEMPTS = table(Incident), table(Attempt)
_ACTOR = "supervise"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a pass changed: causes that opened, and causes of which no step is left."""

    opened: tuple[Cause, ...] = ()
    closed: tuple[Cause, ...] = ()


async def gather(house: House) -> Gathered:
    """Open an incident for every cause that has none, close those that are over. Safe to repeat, and side by side."""
    async with house.database.read() as connection:
        extents = await live_causes(house, connection)
        districts = await _districts(house, connection)
        if not _differs(extents, districts, await open_rows(connection)):
            return Gathered()
    async with house.database.write(_ACTOR) as transaction:
        extents = await live_causes(house, transaction.connection)
        rows = await open_rows(transaction.connection)
        opened = [cause for cause in extents if cause not in rows]
        closed = [cause for cause in rows if cause not in extents]
        for cause, was in _same(opened, closed).items():
            await _move(transaction, rows[was], was, cause)
            rows[cause] = rows.pop(was)
            opened.remove(cause)
            closed.remove(was)
        districts = await _districts(house, transaction.connection)
        grown = {
            cause: row
            for cause, row in rows.items()
            if cause in extents and _is_past(extents[cause], districts.get(cause, set()), row)
        }
        await _open(house, transaction, {cause: extents[cause] for cause in opened}, districts)
        await _close(transaction, {cause: rows[cause] for cause in closed})
        for cause, row in grown.items():
            await _keep_peak(transaction, row, extents[cause], districts.get(cause, set()))
        return Gathered(tuple(opened), tuple(closed))


async def live_causes(house: House, connection: AsyncConnection) -> dict[Cause, Extent]:
    """Every cause that stands in the whole city now."""
    clock = house.database.clock
    return await count_causes(connection, troubled(departments_of(house), clock.now(), clock.today()), clock.today())


async def open_rows(connection: AsyncConnection) -> dict[Cause, Row[Any]]:
    """The incidents that are open, by cause."""
    rows = await connection.execute(select(_INCIDENTS).where(_INCIDENTS.c.open_key.is_not(None)))
    return {Cause(row.department, row.kind, row.reason): row for row in rows}


def departments_of(house: House) -> set[str]:
    """Every department that a pack can ask something of."""
    return {code for pack in house.packs.packs for code in pack.departments}


def _same(opened: Sequence[Cause], closed: Sequence[Cause]) -> dict[Cause, Cause]:
    """Which causes that have no incident are those of an open one of another kind: steps that were tried again failed
    for good, or the last of those that did were settled.
    """
    before = {cause.root: cause for cause in closed if cause.root is not None}
    return {cause: before[cause.root] for cause in opened if cause.root in before}


async def _move(transaction: Transaction, row: Row[Any], was: Cause, cause: Cause) -> None:
    """The incident goes on under its number: it is one cause, told once."""
    values = {"open_key": cause.key, "kind": cause.kind, "reason": cause.reason}
    moved = await transaction.connection.execute(
        update(_INCIDENTS)
        .where(_INCIDENTS.c.id == row.id, _INCIDENTS.c.open_key == was.key)
        .values(values)
        .returning(_INCIDENTS.c.id)
    )
    if moved.first() is not None:
        transaction.note(
            "incident.changed", cause.department, incident=row.id, kind=cause.kind.value, reason=cause.reason,
            districts=row.districts,
        )  # fmt: skip


def _differs(
    extents: Mapping[Cause, Extent], districts: Mapping[Cause, set[str]], rows: Mapping[Cause, Row[Any]]
) -> bool:
    if extents.keys() != rows.keys():
        return True
    return any(_is_past(extents[cause], districts.get(cause, set()), row) for cause, row in rows.items())


def _is_past(extent: Extent, districts: set[str], row: Row[Any]) -> bool:
    """Whether more hangs on the cause than ever did, or in a district where nothing did before."""
    return bool(extent.steps > row.most_steps or extent.cases > row.most_cases or not districts.issubset(row.districts))


async def _districts(house: House, connection: AsyncConnection) -> Mapping[Cause, set[str]]:
    """In which districts the cases lie that hang on each cause."""
    clock = house.database.clock
    steps = troubled(departments_of(house), clock.now(), clock.today())
    found: dict[Cause, set[str]] = defaultdict(set)
    query = select(steps.c.department, steps.c.kind, steps.c.reason, steps.c.district).distinct()
    for department, kind, reason, district in await connection.execute(query):
        found[Cause(department, IncidentKind(kind), reason)].add(district)
    return found


async def _open(
    house: House, transaction: Transaction, causes: Mapping[Cause, Extent], districts: Mapping[Cause, set[str]]
) -> None:
    dialect = postgresql if is_postgresql(transaction.connection) else sqlite
    for cause, extent in causes.items():
        row = {
            "open_key": cause.key,
            "department": cause.department,
            "kind": cause.kind,
            "reason": cause.reason,
            "since": await _since(house, transaction, cause),
            "opened_at": transaction.at,
            "most_steps": extent.steps,
            "most_cases": extent.cases,
            "districts": sorted(districts.get(cause, ())),
        }
        # Another pass may have been quicker: one cause is open once, and told by who opened it.
        statement = dialect.insert(_INCIDENTS).values(row).on_conflict_do_nothing(index_elements=["open_key"])
        made = await transaction.connection.execute(statement.returning(_INCIDENTS.c.id))
        identity = made.scalar_one_or_none()
        if identity is not None:
            transaction.note(
                "incident.opened", cause.department, incident=identity, kind=cause.kind.value,
                reason=cause.reason, cases=extent.cases, steps=extent.steps, districts=row["districts"],
            )  # fmt: skip


async def _close(transaction: Transaction, rows: Mapping[Cause, Row[Any]]) -> None:
    for cause, row in rows.items():
        ended = await transaction.connection.execute(
            update(_INCIDENTS)
            .where(_INCIDENTS.c.id == row.id, _INCIDENTS.c.open_key.is_not(None))
            .values(open_key=None, closed_at=transaction.at)
            .returning(_INCIDENTS.c.id)
        )
        if ended.first() is not None:
            transaction.note("incident.closed", cause.department, incident=row.id, districts=row.districts)


async def _keep_peak(transaction: Transaction, row: Row[Any], extent: Extent, districts: set[str]) -> None:
    peak = {
        "most_steps": max(extent.steps, row.most_steps),
        "most_cases": max(extent.cases, row.most_cases),
        "districts": sorted(districts.union(row.districts)),
    }
    await transaction.connection.execute(update(_INCIDENTS).where(_INCIDENTS.c.id == row.id).values(peak))


async def _since(house: House, transaction: Transaction, cause: Cause) -> datetime:
    """When the first step of the cause went wrong, in business time; now, where nothing tells."""
    clock = house.database.clock
    steps = troubled(departments_of(house), clock.now(), clock.today())
    mine = and_(*of_cause(steps, cause))
    connection, moment = transaction.connection, transaction.at
    if cause.reason in (NO_ANSWER, NOT_TAKEN):
        day = (await connection.execute(select(func.min(steps.c.answer_by)).where(mine))).scalar_one()
        return datetime.combine(day + timedelta(days=1), time(), CHINA).astimezone(UTC) if day else moment
    if cause.kind in (IncidentKind.FAILED, IncidentKind.RETRYING):
        bad = or_(_ATTEMPTS.c.status.is_(None), _ATTEMPTS.c.status >= 300)
        tried = select(func.min(_ATTEMPTS.c.started_at)).join(steps, steps.c.step_id == _ATTEMPTS.c.step_id)
        at = (await connection.execute(tried.where(mine, bad))).scalar_one()
        # Attempts are told in wire time, from which a simulated system's business time stands away.
        return min(at + (clock.moment() - clock.now()), moment) if at else moment
    told = select(func.min(steps.c.at)).where(mine)
    at = (await connection.execute(told)).scalar_one()
    return min(at, moment) if at else moment
