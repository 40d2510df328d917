"""Waiving steps: a department is not asked any more, on the ground of a clause, and the case goes on without it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, and_, update

from models import Entitlement, EntitlementState, StepState
from models.states import STEP_MOVES
from services.casework.comparison import WAIVED
from services.database import among, table
from services.ledger.steps import Move, move_steps
from services.policy.pack import Pack
from services.remedies.hands import Hands
from services.remedies.orders import Waive

_ENTITLEMENTS = table(Entitlement)
_UNSENT = "waived-unsent"


def waive_problems(hands: Hands, order: Waive, steps: Sequence[Row[Any]]) -> dict[str, str]:
    """Not while a try is out, not what is settled, and only on a clause of the case's own policy."""
    found = {}
    for step in steps:
        case = hands.standing[step.case_number].case
        pack = hands.house.caseworker.pack(case.pack, hands.house.database.clock.today())
        if step.state is StepState.SENDING:
            found[step.case_number] = f"{step.id} is being sent this moment; try again in a minute"
        elif StepState.WAIVED not in STEP_MOVES[step.state]:
            found[step.case_number] = f"{step.id} is {step.state.value} and cannot be waived"
        elif pack is None or not _stands_in(pack, order.clause):
            found[step.case_number] = f"its policy has no clause {order.clause}"
    return found


async def waive(hands: Hands, order: Waive, steps: Sequence[Row[Any]], numbers: Collection[str]) -> None:
    """The steps are waived; services they were to open count as declined, those they were to withdraw as ended."""
    chosen = [step for step in steps if step.case_number in numbers]
    moves = [Move(step.id, StepState.WAIVED, order.clause) for step in chosen]
    moved = await move_steps(hands.transaction, moves)
    tried = [step.id for step in chosen if step.id in moved and step.attempts]
    unsent = [step.id for step in chosen if step.id in moved and not step.attempts]
    await _settle(hands, numbers, tried, EntitlementState.PROVISIONING, EntitlementState.DECLINED, WAIVED)
    await _settle(hands, numbers, unsent, EntitlementState.PROVISIONING, EntitlementState.DECLINED, _UNSENT)
    await _settle(hands, numbers, moved, EntitlementState.WITHDRAWING, EntitlementState.ENDED, _UNSENT)
    by_case: dict[str, list[str]] = defaultdict(list)
    for step in chosen:
        if step.id in moved:
            by_case[step.case_number].append(step.id)
    for number, ids in by_case.items():
        hands.note("steps.waived", number, steps=ids, clause=order.clause)
    await hands.change(numbers)


async def _settle(
    hands: Hands,
    numbers: Collection[str],
    steps: Collection[str],
    state: EntitlementState,
    to: EntitlementState,
    because: str,
) -> None:
    mine = and_(
        among(hands.transaction.connection, _ENTITLEMENTS.c.case_number, numbers),
        among(hands.transaction.connection, _ENTITLEMENTS.c.step_id, steps),
        _ENTITLEMENTS.c.state == state,
    )
    values = {"state": to, "reason": because, "changed_at": hands.transaction.at}
    await hands.transaction.connection.execute(update(_ENTITLEMENTS).where(mine).values(values))


def _stands_in(pack: Pack, clause: str) -> bool:
    return clause in pack.clauses or clause in pack.services or clause in pack.settlements
