"""Answers that contradict earlier ones: kept when they come, put away when somebody has looked.

What was said first stands. Who looked says which of the two is right; where it is the later, changing the fact or the
service is a remedy of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import and_, select, update

from models import Contradiction, Step
from services.database import Transaction, table
from services.errors import ConflictError

_CONTRADICTIONS, _STEPS = table(Contradiction), table(Step)


class Found(StrEnum):
    """What somebody who looked found: which of the answers is right."""

    FIRST_RIGHT = "first-right"
    LATER_RIGHT = "later-right"


async def keep_contradictions(transaction: Transaction, found: Mapping[str, Sequence[str]]) -> None:
    """Keep what departments contradicted: step to the names of facts or services."""
    rows = [
        {"step_id": step, "told_at": transaction.at, "names": " ".join(names)} for step, names in sorted(found.items())
    ]
    await transaction.insert_new(Contradiction, rows, "step_id", "told_at")


async def see_contradictions(transaction: Transaction, step: str, found: Found) -> int:
    """Put away the contradictions of one step, with what was ``found``; how many. ConflictError if there are none."""
    rows = await transaction.connection.execute(
        update(_CONTRADICTIONS)
        .where(and_(_CONTRADICTIONS.c.step_id == step, _CONTRADICTIONS.c.seen_at.is_(None)))
        .values(seen_at=transaction.at, seen_by=transaction.actor, found=found.value)
        .returning(_CONTRADICTIONS.c.step_id)
    )
    count = len(rows.scalars().all())
    case = select(_STEPS.c.case_number).where(_STEPS.c.id == step)
    number = (await transaction.connection.execute(case)).scalar_one_or_none()
    if not count or number is None:
        raise ConflictError("no contradiction of this step waits for anybody", place="step")
    transaction.note("contradiction.seen", number, step=step, found=found.value)
    return count
