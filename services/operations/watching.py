"""Looking at incidents: which are open in the reader's sight, what hangs on each, and its steps and cases, by pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, String, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Attempt, Incident, IncidentKind, Step
from services.access import WHOLE_CITY, Sight
from services.casework.sight import steps_in
from services.database import among, table
from services.errors import NotFoundError
from services.house import House
from services.lexicon import Lexicon, Named
from services.operations.incidents import departments_of, gather
from services.operations.troubles import Cause, Extent, count_causes, in_sight, of_cause, troubled
from services.operations.words import KIND_WORDS, OWNER_WORDS, owner_of, reason_words, sentence
from services.policy.text import Text
from services.words import STEP_WORDS

_INCIDENTS, _ATTEMPTS, _STEPS = table(Incident), table(Attempt), table(Step)
MAX_PAGE = 200
_NOTHING = Extent(0, 0, 0, 0, 0, 0, 0)
# Most pressing first among incidents with the same deadlines.
_ORDER = list(IncidentKind)


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident as its reader sees it. ``state``: open, closing (a retry of some of it is under way), or closed.
    Counts are of what is in sight and stands now; ``most_cases`` is the most
    there ever were, in the whole city, and None for who sees only a district. ``told``: the whole in one sentence.
    """

    id: int
    state: str
    department: Named
    kind: Named
    reason: Named
    owner: Named
    since: datetime
    opened_at: datetime
    closed_at: datetime | None
    steps: int
    cases: int
    people: int
    due_today: int
    overdue: int
    tries: int
    most_cases: int | None
    told: Text


@dataclass(frozen=True, slots=True)
class IncidentStep:
    """One step of an incident. ``tried_at`` is when it was last sent (wire time), ``status`` what was answered."""

    id: str
    case_number: str
    state: Named
    answer_by: date | None
    attempts: int
    tried_at: datetime | None
    status: int | None


@dataclass(frozen=True, slots=True)
class IncidentFile:
    """An incident with one page of its steps, by id; ``next`` is the id after which the next page begins."""

    incident: IncidentView
    steps: tuple[IncidentStep, ...]
    next: str | None


async def list_incidents(house: House, sight: Sight = WHOLE_CITY) -> tuple[IncidentView, ...]:
    """The incidents open in ``sight``: what is overdue first, then what is due today, then what concerns most cases."""
    await gather(house)
    clock = house.database.clock
    async with house.database.read() as connection:
        extents = await _extents(house, connection, sight)
        rows = await connection.execute(select(_INCIDENTS).where(_INCIDENTS.c.open_key.is_not(None)))
        found = [_view(house, row, extents[_cause(row)], sight, clock.moment()) for row in rows
                 if _cause(row) in extents]  # fmt: skip
    return tuple(sorted(found, key=_pressing))


async def past_incidents(
    house: House,
    sight: Sight = WHOLE_CITY,
    *,
    department: str | None = None,
    kind: IncidentKind | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[IncidentView, ...]:
    """Incidents that are over, the newest first, those opened before the one numbered ``before``; of ``department``
    and of ``kind``, where they are named. Who sees a district only is shown those that concerned it, without their
    counts: what hung on them there nobody knows any more.
    """
    query = select(_INCIDENTS).where(_INCIDENTS.c.closed_at.is_not(None)).order_by(_INCIDENTS.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_INCIDENTS.c.id < before)
    if department is not None:
        query = query.where(_INCIDENTS.c.department == department)
    if kind is not None:
        query = query.where(_INCIDENTS.c.kind == kind)
    if sight.department is not None:
        query = query.where(_INCIDENTS.c.department == sight.department)
    if sight.district is not None:
        query = query.where(cast(_INCIDENTS.c.districts, String).contains(f'"{sight.district}"', autoescape=True))
    async with house.database.read() as connection:
        rows = (await connection.execute(query)).all()
    moment = house.database.clock.moment()
    return tuple(_view(house, row, _NOTHING, sight, moment) for row in rows)


async def show_incident(
    house: House, number: int, sight: Sight = WHOLE_CITY, *, after: str | None = None, limit: int = 50
) -> IncidentFile:
    """One incident with the steps in ``sight`` that share its cause now. NotFoundError if none of it is in sight."""
    await gather(house)
    clock = house.database.clock
    async with house.database.read() as connection:
        row = (await connection.execute(select(_INCIDENTS).where(_INCIDENTS.c.id == number))).one_or_none()
        if row is None or sight.department not in (None, row.department):
            raise _nothing()
        cause = _cause(row)
        if row.open_key is None:
            if sight.district not in (None, *row.districts):
                raise _nothing()
            return IncidentFile(_view(house, row, _NOTHING, sight, clock.moment()), (), None)
        extents = await _extents(house, connection, sight, cause)
        if cause not in extents:
            raise _nothing()
        steps, more = await _page(house, connection, sight, cause, after, limit)
    incident = _view(house, row, extents[cause], sight, clock.moment())
    return IncidentFile(incident, steps, steps[-1].id if more else None)


def _nothing() -> NotFoundError:
    return NotFoundError("there is no such incident", place="incident")


def _cause(row: Row[Any]) -> Cause:
    return Cause(row.department, row.kind, row.reason)


async def _extents(
    house: House, connection: AsyncConnection, sight: Sight, cause: Cause | None = None
) -> dict[Cause, Extent]:
    clock = house.database.clock
    steps = troubled(departments_of(house), clock.now(), clock.today())
    return await count_causes(connection, steps, clock.today(), sight, cause)


def _view(house: House, row: Row[Any], extent: Extent, sight: Sight, moment: datetime) -> IncidentView:
    cause, lexicon = _cause(row), Lexicon(house.packs, None)
    department = lexicon.department(row.department, house.database.clock.today())
    owner = owner_of(cause)
    open_ = row.open_key is not None
    return IncidentView(
        id=row.id,
        state=("closing" if extent.retried else "open") if open_ else "closed",
        department=department,
        kind=Named.of(cause.kind.value, KIND_WORDS[cause.kind.value]),
        reason=Named.of(cause.reason, reason_words(cause)),
        owner=Named.of(owner.value, OWNER_WORDS[owner]),
        since=row.since,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        steps=extent.steps,
        cases=extent.cases,
        people=extent.people,
        due_today=extent.due_today,
        overdue=extent.overdue,
        tries=extent.tries,
        most_cases=row.most_cases if sight.district is None else None,
        told=sentence(Text(department.zh, department.en), cause, row.since, extent, moment)
        if open_
        else _over(row, sight),
    )


def _over(row: Row[Any], sight: Sight) -> Text:
    if sight.district is not None:
        return Text("已消除", "over")
    return Text(f"已消除：最多时 {row.most_cases} 件", f"over: {row.most_cases} cases at the most")


def _pressing(one: IncidentView) -> tuple[Any, ...]:
    return (-one.overdue, -one.due_today, -one.cases, _ORDER.index(IncidentKind(one.kind.code)), one.id)


async def _page(
    house: House, connection: AsyncConnection, sight: Sight, cause: Cause, after: str | None, limit: int
) -> tuple[tuple[IncidentStep, ...], bool]:
    clock = house.database.clock
    found = troubled(departments_of(house), clock.now(), clock.today())
    mine = [*of_cause(found, cause), in_sight(found, sight)]
    if after is not None:
        mine.append(found.c.step_id > after)
    ids = select(found.c.step_id).where(and_(*mine)).distinct().order_by(found.c.step_id).limit(limit + 1)
    page = list((await connection.execute(ids)).scalars())
    query = select(_STEPS).where(steps_in(sight), among(connection, _STEPS.c.id, page[:limit])).order_by(_STEPS.c.id)
    rows = (await connection.execute(query)).all()
    last = await _last_tries(connection, page[:limit])
    steps = tuple(
        IncidentStep(
            row.id,
            row.case_number,
            Named.of(row.state.value, STEP_WORDS[row.state.value]),
            row.answer_by,
            row.attempts,
            *last.get(row.id, (None, None)),
        )
        for row in rows
    )
    return steps, len(page) > limit


async def _last_tries(connection: AsyncConnection, ids: list[str]) -> dict[str, tuple[datetime, int | None]]:
    newest = (
        select(_ATTEMPTS.c.step_id, func.max(_ATTEMPTS.c.number).label("number"))
        .where(among(connection, _ATTEMPTS.c.step_id, ids))
        .group_by(_ATTEMPTS.c.step_id)
        .subquery()
    )
    last = and_(_ATTEMPTS.c.step_id == newest.c.step_id, _ATTEMPTS.c.number == newest.c.number)
    rows = await connection.execute(
        select(_ATTEMPTS.c.step_id, _ATTEMPTS.c.started_at, _ATTEMPTS.c.status).join(newest, last)
    )
    return {row.step_id: (row.started_at, row.status) for row in rows}
