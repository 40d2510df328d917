"""The city at a glance: what came and closed, where cases stand, what each department and district has before it.

Every count follows an index over what is open or what is recent, so that it costs as much with a million cases stored
as with a thousand under way. Nothing about a single person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, case, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, CaseState, Endpoint, Step, StepState
from models.states import OPEN_CASES, OPEN_STEPS
from services.access import WHOLE_CITY, Sight
from services.casework.sight import cases_in, steps_in
from services.clock import day_bounds
from services.database import table
from services.dossiers.tallies import cases_by_state
from services.house import House
from services.lexicon import Lexicon, Named
from services.words import CASE_WORDS, ENDPOINT_WORDS

_CASES, _STEPS, _ENDPOINTS = table(Case), table(Step), table(Endpoint)
_UNDER_WAY = (*sorted(OPEN_STEPS), StepState.FAILED)
TREND_DAYS = 42


@dataclass(frozen=True, slots=True)
class StageCount:
    """How many cases stand in one state."""

    state: Named
    count: int

    @property
    def under_way(self) -> bool:
        """Whether cases in it are not over."""
        return self.state.code in OPEN_CASES


@dataclass(frozen=True, slots=True)
class DepartmentBoard:
    """What one department has before it: cases with a step of its own that is not settled, those with one past its day
    among them, those with one that failed, and since when the oldest step stands. A case counts once, however many
    steps it has there, so that each number is the length of the list of cases behind it. ``endpoint`` is None where no
    endpoint is registered; ``owes``: the policy has it confirm facts or open services, so that it needs one.
    """

    department: Named
    open: int
    failed: int
    overdue: int
    oldest: datetime | None
    endpoint: Named | None
    owes: bool


@dataclass(frozen=True, slots=True)
class DistrictBoard:
    """One district beside the others: cases under way, received and closed today, waiting for their applicants."""

    district: Named
    under_way: int
    came: int
    closed: int
    awaiting: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """What came and what closed on one day."""

    day: date
    came: int
    closed: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole, on the business day ``day``. ``late``: cases with a step past its day, whichever department's;
    ``trend`` runs over ``TREND_DAYS`` up to it.
    """

    day: date
    stages: tuple[StageCount, ...]
    came: int
    closed: int
    set_aside: int
    late: int
    departments: tuple[DepartmentBoard, ...]
    districts: tuple[DistrictBoard, ...]
    trend: tuple[DayCount, ...]

    @property
    def under_way(self) -> int:
        """Cases that are not over."""
        return sum(one.count for one in self.stages if one.under_way)


async def draw_picture(house: House, sight: Sight = WHOLE_CITY) -> Picture:
    """Count what is in ``sight`` now."""
    today = house.database.clock.today()
    async with house.database.read() as connection:
        states = await cases_by_state(connection, sight)
        aside = select(func.count()).where(cases_in(sight), _CASES.c.set_aside.is_not(None))
        set_aside = int((await connection.execute(aside)).scalar_one())
        late = select(func.count(distinct(_STEPS.c.case_number))).where(
            steps_in(sight), _STEPS.c.state.in_(_UNDER_WAY), _STEPS.c.answer_by < today
        )
        trend = await _trend(connection, sight, today)
        return Picture(
            day=today,
            stages=tuple(
                StageCount(Named.of(state.value, CASE_WORDS[state.value]), states.get(state, 0)) for state in CaseState
            ),
            came=trend[-1].came,
            closed=trend[-1].closed,
            set_aside=set_aside,
            late=int((await connection.execute(late)).scalar_one()),
            departments=await _departments(house, connection, sight, today),
            districts=await _districts(house, connection, sight, today),
            trend=trend,
        )


async def _pairs(connection: AsyncConnection, query: Select[Any]) -> dict[Any, int]:
    return {key: int(count) for key, count in await connection.execute(query)}


async def _trend(connection: AsyncConnection, sight: Sight, today: date) -> tuple[DayCount, ...]:
    first = today - timedelta(days=TREND_DAYS - 1)
    received = (
        select(_CASES.c.received_on, func.count())
        .where(cases_in(sight), _CASES.c.received_on >= first, _CASES.c.received_on <= today)
        .group_by(_CASES.c.received_on)
    )
    came = await _pairs(connection, received)
    days = [first + timedelta(days=passed) for passed in range(TREND_DAYS)]
    closed = [
        select(func.count())
        .where(cases_in(sight), _CASES.c.closed_at >= begin, _CASES.c.closed_at < end)
        .scalar_subquery()
        for begin, end in (day_bounds(one) for one in days)
    ]
    counted = (await connection.execute(select(*closed))).one()
    return tuple(DayCount(one, came.get(one, 0), int(count)) for one, count in zip(days, counted, strict=True))


async def _departments(
    house: House, connection: AsyncConnection, sight: Sight, today: date
) -> tuple[DepartmentBoard, ...]:
    asked = _asked(house, sight)
    query = (
        select(
            _STEPS.c.department,
            func.count(distinct(_STEPS.c.case_number)),
            func.count(distinct(case((_STEPS.c.state == StepState.FAILED, _STEPS.c.case_number)))),
            func.count(distinct(case((_STEPS.c.answer_by < today, _STEPS.c.case_number)))),
            func.min(_STEPS.c.created_at),
        )
        .where(steps_in(sight), _STEPS.c.department.in_(asked), _STEPS.c.state.in_(_UNDER_WAY))
        .group_by(_STEPS.c.department)
    )
    found = {row[0]: row[1:] for row in await connection.execute(query)}
    doors = {
        row.department: row.state.value
        for row in await connection.execute(select(_ENDPOINTS.c.department, _ENDPOINTS.c.state))
    }
    words = Lexicon(house.packs, None)
    owing = {fact.owner_on(today) for fact in words.book.facts.values()}
    owing |= {one.owner_on(today) for one in words.book.services.values() if one.kind != "public"}
    board = []
    for code in asked:
        count, failed, overdue, oldest = found.get(code, (0, 0, 0, None))
        door = doors.get(code)
        board.append(
            DepartmentBoard(
                words.department(code, today), int(count), int(failed), int(overdue), oldest,
                Named.of(door, ENDPOINT_WORDS[door]) if door is not None else None, code in owing,
            )
        )  # fmt: skip
    return tuple(board)


def _asked(house: House, sight: Sight) -> Sequence[str]:
    if sight.department is not None:
        return (sight.department,)
    return sorted({code for pack in house.packs.packs for code in pack.departments})


async def _districts(house: House, connection: AsyncConnection, sight: Sight, today: date) -> tuple[DistrictBoard, ...]:
    standing: dict[str, dict[CaseState, int]] = {}
    stands = (
        select(_CASES.c.district, _CASES.c.state, func.count())
        .where(cases_in(sight), _CASES.c.state.in_(OPEN_CASES))
        .group_by(_CASES.c.district, _CASES.c.state)
    )
    for district, state, count in await connection.execute(stands):
        standing.setdefault(district, {})[state] = int(count)
    begin, end = day_bounds(today)
    of_district = _CASES.c.district
    received = select(of_district, func.count()).where(cases_in(sight), _CASES.c.received_on == today)
    finished = and_(_CASES.c.closed_at >= begin, _CASES.c.closed_at < end)
    came = await _pairs(connection, received.group_by(of_district))
    closed = await _pairs(
        connection, select(of_district, func.count()).where(cases_in(sight), finished).group_by(of_district)
    )
    words = Lexicon(house.packs, None)
    codes = [sight.district] if sight.district is not None else list(words.book.districts)
    codes += sorted(set(standing) - set(codes))
    return tuple(
        DistrictBoard(
            words.district(code),
            sum(standing.get(code, {}).values()),
            came.get(code, 0),
            closed.get(code, 0),
            standing.get(code, {}).get(CaseState.AWAITING_APPLICANT, 0),
        )
        for code in codes
    )
