"""A joint meeting for the pages to show: called, sitting, one matter settled with an action asked for."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models import Matter, Meeting, Resolution, Role
from services.access import Caller
from services.database import table
from services.house import House
from services.meetings.agenda import call_meeting, convene
from services.meetings.handling import put_forward, remark
from services.meetings.resolutions import Agreed, record_resolution
from services.meetings.sitting import attend, open_sitting, take_up
from services.workdays import roll_to_workday

OFFICE = Caller("office", Role.COORDINATOR)


async def meeting_places(house: House) -> dict[str, str]:
    """What stands for ``{meeting}``, ``{matter}`` and ``{resolution}`` in addresses; held once."""
    async with house.database.read() as connection:
        standing = (await connection.execute(select(table(Resolution)))).first()
    if standing is None:
        await _hold(house)
    async with house.database.read() as connection:
        resolution = (await connection.execute(select(table(Resolution)))).first()
        matter = (await connection.execute(select(table(Matter).c.id).order_by(table(Matter).c.id))).scalars().first()
        meeting = (
            (await connection.execute(select(table(Meeting).c.id).order_by(table(Meeting).c.id))).scalars().first()
        )
    assert resolution is not None
    return {"meeting": str(meeting), "matter": str(matter), "resolution": str(resolution.id)}


async def _hold(house: House) -> None:
    matter = await put_forward(house, OFFICE, "education", "学位不足，建议按居住年限轮候", "ZB87-3.2.1c")
    await remark(house, OFFICE, matter, "finance", "经费由区县承担", answer=False)
    # One of its own beside the regular ones: those are called when their day to be called has come.
    meeting = await convene(house, OFFICE, roll_to_workday(house.database.clock.today()))
    await call_meeting(house, OFFICE, meeting)
    await open_sitting(house, OFFICE, meeting, "副市长")
    await attend(house, OFFICE, meeting, "education", present=True, delegate="副局长")
    await take_up(house, OFFICE, meeting, matter)
    due = house.database.clock.today() + timedelta(days=60)
    await record_resolution(house, OFFICE, meeting, matter, Agreed("新增学位 200 个", "education", due))
