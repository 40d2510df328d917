"""Operations for the pages to show: a retry that is looked at, a remedy, a message to a department."""

from __future__ import annotations

from sqlalchemy import select

from models import Remedy, RetryRun, Role, Step, StepState
from services.access import Caller
from services.database import table
from services.house import House
from services.operations.retries import preview_retry
from services.operations.selection import Selection
from services.remedies.asking import ask_remedy
from services.remedies.orders import read_order
from tests.testing.people import application, registered

ADMINISTRATOR = Caller("administrator", Role.ADMINISTRATOR)


async def operation_places(house: House) -> dict[str, str]:
    """What stands for ``{retry}``, ``{remedy}`` and ``{message}`` in addresses; made once."""
    return {"retry": await _retry(house), "remedy": await _remedy(house), "message": await _message(house)}


async def _retry(house: House) -> str:
    runs, steps = table(RetryRun), table(Step)
    async with house.database.read() as connection:
        found = (await connection.execute(select(runs.c.id).limit(1))).scalar_one_or_none()
        failed = select(steps.c.id).where(steps.c.state == StepState.FAILED).order_by(steps.c.id.desc())
        step = (await connection.execute(failed.limit(1))).scalar_one_or_none()
    if found is None:
        # One alone: the others are for the test that sends again.
        found = (await preview_retry(house, Selection(step=step), ADMINISTRATOR.actor)).id
    return str(found)


async def _remedy(house: House) -> str:
    remedies = table(Remedy)
    async with house.database.read() as connection:
        found = (await connection.execute(select(remedies.c.id).limit(1))).scalar_one_or_none()
    if found is None:
        (number,) = await registered(house, application())
        order = {"kind": "correct", "cases": [number], "reason": "租赁合同缺页", "missing": ["租赁合同第二页"]}
        found = (await ask_remedy(house, ADMINISTRATOR, read_order(order))).id
    return str(found)


async def _message(house: House) -> str:
    steps = table(Step)
    async with house.database.read() as connection:
        query = select(steps.c.id).where(steps.c.department == "hrss", steps.c.state == StepState.DONE)
        return str((await connection.execute(query.order_by(steps.c.id).limit(1))).scalar_one())
