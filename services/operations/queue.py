"""What waits in the ledger: the work as it stands whether Prefect is there or not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select

from models import Case, CaseState, Step, StepState
from services.database import among, table
from services.house import House
from services.operations.dispatchers import Seen, dispatchers_seen

_CASES, _STEPS = table(Case), table(Step)


@dataclass(frozen=True, slots=True)
class Queue:
    """Cases that want work and since when the oldest does; cases in hand; steps whose time has come; steps that wait
    for a door to open; cases whose day of review went by; cases set aside; and the dispatchers heard of last.
    """

    ready: int
    ready_since: datetime | None
    in_hand: int
    due: int
    due_since: datetime | None
    held: int
    review_missed: int
    set_aside: int
    dispatchers: tuple[Seen, ...]

    @property
    def at_work(self) -> int:
        """How many dispatchers are at work."""
        return sum(one.at_work for one in self.dispatchers)


async def read_queue(house: House) -> Queue:
    """What waits now."""
    clock = house.database.clock
    now = clock.now()
    ready = and_(_CASES.c.ready_at <= now, _CASES.c.set_aside.is_(None))
    due = and_(_STEPS.c.next_attempt_at <= now, _STEPS.c.state == StepState.DUE)
    missed = and_(_CASES.c.review_on.is_not(None), _CASES.c.review_on < clock.today())
    async with house.database.read() as connection:
        ready_count, ready_since = (
            await connection.execute(select(func.count(), func.min(_CASES.c.ready_at)).where(ready))
        ).one()
        due_count, due_since = (
            await connection.execute(select(func.count(), func.min(_STEPS.c.next_attempt_at)).where(due))
        ).one()
        counts = [
            int((await connection.execute(select(func.count()).where(condition))).scalar_one())
            for condition in (
                # Who is in hand has the end of the lease where the wish for work stands.
                _CASES.c.ready_at > now,
                and_(_STEPS.c.state == StepState.HELD, _STEPS.c.department.in_(_departments(house))),
                missed,
                _CASES.c.set_aside.is_not(None),
            )
        ]
        dispatchers = tuple(await dispatchers_seen(connection, now))
    in_hand, held, review_missed, set_aside = counts
    return Queue(
        int(ready_count), ready_since, in_hand, int(due_count), due_since, held, review_missed, set_aside, dispatchers
    )


async def states_of(house: House, numbers: Collection[str]) -> dict[CaseState, int]:
    """Where the cases ``numbers`` stand: how many in each state."""
    async with house.database.read() as connection:
        query = select(_CASES.c.state, func.count()).where(among(connection, _CASES.c.number, numbers))
        found = {state: int(count) for state, count in await connection.execute(query.group_by(_CASES.c.state))}
    return {state: found[state] for state in CaseState if state in found}


def _departments(house: House) -> list[str]:
    return sorted({code for pack in house.packs.packs for code in pack.departments})
