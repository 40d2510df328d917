"""Advancing retries: a few steps of each department first; when they are confirmed the rest, at the endpoint's rate.

Everything is worked out anew from the ledger each time, under the retry's own lock. Nothing is sent from here: steps
become due, and the dispatcher sends them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update

from models import Endpoint, ItemState, RetryItem, RetryRun, RetryState, Step, StepState
from services.database import Transaction, among, is_postgresql, table
from services.house import House
from services.ledger.steps import Move, move_steps
from services.operations.retries import OPEN_RUNS, canary_failed, items_of, lock_run, outcome_of

_RUNS, _ITEMS, _STEPS, _ENDPOINTS = table(RetryRun), table(RetryItem), table(Step), table(Endpoint)
_ACTOR = "supervise"
# Seconds' worth of the endpoint's rate that are made due ahead: a pause takes hold within that time, and it is longer
# than the dispatcher's time between two looks.
_AHEAD_SECONDS = 5.0
CANARY_FAILED = "canary-failed"


async def advance_retries(house: House) -> None:
    """Take every open retry as far as it goes now. Safe to repeat, and side by side."""
    async with house.database.read() as connection:
        runs = list((await connection.execute(select(_RUNS.c.id).where(_RUNS.c.state.in_(OPEN_RUNS)))).scalars())
    for run in runs:
        async with house.database.write(_ACTOR) as transaction:
            await _advance(transaction, run, house.database.clock.now())


async def _advance(transaction: Transaction, run: int, now: datetime) -> None:
    row = await lock_run(transaction, run)
    if row.state not in OPEN_RUNS:
        return
    items = await items_of(transaction.connection, run)
    outcomes = {item.step_id: outcome_of(item) for item in items}
    counts = Counter(outcomes.values())
    told = {state.value: count for state, count in sorted(counts.items())}
    if await _settle(transaction, run, items, outcomes):
        transaction.note("retry.advanced", "system", retry=run, counts=told)
    if not counts[ItemState.WAITING] and not counts[ItemState.SENT]:
        ended = _ended(counts)
        await transaction.connection.execute(
            update(_RUNS).where(_RUNS.c.id == run).values(state=ended, ended_at=transaction.at)
        )
        transaction.note(f"retry.{ended.value}", "system", retry=run, counts=told)
        return
    if row.state is not RetryState.RUNNING:
        return
    shares: dict[str, list[Row[Any]]] = defaultdict(list)
    for item in items:
        shares[item.department].append(item)
    for department, share in sorted(shares.items()):
        if any(canary_failed(item) for item in share):
            because = f"{CANARY_FAILED}:{department}"
            await transaction.connection.execute(
                update(_RUNS).where(_RUNS.c.id == run).values(state=RetryState.PAUSED, because=because)
            )
            transaction.note("retry.paused", "system", retry=run, because=because)
            return
    for department, share in sorted(shares.items()):
        await _release(transaction, run, row.canary, department, share, outcomes, now)


def _ended(counts: Mapping[ItemState, int]) -> RetryState:
    """As what a retry ends of which nothing is under way: closed only if the departments confirmed all that was sent.
    What is no longer needed, or another retry's, is nothing that this one owes.
    """
    short = any(counts[state] for state in (ItemState.FAILED, ItemState.DECLINED))
    return RetryState.UNCONFIRMED if short else RetryState.CLOSED


async def _settle(
    transaction: Transaction, run: int, items: Sequence[Row[Any]], outcomes: Mapping[str, ItemState]
) -> int:
    """Write down what the ledger says is settled, and let those steps go; how many."""
    settled: dict[ItemState, list[str]] = defaultdict(list)
    for item in items:
        if outcomes[item.step_id] is not item.state:
            settled[outcomes[item.step_id]].append(item.step_id)
    for state, ids in settled.items():
        await transaction.connection.execute(
            update(_ITEMS)
            .where(_ITEMS.c.run_id == run, among(transaction.connection, _ITEMS.c.step_id, ids))
            .values(state=state, open_step=None)
        )
    return sum(map(len, settled.values()))


async def _release(  # noqa: PLR0917 - one department's share of one look
    transaction: Transaction,
    run: int,
    canary: int,
    department: str,
    share: Sequence[Row[Any]],
    outcomes: Mapping[str, ItemState],
    now: datetime,
) -> None:
    waiting = [item for item in share if outcomes[item.step_id] is ItemState.WAITING]
    if not waiting:
        return
    tried = [item for item in share if item.canary]
    unsettled = [item for item in tried if outcomes[item.step_id] in (ItemState.WAITING, ItemState.SENT)]
    if any(outcomes[item.step_id] is ItemState.CONFIRMED for item in tried) and not unsettled:
        slots = await _slots(transaction, department, now)
        await _send(transaction, run, waiting, slots)
    elif not unsettled:
        first = waiting[:canary]
        await transaction.connection.execute(
            update(_ITEMS)
            .where(
                _ITEMS.c.run_id == run,
                among(transaction.connection, _ITEMS.c.step_id, [item.step_id for item in first]),
            )
            .values(canary=True)
        )
        await _send(transaction, run, first, [now] * len(first))
    else:
        first = [item for item in unsettled if item in waiting]
        await _send(transaction, run, first, [now] * len(first))


async def _slots(transaction: Transaction, department: str, now: datetime) -> list[datetime]:
    """When the next steps may go out, one after the other at the rate at which a department takes what piled up, some
    seconds ahead. After those of every open retry: they keep the rate together.
    """
    query = select(_ENDPOINTS.c.rate_per_second, _ENDPOINTS.c.drain_per_second)
    row = (await transaction.connection.execute(query.where(_ENDPOINTS.c.department == department))).one_or_none()
    rate: float = min(row.drain_per_second, row.rate_per_second or row.drain_per_second) if row is not None else 1.0
    interval = timedelta(seconds=1 / max(rate, 0.001))
    given = (
        select(func.max(_ITEMS.c.due_at))
        .join_from(_ITEMS, _RUNS, _RUNS.c.id == _ITEMS.c.run_id)
        .where(_ITEMS.c.department == department, _RUNS.c.state.in_(OPEN_RUNS))
    )
    last: datetime | None = (await transaction.connection.execute(given)).scalar_one()
    first = now if last is None else max(now, last + interval)
    left = now + timedelta(seconds=_AHEAD_SECONDS) - first
    count = max(0, math.floor(left / interval) + 1) if left >= timedelta(0) else 0
    return [first + place * interval for place in range(count)]


async def _send(transaction: Transaction, run: int, items: Sequence[Row[Any]], slots: Sequence[datetime]) -> None:
    """Make as many of the steps due as there are slots, each in its own. One that moved by itself meanwhile is left to
    the next look.
    """
    states = await _locked_states(transaction, [item.step_id for item in items[: len(slots)]])
    ready = [item for item in items[: len(slots)] if states.get(item.step_id) is item.step_state]
    if not ready:
        return
    again = [item for item in ready if item.step_state in (StepState.FAILED, StepState.RECEIVED)]
    await move_steps(transaction, [Move(item.step_id, StepState.DUE, item.step_reason, slots[0]) for item in again])
    # What is on its way already, or held until its door opens, is as good as sent: the try to come is this retry's.
    sent = [
        {
            "step": item.step_id,
            "before": item.step_attempts - (item.step_state is StepState.SENDING),
            "at": at,
        }
        for item, at in zip(ready, slots, strict=False)
    ]
    connection = transaction.connection
    await connection.execute(
        update(_STEPS)
        .where(_STEPS.c.id == bindparam("step"), _STEPS.c.state == StepState.DUE)
        .values(next_attempt_at=bindparam("at")),
        sent,
    )
    await connection.execute(
        update(_ITEMS)
        .where(_ITEMS.c.run_id == run, _ITEMS.c.step_id == bindparam("step"))
        .values(state=ItemState.SENT, tries=bindparam("before"), due_at=bindparam("at")),
        sent,
    )
    transaction.note("retry.sent", items[0].department, retry=run, steps=len(sent))


async def _locked_states(transaction: Transaction, ids: Sequence[str]) -> dict[str, StepState]:
    """Where the steps stand, each nobody else's until the transaction ends."""
    query = select(_STEPS.c.id, _STEPS.c.state).where(among(transaction.connection, _STEPS.c.id, ids))
    query = query.order_by(_STEPS.c.id)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    return {row.id: row.state for row in await transaction.connection.execute(query)}
