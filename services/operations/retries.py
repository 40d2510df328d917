"""Retries (重新推送): steps in trouble sent again together: looked at first, tried on a few, verified.

A retry only makes steps due; they go their ordinary way, under their own keys, checked again before they are sent
(``casework.rechecks``). So a retry may be advanced by anybody, at any time, any number of times: twice does nothing
twice. ``running`` has the further steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import IncidentKind, ItemState, RetryItem, RetryRun, RetryState, Step, StepState
from services.database import Transaction, among, is_postgresql, table
from services.errors import ConflictError, NotFoundError
from services.house import House
from services.operations.selection import Selection, Share, choose, preview_shares

_RUNS, _ITEMS, _STEPS = table(RetryRun), table(RetryItem), table(Step)
MAX_CANARY = 3
# A number of our own for the lock under which steps are taken.
_TAKING = 4_187_001
OPEN_RUNS = (RetryState.RUNNING, RetryState.PAUSED)
_ENDS = {
    StepState.DONE: ItemState.CONFIRMED,
    StepState.DECLINED: ItemState.DECLINED,
    StepState.SUPERSEDED: ItemState.SUPERSEDED,
    StepState.WAIVED: ItemState.SUPERSEDED,
}
_MAY: dict[RetryState, frozenset[RetryState]] = {
    RetryState.RUNNING: frozenset({RetryState.PREVIEW, RetryState.PAUSED}),
    RetryState.PAUSED: frozenset({RetryState.RUNNING}),
    RetryState.CANCELLED: frozenset({RetryState.PREVIEW, RetryState.RUNNING, RetryState.PAUSED}),
}


@dataclass(frozen=True, slots=True)
class RetryView:
    """A retry and how far it is, counted in the ledger this moment: ``counts`` of steps by ``ItemState``. ``again``: of
    those sent, how many failed once more and wait for their next try. ``shares``: what is still to be sent, and where.
    """

    id: int
    state: RetryState
    wanted: dict[str, Any]
    canary: int
    because: str | None
    made_by: str
    made_at: datetime
    started_by: str | None
    started_at: datetime | None
    ended_at: datetime | None
    steps: int
    counts: dict[str, int]
    again: int
    shares: tuple[Share, ...]


async def preview_retry(house: House, wanted: Selection, actor: str, canary: int = 1) -> RetryView:
    """Choose what is to be sent again and say what would come of it; nothing is sent until the retry is started."""
    async with house.database.write(actor) as transaction:
        rows = await choose(house, transaction.connection, wanted)
        made = await transaction.connection.execute(
            _RUNS.insert()
            .values(
                state=RetryState.PREVIEW,
                wanted=wanted.to_json(),
                canary=max(1, min(canary, MAX_CANARY)),
                made_by=actor,
                made_at=transaction.at,
            )
            .returning(_RUNS.c.id)
        )
        run: int = made.scalar_one()
        await transaction.insert(RetryItem, [_item(run, row) for row in rows])
        transaction.note("retry.previewed", "system", retry=run, steps=len(rows))
    return await show_retry(house, run)


async def start_retry(house: House, run: int, actor: str) -> RetryView:
    """Start it: every step that no other open retry has becomes this one's, and the first few of each department are
    sent. ConflictError if others have them all.
    """
    async with house.database.write(actor) as transaction:
        row = await _move(transaction, run, RetryState.RUNNING, {RetryState.PREVIEW})
        taken = await _take(transaction, run)
        if not taken:
            raise ConflictError("every step of it is in another retry, or settled by now", place="retry")
        await transaction.connection.execute(
            update(_RUNS).where(_RUNS.c.id == run).values(started_by=actor, started_at=transaction.at)
        )
        transaction.note("retry.started", "system", retry=run, steps=taken, wanted=row.wanted)
    return await show_retry(house, run)


async def pause_retry(house: House, run: int, actor: str) -> RetryView:
    """Send nothing more of it for now. What is on its way stays on its way, and answers take effect."""
    async with house.database.write(actor) as transaction:
        await _move(transaction, run, RetryState.PAUSED)
        transaction.note("retry.paused", "system", retry=run)
    return await show_retry(house, run)


async def resume_retry(house: House, run: int, actor: str) -> RetryView:
    """Go on. Where the first steps failed, others are tried first."""
    async with house.database.write(actor) as transaction:
        await _move(transaction, run, RetryState.RUNNING, {RetryState.PAUSED})
        spent = [item.step_id for item in await items_of(transaction.connection, run) if canary_failed(item)]
        await transaction.connection.execute(
            update(_ITEMS)
            .where(_ITEMS.c.run_id == run, among(transaction.connection, _ITEMS.c.step_id, spent))
            .values(canary=False)
        )
        transaction.note("retry.resumed", "system", retry=run)
    return await show_retry(house, run)


async def cancel_retry(house: House, run: int, actor: str) -> RetryView:
    """End it: what was not sent again is left as it is, free for another retry."""
    async with house.database.write(actor) as transaction:
        await _move(transaction, run, RetryState.CANCELLED)
        mine = _ITEMS.c.run_id == run
        waiting = update(_ITEMS).where(mine, _ITEMS.c.state == ItemState.WAITING).values(state=ItemState.LEFT)
        await transaction.connection.execute(waiting)
        await transaction.connection.execute(update(_ITEMS).where(mine).values(open_step=None))
        transaction.note("retry.cancelled", "system", retry=run)
    return await show_retry(house, run)


async def show_retry(house: House, run: int) -> RetryView:
    """One retry; NotFoundError if there is none of that number."""
    async with house.database.read() as connection:
        row = (await connection.execute(select(_RUNS).where(_RUNS.c.id == run))).one_or_none()
        if row is None:
            raise _nothing()
        shares = await preview_shares(house, connection, run)
        return await _view(connection, row, shares)


async def list_retries(house: House, *, before: int | None = None, limit: int = 50) -> tuple[RetryView, ...]:
    """Retries, the newest first, those made before the one numbered ``before``; without their shares."""
    query = select(_RUNS).order_by(_RUNS.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_RUNS.c.id < before)
    async with house.database.read() as connection:
        rows = (await connection.execute(query)).all()
        return tuple([await _view(connection, row, ()) for row in rows])


def outcome_of(item: Row[Any]) -> ItemState:
    """What became of one step, by the ledger: ``item`` bears ``state`` and ``tries`` of the item, ``step_state`` and
    ``step_attempts`` of the step.
    """
    if item.state not in (ItemState.WAITING, ItemState.SENT):
        return ItemState(item.state)
    if item.step_state is StepState.FAILED and item.state is ItemState.SENT and item.step_attempts > item.tries:
        return ItemState.FAILED
    return _ENDS.get(item.step_state, ItemState(item.state))


def failed_again(item: Row[Any]) -> bool:
    """Whether a step that was sent again failed once more and waits for its next try."""
    waits = item.step_state in (StepState.DUE, StepState.HELD) and item.step_reason is not None
    return bool(item.state is ItemState.SENT and waits and item.step_attempts > item.tries)


def canary_failed(item: Row[Any]) -> bool:
    """Whether a step that was sent first was not confirmed: it failed once more, or the department declined it."""
    return bool(item.canary) and (outcome_of(item) in (ItemState.FAILED, ItemState.DECLINED) or failed_again(item))


async def items_of(connection: AsyncConnection, run: int) -> Sequence[Row[Any]]:
    """The items of a retry with how their steps stand, in the order in which the steps were made."""
    query = (
        select(
            _ITEMS, _STEPS.c.state.label("step_state"), _STEPS.c.attempts.label("step_attempts"),
            _STEPS.c.reason.label("step_reason"),
        )
        .join(_STEPS, _STEPS.c.id == _ITEMS.c.step_id)
        .where(_ITEMS.c.run_id == run)
        .order_by(_STEPS.c.created_at, _STEPS.c.id)
    )  # fmt: skip
    return (await connection.execute(query)).all()


async def _view(connection: AsyncConnection, row: Row[Any], shares: tuple[Share, ...]) -> RetryView:
    items = await items_of(connection, row.id)
    found = Counter(outcome_of(item).value for item in items)
    return RetryView(
        id=row.id,
        state=row.state,
        wanted=row.wanted,
        canary=row.canary,
        because=row.because,
        made_by=row.made_by,
        made_at=row.made_at,
        started_by=row.started_by,
        started_at=row.started_at,
        ended_at=row.ended_at,
        steps=len(items),
        counts={state.value: found[state.value] for state in ItemState if found[state.value]},
        again=sum(failed_again(item) for item in items),
        shares=shares if row.state in (RetryState.PREVIEW, *OPEN_RUNS) else (),
    )


def _item(run: int, row: Row[Any]) -> dict[str, Any]:
    return {
        "run_id": run,
        "step_id": row.id,
        "department": row.department,
        "kind": IncidentKind(row.cause_kind),
        "reason": row.cause_reason,
        "state": ItemState.WAITING,
        "canary": False,
        "tries": row.attempts,
    }


async def lock_run(transaction: Transaction, run: int) -> Row[Any]:
    """The retry's row, nobody else's until the transaction ends; NotFoundError if there is none."""
    query = select(_RUNS).where(_RUNS.c.id == run)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise _nothing()
    return row


async def _move(
    transaction: Transaction, run: int, to: RetryState, origins: set[RetryState] | frozenset[RetryState] | None = None
) -> Row[Any]:
    row = await lock_run(transaction, run)
    if row.state not in (origins if origins is not None else _MAY[to]):
        raise ConflictError(f"is {row.state.value}; from there it cannot be {to.value}", place="retry")
    ended = transaction.at if to is RetryState.CANCELLED else None
    await transaction.connection.execute(
        update(_RUNS).where(_RUNS.c.id == run).values(state=to, because=None, ended_at=ended)
    )
    return row


async def _take(transaction: Transaction, run: int) -> int:
    """Make the steps this retry's own; how many. Those in another open retry are that one's."""
    connection = transaction.connection
    if is_postgresql(connection):
        # Two who start at once take their steps one after the other.
        await connection.execute(select(func.pg_advisory_xact_lock(_TAKING)))
    others = select(_ITEMS.c.open_step).where(_ITEMS.c.open_step.is_not(None))
    taken = set((await connection.execute(others)).scalars())
    mine = [item for item in await items_of(connection, run) if outcome_of(item) is ItemState.WAITING]
    elsewhere = [item.step_id for item in mine if item.step_id in taken]
    own = [item.step_id for item in mine if item.step_id not in taken]
    of_run = _ITEMS.c.run_id == run
    await connection.execute(
        update(_ITEMS).where(of_run, among(connection, _ITEMS.c.step_id, elsewhere)).values(state=ItemState.ELSEWHERE)
    )
    await connection.execute(
        update(_ITEMS).where(of_run, among(connection, _ITEMS.c.step_id, own)).values(open_step=_ITEMS.c.step_id)
    )
    return len(own)


def _nothing() -> NotFoundError:
    return NotFoundError("there is no such retry", place="retry")
