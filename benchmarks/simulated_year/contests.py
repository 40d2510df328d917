"""What departments say against cards and figures, and what holders think of them: each meeting's day, by a pattern."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from benchmarks.simulated_year.recount import rows_of
from models import Card, CardState, Holder, Role, Step, StepState
from services.access import Caller
from services.clock import day_bounds
from services.house import House
from services.supervision.board import contest_card, lift_card, uphold_card
from services.supervision.figures import CONTESTED, Behind, decide_dispute, dispute_figure, steps_behind
from services.supervision.periods import month_of
from services.supervision.uptake import Given, take_satisfaction

# Of so many standing cards one is contested; of two contested ones the first is lifted.
_CONTESTED, _LIFTED = 3, 2
_MARKS = 20


@dataclass(slots=True)
class Contested:
    """How much was said and heard."""

    lifted: int = 0
    upheld: int = 0
    left_out: int = 0
    marks: int = 0


async def hear(house: House, coordinator: Caller, told: Contested) -> None:
    """Hear what is said against departments' cards, and against one step in each figure of those departments."""
    standing = [row for row in await rows_of(house, Card) if row.state is CardState.STANDING
                and row.holder is Holder.DEPARTMENT]  # fmt: skip
    for row in standing:
        if row.id % _CONTESTED == 0:
            await contest_card(house, _officer(row.department), row.id, "系统原因，非我单位责任")
            lifted = row.id // _CONTESTED % _LIFTED == 0
            await (lift_card if lifted else uphold_card)(house, coordinator, row.id, "已核查")
            told.lifted += lifted
            told.upheld += not lifted
    period = month_of(house.database.clock.today())
    for department in sorted({row.department for row in standing}):
        for figure in CONTESTED:
            page = await steps_behind(house, period, Behind(figure, department), limit=1)
            for step in page.items:
                officer = _officer(department)
                dispute = await dispute_figure(house, officer, period.code, figure, "登记有误", step.step)
                await decide_dispute(house, coordinator, dispute.id, True, "情况属实")
                told.left_out += 1


async def ask_holders(house: House, coordinator: Caller, today: date, told: Contested) -> None:
    """Take in what some of the holders served today think of it."""
    since = day_bounds(today)[0]
    rows = await rows_of(
        house, Step, "case_number department settled_at", department=["police"], state=[StepState.DONE]
    )
    served = [row for row in rows if row.settled_at is not None and row.settled_at >= since]
    given = [
        Given(row.case_number, row.department, 1 + (place * 7 + today.day) % 5, today)
        for place, row in enumerate(served[:_MARKS])
    ]
    if given:
        told.marks += await take_satisfaction(house, coordinator, given)


def _officer(department: str) -> Caller:
    return Caller(f"{department}-1", Role.OFFICER, department)
