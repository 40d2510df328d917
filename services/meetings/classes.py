"""Classes of cases: a resolution's selection resolved to the cases that it names today, with the steps it is about."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, Matter, MatterKind, Step, StepKind
from models.states import OPEN_STEPS, StepState
from services.database import among, table
from services.errors import ConflictError
from services.house import House
from services.meetings.causes import Extent, live_causes
from services.meetings.orders import AcceptGround, CaseClass, FactForClass, ForClass
from services.meetings.rules import rule_on

_CASES, _MATTERS, _STEPS = table(Case), table(Matter), table(Step)
OTHER_GROUND = "other_ground_accepted"


async def extent_of(house: House, connection: AsyncConnection, matter: Row[Any]) -> Extent:
    """What hangs on the matter now; nothing on one that a member put forward."""
    if matter.kind is MatterKind.PROPOSED or matter.open_key is None:
        return Extent()
    rule = await rule_on(connection, house.database.clock.today())
    causes = await live_causes(house, connection, rule)
    return next((extent for cause, extent in causes.items() if cause.key == matter.open_key), Extent())


async def resolve_class(
    house: House, connection: AsyncConnection, matter: Row[Any], action: ForClass
) -> dict[str, list[str]]:
    """The cases of the action's class, each with the steps it is about. ConflictError if there are none."""
    wanted = action.of
    if wanted.cases:
        found = await _steps_of(connection, wanted.cases, _fact(action))
    else:
        found = dict((await extent_of(house, connection, matter)).cases)
    fitting = await _fitting(connection, found, wanted)
    chosen = {number: found[number] for number in sorted(found) if number in fitting}
    if not chosen:
        raise ConflictError("no case is in this class now", place="action.of")
    return chosen


def _fact(action: ForClass) -> str | None:
    if isinstance(action, AcceptGround):
        return OTHER_GROUND
    return action.fact if isinstance(action, FactForClass) else None


async def _steps_of(connection: AsyncConnection, cases: tuple[str, ...], fact: str | None) -> dict[str, list[str]]:
    """The unsettled steps of cases that were named: those that ask for ``fact``, if it is about one."""
    query = select(_STEPS.c.id, _STEPS.c.case_number, _STEPS.c.kind, _STEPS.c.content).where(
        among(connection, _STEPS.c.case_number, cases),
        _STEPS.c.state.in_(sorted(OPEN_STEPS | {StepState.FAILED, StepState.DECLINED})),
    )
    found: dict[str, list[str]] = {number: [] for number in cases}
    for row in await connection.execute(query.order_by(_STEPS.c.id)):
        if fact is None or (row.kind is StepKind.VERIFICATION and fact in row.content["facts"]):
            found[row.case_number].append(row.id)
    return found


async def _fitting(connection: AsyncConnection, found: dict[str, list[str]], wanted: CaseClass) -> set[str]:
    query = select(_CASES.c.number).where(among(connection, _CASES.c.number, found))
    if wanted.district is not None:
        query = query.where(_CASES.c.district == wanted.district)
    if wanted.received_from is not None:
        query = query.where(_CASES.c.received_on >= wanted.received_from)
    if wanted.received_to is not None:
        query = query.where(_CASES.c.received_on <= wanted.received_to)
    return set((await connection.execute(query)).scalars())
