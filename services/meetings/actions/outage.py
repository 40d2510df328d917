"""Declaring an outage: in that time a department takes nothing, its steps are held, and no clock runs against it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Endpoint, EndpointState, Maintenance, Step, StepState
from services.clock import CHINA
from services.database import Transaction, table
from services.endpoints.maintenance import announce_maintenance
from services.errors import ConflictError, NotFoundError
from services.lexicon import Lexicon
from services.meetings.actions.work import Evidence, Preview, Work
from services.meetings.orders import Outage, read_action
from services.meetings.resolutions import lock_resolution, write_resolution
from services.policy.text import Text
from services.supervision.running import reckon
from services.supervision.terms import load_terms

_STEPS, _MAINTENANCE, _ENDPOINTS = table(Step), table(Maintenance), table(Endpoint)
_WAITING = (StepState.DUE, StepState.SENDING, StepState.HELD)


class Declaring:
    """Carries out `outage`."""

    async def preview(self, work: Work, connection: AsyncConnection) -> Preview:
        """Until when, and how many steps wait for the department today. NotFoundError if it is not connected."""
        action = _outage(work)
        known = select(_ENDPOINTS.c.department).where(_ENDPOINTS.c.department == action.department)
        if (await connection.execute(known)).first() is None:
            raise NotFoundError("no such department is connected", place="action.department")
        waiting = await _count(connection, action.department)
        name = Lexicon(work.house.packs, None).department(action.department, work.house.database.clock.today())
        told = Text(
            f"{name.zh}自 {_at(action.from_at)} 至 {_at(action.until_at)} 停机，其间暂缓推送、不计时限；"
            f"现有待推送事项 {waiting} 项。",
            f"{name.en} takes nothing from {_at(action.from_at)} to {_at(action.until_at)}; {waiting} steps wait now.",
        )
        return Preview((told,), {"steps": waiting})

    async def fix(self, work: Work, transaction: Transaction) -> None:
        """Nothing has to be chosen."""

    async def carry_out(self, work: Work) -> bool:
        """Announce the window, once."""
        action = _outage(work)
        house = work.house
        async with house.database.write(work.approver.actor) as transaction:
            row = await lock_resolution(transaction, work.id)
            if "outage" in row.traces:
                return True
            clock = house.database.clock
            if action.until_at <= clock.moment():
                raise ConflictError("the time of the outage is over before it was approved", place="action.until_at")
            # The meeting speaks in business time, a window of maintenance in wire time.
            first, last = action.from_at - clock.shift, action.until_at - clock.shift
            note = f"{work.reference.zh}：{action.note}"[:200]
            await announce_maintenance(transaction, action.department, first, last, clock.now(), note)
            terms = await load_terms(transaction.connection, clock)
            await reckon(transaction, house, terms, "outage-declared", department=action.department)
            await write_resolution(transaction, work.id, traces=dict(row.traces) | {"outage": action.department})
        return True

    async def check(self, work: Work, connection: AsyncConnection) -> Evidence:
        """Done when the outage is over, the door is open again, and nothing is held before it."""
        action = _outage(work)
        now = work.house.database.clock.now()
        under_way = select(func.count()).where(
            and_(_MAINTENANCE.c.department == action.department, _MAINTENANCE.c.until_at > now)
        )
        windows = int((await connection.execute(under_way)).scalar_one())
        state = (
            await connection.execute(select(_ENDPOINTS.c.state).where(_ENDPOINTS.c.department == action.department))
        ).scalar_one_or_none()
        held = select(func.count()).where(_STEPS.c.department == action.department, _STEPS.c.state == StepState.HELD)
        left = int((await connection.execute(held)).scalar_one())
        over = not windows
        told = Text(
            f"停机{'已结束' if over else '尚未结束'}，暂缓事项尚余 {left} 项。",
            f"the outage is {'over' if over else 'not over yet'}; {left} steps are still held.",
        )
        figures: dict[str, Any] = {"over": over, "held": left, "door": state.value if state else None}
        return Evidence(over and state is EndpointState.OPEN and not left, (told,), figures)


def _outage(work: Work) -> Outage:
    action = read_action(work.resolution.action)
    if not isinstance(action, Outage):
        raise TypeError(f"{action.kind} declares no outage")
    return action


async def _count(connection: AsyncConnection, department: str) -> int:
    query = select(func.count()).where(_STEPS.c.department == department, _STEPS.c.state.in_(_WAITING))
    return int((await connection.execute(query)).scalar_one())


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(CHINA):%Y-%m-%d %H:%M}"
