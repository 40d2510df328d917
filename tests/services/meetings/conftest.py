"""A joint meeting at work: departments that answer in the process, its office, a second person, and officers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from models import AgendaItem, Matter, MatterKind, MatterState, Meeting, MeetingState, Role
from services.access import Caller
from services.casework import deliveries
from services.database import table
from services.house import House
from services.meetings.preparing import prepare
from services.meetings.resolutions import Agreed, record_resolution
from services.meetings.sitting import open_sitting
from tests.testing.accounts import person
from tests.testing.clock import SetClock
from tests.testing.departments import Departments

MEETING = "joint-meeting"


@pytest.fixture
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Departments:
    """Every department, willing and quick until a test says otherwise; the meeting itself answers nothing."""
    departments = Departments()
    departments.silent.add(MEETING)
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments


@pytest.fixture
async def office(house: House) -> Caller:
    """The meeting's office."""
    return await person(house, "li", Role.COORDINATOR)


@pytest.fixture
async def second(house: House) -> Caller:
    """The second person."""
    return await person(house, "zhao", Role.COORDINATOR)


def officer(department: str) -> Caller:
    """An officer of a department."""
    return Caller(f"{department}-1", Role.OFFICER, department)


async def matters(house: House, *states: MatterState) -> dict[MatterKind, Any]:
    """The matters in ``states`` (by default those that wait), the last of each kind."""
    rows = table(Matter)
    query = select(rows).where(rows.c.state.in_(states or (MatterState.OPEN,))).order_by(rows.c.id)
    async with house.database.read() as connection:
        return {row.kind: row for row in await connection.execute(query)}


async def matter_row(house: House, number: int) -> Any:
    """One matter's row."""
    rows = table(Matter)
    async with house.database.read() as connection:
        return (await connection.execute(select(rows).where(rows.c.id == number))).one()


async def meeting_rows(house: House, *states: MeetingState) -> list[Any]:
    """The meetings in ``states``, in the order of their days."""
    rows = table(Meeting)
    query = select(rows).where(rows.c.state.in_(states or tuple(MeetingState))).order_by(rows.c.held_on)
    async with house.database.read() as connection:
        return list((await connection.execute(query)).all())


async def agenda(house: House, meeting: int) -> list[Any]:
    """What stands on an agenda, in its order."""
    rows = table(AgendaItem)
    query = select(rows).where(rows.c.meeting_id == meeting).order_by(rows.c.position)
    async with house.database.read() as connection:
        return list((await connection.execute(query)).all())


Sit = Callable[[], Awaitable[int]]


@pytest.fixture
def sit(house: House, clock: SetClock, office: Caller) -> Sit:
    """Lets time go to the next meeting, and opens it: ``meeting = await sit()``."""

    async def sit() -> int:
        await prepare(house)
        (meeting, *_) = await meeting_rows(house, MeetingState.CALLED, MeetingState.PLANNED)
        clock.set_day(meeting.held_on)
        await prepare(house)
        await open_sitting(house, office, meeting.id, "副市长")
        return int(meeting.id)

    return sit


Resolve = Callable[..., Awaitable[int]]


@pytest.fixture
def resolve(house: House, office: Caller) -> Resolve:
    """Writes a resolution down: ``await resolve(meeting, matter, action={...})``."""

    async def resolve(meeting: int, matter: int, **changes: Any) -> int:
        given: dict[str, Any] = {"text": "按议定意见办理", "department": "police", "due_on": date(2014, 12, 31)}
        return await record_resolution(house, office, meeting, matter, Agreed(**given | changes))

    return resolve
