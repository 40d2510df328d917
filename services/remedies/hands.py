"""What a remedy works with: the cases in hand, their rows locked, and the small changes that several kinds share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, or_, select, update

from models import Case, CaseState, Permit, PermitState, Step, StepKind, StepState
from models.states import CASE_MOVES
from services.casework.standing import LOOK_AGAIN, Standing
from services.database import Transaction, among, is_postgresql, table
from services.house import House
from services.ledger.cases import wake
from services.ledger.steps import Move, move_steps
from services.supervision.running import reckon
from services.supervision.terms import load_terms

_CASES, _PERMITS, _STEPS = table(Case), table(Permit), table(Step)
# A try that is out is left to end: what was sent must be recorded.
_TAKEN_BACK = (StepState.DUE, StepState.HELD, StepState.RECEIVED, StepState.FAILED)


@dataclass(frozen=True, slots=True)
class Hands:
    """One remedy being carried out in ``transaction`` on the cases of ``standing``; ``remedy`` is its number, 0 while
    it is only tried.
    """

    house: House
    transaction: Transaction
    standing: Mapping[str, Standing]
    reason: str
    remedy: int = 0

    def note(self, action: str, number: str, **detail: Any) -> None:
        """Write into the log what was done to the case ``number``, why, and by which remedy."""
        self.transaction.note(action, number, remedy=self.remedy, why=self.reason, **detail)

    async def steps(self, ids: Collection[str]) -> Sequence[Row[Any]]:
        """The steps ``ids``, locked; one that is being answered this moment is left out."""
        query = select(_STEPS).where(among(self.transaction.connection, _STEPS.c.id, ids)).order_by(_STEPS.c.id)
        if is_postgresql(self.transaction.connection):
            query = query.with_for_update(skip_locked=True)
        return (await self.transaction.connection.execute(query)).all()

    async def change(self, numbers: Collection[str], **values: Any) -> None:
        """Write ``values`` into the rows of the cases ``numbers``, and have them looked at."""
        await self.transaction.connection.execute(
            update(_CASES)
            .where(among(self.transaction.connection, _CASES.c.number, numbers))
            .values({"weighed": LOOK_AGAIN} | values)
        )
        await self.wake(numbers)

    async def reckon(self, numbers: Collection[str], because: str) -> None:
        """Reckon the deadlines of the cases ``numbers`` anew: their clocks were stopped, or go on."""
        connection, clock = self.transaction.connection, self.house.database.clock
        if numbers:
            await reckon(self.transaction, self.house, await load_terms(connection, clock), because, cases=numbers)

    async def wake(self, numbers: Collection[str]) -> None:
        """Say that the cases want work."""
        await wake(self.transaction, numbers, self.house.database.clock.now())

    async def take_back(
        self,
        numbers: Collection[str],
        because: str,
        kinds: Collection[StepKind] = frozenset(StepKind),
        only: Collection[str] | None = None,
    ) -> set[str]:
        """Supersede the unfinished steps of the cases of which no try is out (``only`` these, if given); their ids."""
        mine = and_(
            among(self.transaction.connection, _STEPS.c.case_number, numbers),
            _STEPS.c.state.in_(_TAKEN_BACK),
            _STEPS.c.kind.in_(kinds),
        )
        query = select(_STEPS.c.id, _STEPS.c.case_number).where(mine).order_by(_STEPS.c.id)
        if is_postgresql(self.transaction.connection):
            # Who answers holds the step and then wants the case; we hold the case: such a step is left to its answer.
            query = query.with_for_update(skip_locked=True)
        rows = await self.transaction.connection.execute(query)
        cases = {row.id: row.case_number for row in rows if only is None or row.id in only}
        moves = [Move(step, StepState.SUPERSEDED, because) for step in cases]
        moved = await move_steps(self.transaction, moves)
        for number in sorted({cases[step] for step in moved}):
            steps = sorted(step for step in moved if cases[step] == number)
            self.transaction.note("steps.superseded", number, steps=steps, reason=because)
        return moved

    async def engaged(self) -> dict[str, str]:
        """For each case in hand whose person has another one that is open, or whose permit is good: that case."""
        mine = {one.case.person_key: number for number, one in self.standing.items()}
        good = and_(_PERMITS.c.state != PermitState.ENDED, _PERMITS.c.ends_on.is_(None))
        rows = await self.transaction.connection.execute(
            select(_CASES.c.number, _CASES.c.person_key)
            .outerjoin_from(_CASES, _PERMITS, and_(_PERMITS.c.case_number == _CASES.c.number, good))
            .where(
                among(self.transaction.connection, _CASES.c.person_key, mine),
                or_(_CASES.c.is_open, _PERMITS.c.case_number.is_not(None)),
            )
        )
        found: dict[str, str] = {}
        for number, person in rows:
            for own, one in self.standing.items():
                if one.case.person_key == person and own != number:
                    found[own] = number
        return found


def may_move(standing: Standing, to: CaseState) -> bool:
    """Whether the law of the house lets the case go there."""
    return to in CASE_MOVES[standing.state]
