"""Steps: claimed by one at a time, fenced by their lease, tried again on time, moved only as the law allows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from models import Attempt, StepState
from models.states import STEP_MOVES
from services.database import Database, table
from services.ledger.steps import Move, StepClaim, claim_steps, move_steps, record_attempts, steps_due

SECONDS = 60.0


async def _claim(
    database: Database, limit: int = 100, departments: tuple[str, ...] = ("hrss",), **only: Any
) -> StepClaim:
    async with database.write("dispatch") as transaction:
        now = database.clock.now()
        return await claim_steps(transaction, now, departments=departments, limit=limit, seconds=SECONDS, **only)


async def _move(database: Database, *moves: Move, lease: str | None = None) -> set[str]:
    async with database.write("dispatch") as transaction:
        return await move_steps(transaction, moves, lease=lease)


async def test_two_who_claim_at_once_never_hold_the_same_step(ledger: Any) -> None:
    (case,) = await ledger.cases(1)
    ids = await ledger.steps(case, 40)
    claims = await asyncio.gather(*(_claim(database, 5) for database in [ledger.database, ledger.twin] * 5))
    held = [step.id for claim in claims for step in claim.steps]
    assert len(held) == len(set(held))
    held += [step.id for step in (await _claim(ledger.database)).steps]
    assert sorted(held) == sorted(ids)


async def test_a_late_worker_changes_nothing(ledger: Any) -> None:
    (case,) = await ledger.cases(1)
    (step,) = await ledger.steps(case, 1)
    slow = await _claim(ledger.database)
    assert (await _claim(ledger.twin)).steps == ()
    ledger.clock.pass_(seconds=SECONDS + 1)
    quick = await _claim(ledger.twin)
    assert [(one.id, one.attempt) for one in quick.steps] == [(step, 2)]
    assert await _move(ledger.database, Move(step, StepState.FAILED, "timeout"), lease=slow.lease) == set()
    assert (await ledger.step(step)).state is StepState.SENDING
    assert await _move(ledger.twin, Move(step, StepState.DONE), lease=quick.lease) == {step}
    assert await _move(ledger.database, Move(step, StepState.DUE, "reset"), lease=slow.lease) == set()
    assert (await ledger.step(step)).state is StepState.DONE


async def test_a_retry_is_claimed_when_its_time_comes(ledger: Any) -> None:
    (case,) = await ledger.cases(1)
    (step,) = await ledger.steps(case, 1)
    claim = await _claim(ledger.database)
    again = ledger.clock.clock.now() + timedelta(minutes=5)
    await _move(ledger.database, Move(step, StepState.DUE, "http-503", again), lease=claim.lease)
    row = await ledger.step(step)
    assert (row.state, row.reason, row.next_attempt_at, row.lease) == (StepState.DUE, "http-503", again, None)
    ledger.clock.pass_(minutes=4)
    assert (await _claim(ledger.database)).steps == ()
    ledger.clock.pass_(minutes=2)
    assert [one.attempt for one in (await _claim(ledger.database)).steps] == [2]


async def test_who_holds_the_case_sends_first_and_others_when_it_died(ledger: Any) -> None:
    (case,) = await ledger.cases(1)
    later = ledger.clock.clock.now() + timedelta(seconds=SECONDS)
    await ledger.steps(case, 2, next_attempt_at=later)
    assert (await _claim(ledger.twin)).steps == ()
    assert len((await _claim(ledger.database, 1, cases=[case])).steps) == 1
    ledger.clock.pass_(seconds=SECONDS)
    assert len((await _claim(ledger.twin)).steps) == 2


async def test_a_retry_that_waits_is_not_hurried_by_its_case(ledger: Any) -> None:
    (case,) = await ledger.cases(1)
    later = ledger.clock.clock.now() + timedelta(minutes=5)
    await ledger.steps(case, 1, next_attempt_at=later, attempts=1)
    assert (await _claim(ledger.database, cases=[case])).steps == ()


async def test_only_departments_and_cases_asked_for_are_claimed(ledger: Any) -> None:
    one, two = await ledger.cases(2)
    await ledger.steps(one, 2)
    await ledger.steps(two, 1)
    await ledger.steps(one, 1, department="health")
    assert (await _claim(ledger.database, departments=("justice",))).steps == ()
    claim = await _claim(ledger.database, departments=("hrss",), cases=[one])
    assert {(step.case_number, step.department) for step in claim.steps} == {(one, "hrss")}
    assert len(claim.steps) == 2


async def test_a_key_is_used_once(ledger: Any) -> None:
    (case,) = await ledger.cases(1)
    await ledger.steps(case, 1)
    with pytest.raises(IntegrityError):
        await ledger.steps(case, 1)


@pytest.mark.parametrize("origin", list(StepState))
async def test_a_step_moves_as_the_table_of_states_says_and_no_other_way(ledger: Any, origin: StepState) -> None:
    (case,) = await ledger.cases(1)
    ids = await ledger.steps(case, len(StepState), state=origin)
    for target, step in zip(StepState, ids, strict=True):
        moved = await _move(ledger.database, Move(step, target, "because"))
        assert moved == ({step} if target in STEP_MOVES[origin] else set())
        assert (await ledger.step(step)).state is (target if moved else origin)


async def test_what_settled_says_when(ledger: Any) -> None:
    (case,) = await ledger.cases(1)
    (step,) = await ledger.steps(case, 1, state=StepState.SENDING)
    await _move(ledger.database, Move(step, StepState.RECEIVED))
    received = await ledger.step(step)
    assert (received.received_at, received.settled_at) == (ledger.clock.clock.now(), None)
    ledger.clock.pass_(hours=3)
    await _move(ledger.database, Move(step, StepState.DONE))
    done = await ledger.step(step)
    assert (done.received_at, done.settled_at) == (received.received_at, ledger.clock.clock.now())


async def test_a_try_is_recorded_once(ledger: Any) -> None:
    (case,) = await ledger.cases(1)
    (step,) = await ledger.steps(case, 1)
    row = {"step_id": step, "number": 1, "started_at": ledger.clock.clock.now(), "duration_ms": 12, "status": 200,
           "sent_digest": "0" * 64}  # fmt: skip
    for status in (200, 503):
        async with ledger.database.write("dispatch") as transaction:
            await record_attempts(transaction, [row | {"status": status}])
    attempts = table(Attempt)
    async with ledger.database.read() as connection:
        assert [one.status for one in await connection.execute(attempts.select())] == [200]


async def test_something_is_due_only_where_it_can_be_sent(ledger: Any) -> None:
    (case,) = await ledger.cases(1)
    await ledger.steps(case, 1)

    async def due() -> bool:
        async with ledger.database.read() as connection:
            return await steps_due(connection, ledger.clock.clock.now())

    assert not await due()
    await ledger.connect("health")
    assert not await due()
    await ledger.connect("hrss")
    assert await due()
    await _claim(ledger.database)
    assert not await due()
    ledger.clock.pass_(seconds=SECONDS + 1)
    assert await due()
