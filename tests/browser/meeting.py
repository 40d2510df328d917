"""Joint meetings for the pages to show: one that sits, with a matter settled, and one before it with its minutes."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from models import Matter, Meeting, MeetingState, Resolution, Role
from services.access import Caller
from services.database import table
from services.house import House
from services.meetings.agenda import call_meeting, convene
from services.meetings.handling import put_forward, remark
from services.meetings.minutes import draft_minutes
from services.meetings.resolutions import Agreed, record_resolution
from services.meetings.sitting import attend, close_sitting, open_sitting, take_up
from services.workdays import roll_to_workday

OFFICE = Caller("office", Role.COORDINATOR)


async def meeting_places(house: House) -> dict[str, str]:
    """What stands for ``{meeting}``, ``{held}``, ``{matter}`` and ``{resolution}`` in addresses; held once."""
    if await _first(house, Resolution) is None:
        day = roll_to_workday(house.database.clock.today())
        held = await _sit(house, day, await _matter(house, "housing-administration", "房源不足，建议增加公租房供应"))
        await close_sitting(house, OFFICE, held)
        await draft_minutes(house, OFFICE, held)
        matter = await _matter(house, "education", "学位不足，建议按居住年限轮候", "ZB87-3.2.1c")
        await _sit(house, roll_to_workday(day + timedelta(days=1)), matter)
    meetings = table(Meeting)
    async with house.database.read() as connection:
        query = select(meetings.c.id, meetings.c.state).order_by(meetings.c.id.desc())
        found = {row.state: str(row.id) for row in await connection.execute(query)}
    return {
        "meeting": found[MeetingState.SITTING],
        "held": found[MeetingState.CLOSED],
        "matter": str(await _first(house, Matter)),
        "resolution": str(await _first(house, Resolution)),
    }


async def _first(house: House, model: type[Matter] | type[Resolution]) -> int | None:
    async with house.database.read() as connection:
        query = select(table(model).c.id).order_by(table(model).c.id).limit(1)
        found: int | None = (await connection.execute(query)).scalar_one_or_none()
        return found


async def _matter(house: House, department: str, text: str, about: str | None = None) -> int:
    matter = await put_forward(house, OFFICE, department, text, about)
    await remark(house, OFFICE, matter, "finance", "经费由区县承担", answer=False)
    return matter


async def _sit(house: House, day: date, matter: int) -> int:
    """A meeting of its own beside the regular ones, which are called when their day to be called has come."""
    meeting = await convene(house, OFFICE, day)
    await call_meeting(house, OFFICE, meeting)
    await open_sitting(house, OFFICE, meeting, "副市长")
    await attend(house, OFFICE, meeting, "education", present=True, delegate="副局长")
    await take_up(house, OFFICE, meeting, matter)
    due = house.database.clock.today() + timedelta(days=60)
    await record_resolution(house, OFFICE, meeting, matter, Agreed("年内新增 200 个", "education", due))
    return meeting
