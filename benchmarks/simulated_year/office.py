"""The meeting's office through the year: it holds each meeting, settles what is on the agenda, and has it carried out.

What it settles follows from the kind of matter alone, as a table, so that the year can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from benchmarks.simulated_year.contests import Contested, ask_holders, hear
from benchmarks.simulated_year.town import SLOW, UNCONNECTED, Town
from models import Account, Matter, MatterKind, Meeting, MeetingState, Resolution, ResolutionState, Role
from services.access import Caller
from services.database import table
from services.errors import ConflictError
from services.house import House
from services.meetings.acting import approve_action, ask_action
from services.meetings.following import confirm
from services.meetings.minutes import draft_minutes, read_minutes, sign_minutes
from services.meetings.reading import MeetingFile, show_meeting
from services.meetings.resolutions import Agreed, extend, record_resolution, report
from services.meetings.sitting import attend, close_sitting, open_sitting, take_up
from services.workdays import add_workdays

_MATTERS, _MEETINGS, _RESOLUTIONS, _ACCOUNTS = table(Matter), table(Meeting), table(Resolution), table(Account)
_BY_WORD = (MatterKind.CATCH_ALL, MatterKind.PROPOSED)

# Kind of matter → what the system carries out; None where a department has to act.
ACTIONS: Mapping[MatterKind, dict[str, Any] | None] = {
    MatterKind.OTHER_GROUND: {"kind": "accept-ground"},
    MatterKind.TROUBLE: {"kind": "retry"},
    MatterKind.UNCONFIRMED: {"kind": "decide-fact", "value": True, "department": "commerce"},
    MatterKind.CONTRADICTION: {"kind": "decide-fact", "value": True, "department": "police"},
    MatterKind.DISPUTE: {"kind": "hand-over", "to": "culture"},
    MatterKind.LATE: None,
    MatterKind.UNCONNECTED: None,
    MatterKind.CATCH_ALL: None,
    MatterKind.NO_REASON: None,
    MatterKind.PROPOSED: None,
}


@dataclass(slots=True)
class Office:
    """Two coordinators: one asks, the other approves and signs. ``held``: each meeting as it was when it ended."""

    house: House
    town: Town
    first: Caller
    second: Caller
    held: list[MeetingFile] = field(default_factory=list)
    contested: Contested = field(default_factory=Contested)

    @classmethod
    async def open(cls, house: House, town: Town) -> Office:
        """Take up office: two accounts, each of a person."""
        return cls(house, town, await _person(house, "li"), await _person(house, "zhao"))

    async def hold_todays(self) -> bool:
        """Hold the meeting that was called for today, if there is one."""
        today = self.house.database.clock.today()
        query = select(_MEETINGS.c.id).where(_MEETINGS.c.state == MeetingState.CALLED, _MEETINGS.c.held_on <= today)
        async with self.house.database.read() as connection:
            meeting = (await connection.execute(query)).scalars().first()
        if meeting is None:
            return False
        await hear(self.house, self.second, self.contested)
        await ask_holders(self.house, self.second, today, self.contested)
        await open_sitting(self.house, self.first, meeting, "副市长")
        seen = await show_meeting(self.house, meeting)
        for seat in seen.seats:
            await attend(self.house, self.first, meeting, seat.department.code, present=True)
        settled = [
            await self._settle(meeting, point.matter.id, MatterKind(point.matter.kind.code), today)
            for point in seen.agenda
            if point.state.code == "listed"
        ]
        await close_sitting(self.house, self.first, meeting)
        for resolution in settled:
            if resolution is not None:
                await self._have_it_done(resolution)
        version = await draft_minutes(self.house, self.first, meeting)
        digest = (await read_minutes(self.house, meeting, version)).digest
        assert await sign_minutes(self.house, self.second, meeting, version, digest)
        self.held.append(await show_meeting(self.house, meeting))
        return True

    async def ask_again(self) -> bool:
        """Ask for what was agreed and could not be done the day before; whether there is any."""
        query = select(_RESOLUTIONS.c.id).where(
            _RESOLUTIONS.c.state == ResolutionState.AGREED, _RESOLUTIONS.c.action.is_not(None)
        )
        async with self.house.database.read() as connection:
            waiting = list((await connection.execute(query)).scalars())
        for resolution in waiting:
            await self._have_it_done(resolution)
        return bool(waiting)

    async def _settle(self, meeting: int, matter: int, kind: MatterKind, today: date) -> int | None:
        await take_up(self.house, self.first, meeting, matter)
        unfinished = await self._unfinished(matter)
        if unfinished:
            for resolution in unfinished:
                await extend(self.house, self.first, resolution, add_workdays(today, 10), "尚在办理")
            return None
        async with self.house.database.read() as connection:
            row = (await connection.execute(select(_MATTERS).where(_MATTERS.c.id == matter))).one()
        action = ACTIONS[kind]
        if action is not None and action["kind"] == "decide-fact":
            action = action | {"fact": row.subject}
        if kind is MatterKind.DISPUTE and action is not None:
            action = action | {"services": [row.subject], "from_on": add_workdays(today, 3).isoformat()}
        owner = row.department or "police"
        due = add_workdays(today, 30 if kind in (MatterKind.LATE, MatterKind.UNCONNECTED) else 10)
        return await record_resolution(
            self.house, self.first, meeting, matter, Agreed(_TEXTS[kind], owner, due, (), action)
        )

    async def _have_it_done(self, resolution: int) -> None:
        async with self.house.database.read() as connection:
            row = (await connection.execute(select(_RESOLUTIONS).where(_RESOLUTIONS.c.id == resolution))).one()
            kind = (
                await connection.execute(select(_MATTERS.c.kind).where(_MATTERS.c.id == row.matter_id))
            ).scalar_one()
        if row.action is not None:
            try:
                await ask_action(self.house, self.first, resolution)
                await approve_action(self.house, self.second, resolution)
            except ConflictError:
                # Nothing of it can be done today: held before a shut door, say.
                return
        elif kind in _BY_WORD:
            officer = Caller(f"{row.department}-1", Role.OFFICER, row.department)
            await report(self.house, officer, resolution, "已明确具体内容并公布")
            await confirm(self.house, self.second, resolution, "已核对公布的目录")

    async def _unfinished(self, matter: int) -> list[int]:
        query = select(_RESOLUTIONS.c.id).where(
            _RESOLUTIONS.c.matter_id == matter,
            _RESOLUTIONS.c.state.in_((ResolutionState.AGREED, ResolutionState.ASKED, ResolutionState.ACTING)),
        )
        async with self.house.database.read() as connection:
            return list((await connection.execute(query)).scalars())


_TEXTS = {
    MatterKind.OTHER_GROUND: "所列申请属于其他情形，发放3年期居住证",
    MatterKind.TROUBLE: "系统恢复后重新推送，限期办结",
    MatterKind.UNCONFIRMED: "以营业执照原件为准予以认定",
    MatterKind.CONTRADICTION: "以首次核验为准",
    MatterKind.DISPUTE: "改由文化部门承担",
    MatterKind.LATE: f"{SLOW.department}限期清理逾期事项",
    MatterKind.UNCONNECTED: f"{UNCONNECTED.department}限期接入",
    MatterKind.CATCH_ALL: "由责任部门公布服务目录",
    MatterKind.NO_REASON: "补充退回理由",
    MatterKind.PROPOSED: "按提请意见办理",
}


async def _person(house: House, name: str) -> Caller:
    async with house.database.write("administrator:year") as transaction:
        row = {"name": name, "role": Role.COORDINATOR, "password_is_initial": False, "created_at": transaction.at}
        made = await transaction.connection.execute(_ACCOUNTS.insert().values(row).returning(_ACCOUNTS.c.id))
    return Caller(name, Role.COORDINATOR, account=made.scalar_one(), in_person=True)
