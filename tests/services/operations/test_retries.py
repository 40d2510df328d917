"""Retries: looked at first, tried on a few, verified in the ledger; and nothing is done twice."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import AuditEntry, Endpoint, IncidentKind, RetryState, Step, StepState
from services.casework.deliveries import deliver_steps
from services.database import table
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from services.operations.retries import (
    RetryView,
    cancel_retry,
    list_retries,
    pause_retry,
    preview_retry,
    resume_retry,
    show_retry,
    start_retry,
)
from services.operations.selection import Selection
from services.operations.watching import list_incidents
from services.supervision import supervise as looks
from services.supervision.supervise import supervise
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.looking import chain_length
from tests.testing.people import application, registered

FUND = "housing-fund"
ADMIN = "administrator:test"


@pytest.fixture(autouse=True)
def _passing(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look of the dispatcher is a second after the last."""

    async def look(house: House) -> None:
        clock.pass_(seconds=1)
        await looks.supervise(house)

    monkeypatch.setattr(sys.modules[__name__], "supervise", look)


async def _failed(house: House, departments: Departments, count: int, *at: str) -> list[str]:
    """Cases whose steps at the departments ``at`` failed for good; the departments are well afterwards."""
    departments.failing |= dict.fromkeys(at or (FUND,), 400)
    numbers = await registered(house, *(application() for _ in range(count)))
    await work(house, *numbers)
    departments.failing.clear()
    departments.sent.clear()
    return numbers


async def _step(house: House, number: str, department: str = FUND) -> str:
    steps = table(Step)
    async with house.database.read() as connection:
        query = select(steps.c.id).where(steps.c.case_number == number, steps.c.department == department)
        return str((await connection.execute(query.order_by(steps.c.id))).scalars().first())


async def _round(house: House, run: int) -> RetryView:
    """One look of the dispatcher, and what is due is sent."""
    await supervise(house)
    await deliver_steps(house, "dispatch")
    return await show_retry(house, run)


async def _rounds(house: House, run: int, count: int = 6) -> RetryView:
    for _ in range(count):
        await _round(house, run)
    return await show_retry(house, run)


async def test_a_preview_touches_nothing_and_says_what_goes_where(house: House, departments: Departments) -> None:
    await _failed(house, departments, 3)
    run = await preview_retry(house, Selection(department=FUND), ADMIN)
    assert (run.state, run.steps, run.counts) == (RetryState.PREVIEW, 3, {"waiting": 3})
    (share,) = run.shares
    assert (share.department.code, share.steps, share.superseded, share.open) == (FUND, 3, 0, True)
    assert share.url == f"https://{FUND}.test/webhook"
    assert (await _rounds(house, run.id)).counts == {"waiting": 3}
    assert departments.sent == []


async def test_a_canary_goes_first_and_the_rest_when_it_is_confirmed(house: House, departments: Departments) -> None:
    await _failed(house, departments, 5)
    (incident,) = await list_incidents(house)
    run = await preview_retry(house, Selection(incident=incident.id), ADMIN)
    await start_retry(house, run.id, ADMIN)
    await supervise(house)
    assert (await show_retry(house, run.id)).counts == {"waiting": 4, "sent": 1}
    (same,) = await list_incidents(house)
    assert (same.id, same.cases, same.state) == (incident.id, 5, "closing")
    await deliver_steps(house, "dispatch")
    assert len(departments.sent) == 1
    assert (await show_retry(house, run.id)).counts == {"waiting": 4, "confirmed": 1}
    done = await _rounds(house, run.id)
    assert (done.state, done.counts) == (RetryState.CLOSED, {"confirmed": 5})
    assert await list_incidents(house) == ()
    sent = Counter(event["id"] for event in departments.sent)
    assert set(sent.values()) == {1}
    assert len(sent) == 5
    await chain_length(house)


async def test_a_canary_that_fails_stops_the_rest_until_somebody_resumes(
    house: House, departments: Departments
) -> None:
    await _failed(house, departments, 4)
    departments.failing[FUND] = 400
    run = await preview_retry(house, Selection(department=FUND), ADMIN)
    await start_retry(house, run.id, ADMIN)
    stopped = await _rounds(house, run.id)
    assert (stopped.state, stopped.because) == (RetryState.PAUSED, f"canary-failed:{FUND}")
    assert stopped.counts == {"waiting": 3, "failed": 1}
    assert len(departments.sent) == 1
    departments.failing.clear()
    await resume_retry(house, run.id, ADMIN)
    done = await _rounds(house, run.id)
    assert (done.state, done.counts) == (RetryState.UNCONFIRMED, {"confirmed": 3, "failed": 1})


async def test_a_retry_of_which_a_step_failed_or_was_declined_is_over_but_not_closed(
    house: House, departments: Departments
) -> None:
    (failed,) = await _failed(house, departments, 1)
    departments.failing[FUND] = 400
    run = await preview_retry(house, Selection(case=failed), ADMIN)
    await start_retry(house, run.id, ADMIN)
    over = await _rounds(house, run.id)
    assert (over.state, over.counts, over.because) == (RetryState.UNCONFIRMED, {"failed": 1}, None)
    assert over.ended_at is not None
    departments.failing.clear()
    (declined,) = await _failed(house, departments, 1, "culture")
    departments.declines["ZB87-3.1.7a"] = "system-error"
    run = await preview_retry(house, Selection(case=declined, department="culture"), ADMIN)
    await start_retry(house, run.id, ADMIN)
    over = await _rounds(house, run.id)
    assert over.state is RetryState.UNCONFIRMED
    assert set(over.counts) == {"declined"}
    assert await _noted(house) == {"retry.unconfirmed": 2}
    # What it did not get through is free for another.
    assert (await preview_retry(house, Selection(case=failed), ADMIN)).steps == 1
    with pytest.raises(ConflictError):
        await cancel_retry(house, over.id, ADMIN)


async def _noted(house: House) -> Counter[str]:
    """How retries ended, by the audit log."""
    entries = table(AuditEntry)
    async with house.database.read() as connection:
        query = select(entries.c.action).where(entries.c.action.in_(("retry.closed", "retry.unconfirmed")))
        return Counter((await connection.execute(query)).scalars())


async def test_an_acknowledgement_is_no_confirmation(house: House, departments: Departments) -> None:
    numbers = await _failed(house, departments, 2)
    departments.silent.add(FUND)
    run = await preview_retry(house, Selection(department=FUND), ADMIN)
    await start_retry(house, run.id, ADMIN)
    assert (await _rounds(house, run.id)).counts == {"waiting": 1, "sent": 1}
    departments.silent.clear()
    for number in numbers:
        await departments.call_back(house, number, FUND)
    assert (await _rounds(house, run.id)).state is RetryState.CLOSED


async def test_what_is_answered_during_a_pause_counts_and_is_not_sent(house: House, departments: Departments) -> None:
    numbers = await _failed(house, departments, 3)
    run = await preview_retry(house, Selection(department=FUND), ADMIN)
    await start_retry(house, run.id, ADMIN)
    await _round(house, run.id)
    await pause_retry(house, run.id, ADMIN)
    assert (await _rounds(house, run.id)).counts == {"waiting": 2, "confirmed": 1}
    step = await _step(house, numbers[2])
    await departments.report(house, FUND, {"step": step, "facts": {"housing_fund_12_months": True}})
    assert (await show_retry(house, run.id)).counts == {"waiting": 1, "confirmed": 2}
    await resume_retry(house, run.id, ADMIN)
    done = await _rounds(house, run.id)
    assert (done.state, done.counts) == (RetryState.CLOSED, {"confirmed": 3})
    assert step not in {event["id"] for event in departments.sent}


async def test_two_administrators_at_once_send_nothing_twice(house: House, departments: Departments) -> None:
    await _failed(house, departments, 3)
    first = await preview_retry(house, Selection(department=FUND), "administrator:a")
    second = await preview_retry(house, Selection(department=FUND), "administrator:b")
    answers = await asyncio.gather(
        start_retry(house, first.id, "administrator:a"), start_retry(house, second.id, "administrator:b"),
        return_exceptions=True,
    )  # fmt: skip
    assert sorted(type(answer).__name__ for answer in answers) == ["ConflictError", "RetryView"]
    with pytest.raises(ConflictError):
        await preview_retry(house, Selection(department=FUND), "administrator:c")
    for _ in range(5):
        await asyncio.gather(supervise(house), supervise(house))
        await deliver_steps(house, "dispatch")
    sent = Counter(event["id"] for event in departments.sent)
    assert (len(sent), set(sent.values())) == (3, {1})


async def test_the_second_takes_only_what_the_first_has_not(house: House, departments: Departments) -> None:
    numbers = await _failed(house, departments, 3)
    whole = await preview_retry(house, Selection(department=FUND), ADMIN)
    one = await preview_retry(house, Selection(case=numbers[0]), ADMIN)
    await start_retry(house, one.id, ADMIN)
    started = await start_retry(house, whole.id, ADMIN)
    assert started.counts == {"waiting": 2, "elsewhere": 1}


async def test_cancelled_leaves_the_rest_free_for_another(house: House, departments: Departments) -> None:
    await _failed(house, departments, 3)
    run = await preview_retry(house, Selection(department=FUND), ADMIN)
    await start_retry(house, run.id, ADMIN)
    await _round(house, run.id)
    ended = await cancel_retry(house, run.id, ADMIN)
    assert (ended.state, ended.counts) == (RetryState.CANCELLED, {"confirmed": 1, "left": 2})
    assert (await _rounds(house, run.id)).counts == ended.counts
    assert len(departments.sent) == 1
    assert (await preview_retry(house, Selection(department=FUND), ADMIN)).steps == 2


async def test_each_department_has_a_canary_of_its_own(house: House, departments: Departments) -> None:
    await _failed(house, departments, 3, FUND, "culture")
    run = await preview_retry(house, Selection(kind=IncidentKind.FAILED), ADMIN, canary=2)
    assert {share.department.code: share.steps for share in run.shares} == {FUND: 3, "culture": 3}
    await start_retry(house, run.id, ADMIN)
    await supervise(house)
    assert (await show_retry(house, run.id)).counts == {"waiting": 2, "sent": 4}
    done = await _rounds(house, run.id)
    assert (done.state, done.counts) == (RetryState.CLOSED, {"confirmed": 6})


async def test_what_is_no_longer_right_is_foreseen_and_not_sent(house: House, departments: Departments) -> None:
    (number,) = await _failed(house, departments, 1, "culture")
    steps = table(Step)
    from models import Entitlement  # noqa: PLC0415

    services = table(Entitlement)
    async with house.database.write("test") as transaction:
        await transaction.connection.execute(
            update(services)
            .where(services.c.case_number == number, services.c.department == "culture")
            .values(until_on=house.database.clock.today() - timedelta(days=1))
        )
    run = await preview_retry(house, Selection(case=number), ADMIN)
    assert [share.superseded for share in run.shares] == [1]
    await start_retry(house, run.id, ADMIN)
    done = await _rounds(house, run.id)
    assert (done.state, done.counts) == (RetryState.CLOSED, {"superseded": 1})
    assert departments.sent == []
    async with house.database.read() as connection:
        states = await connection.execute(
            select(steps.c.state).where(steps.c.id == await _step(house, number, "culture"))
        )
    assert states.scalar_one() is StepState.SUPERSEDED


async def test_a_step_waiting_for_its_next_try_is_tried_now(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.failing[FUND] = 503
    (number,) = await registered(house, application())
    await work(house, number)
    departments.failing.clear()
    run = await preview_retry(house, Selection(step=await _step(house, number)), ADMIN)
    await start_retry(house, run.id, ADMIN)
    done = await _rounds(house, run.id, 2)
    assert (done.state, done.counts) == (RetryState.CLOSED, {"confirmed": 1})
    del clock


async def test_one_that_fails_again_for_a_while_is_told_as_such(house: House, departments: Departments) -> None:
    await _failed(house, departments, 2)
    departments.failing[FUND] = 503
    run = await preview_retry(house, Selection(department=FUND), ADMIN)
    await start_retry(house, run.id, ADMIN)
    stopped = await _rounds(house, run.id, 3)
    assert (stopped.state, stopped.again, stopped.counts) == (RetryState.PAUSED, 1, {"waiting": 1, "sent": 1})


async def test_no_move_that_makes_no_sense(house: House, departments: Departments) -> None:
    with pytest.raises(InputError):
        await preview_retry(house, Selection(), ADMIN)
    with pytest.raises(ConflictError):
        await preview_retry(house, Selection(department=FUND), ADMIN)
    with pytest.raises(NotFoundError):
        await preview_retry(house, Selection(incident=7), ADMIN)
    with pytest.raises(NotFoundError):
        await start_retry(house, 7, ADMIN)
    await _failed(house, departments, 1)
    run = await preview_retry(house, Selection(department=FUND), ADMIN)
    for move in (pause_retry, resume_retry):
        with pytest.raises(ConflictError):
            await move(house, run.id, ADMIN)
    await start_retry(house, run.id, ADMIN)
    with pytest.raises(ConflictError):
        await start_retry(house, run.id, ADMIN)
    await _rounds(house, run.id)
    with pytest.raises(ConflictError):
        await cancel_retry(house, run.id, ADMIN)
    assert [one.id for one in await list_retries(house)] == [run.id]


async def test_a_retry_keeps_the_rate_of_what_piled_up(house: House, departments: Departments) -> None:
    await _failed(house, departments, 13)
    async with house.database.write(ADMIN) as transaction:
        await transaction.connection.execute(
            update(table(Endpoint)).where(table(Endpoint).c.department == FUND).values(drain_per_second=2.0)
        )
    one = await preview_retry(house, Selection(department=FUND), ADMIN)
    await start_retry(house, one.id, ADMIN)
    sent: list[int] = []
    state = RetryState.RUNNING
    while state is RetryState.RUNNING and len(sent) < 20:
        before = len(departments.sent)
        state = (await _round(house, one.id)).state
        sent.append(len(departments.sent) - before)
    assert state is RetryState.CLOSED
    # A look a second: the canary, then two a second, whatever the looks allow ahead.
    assert max(sent) <= 2
    assert sum(sent) == 13
    assert len({event["id"] for event in departments.sent}) == 13


async def test_two_retries_at_one_department_keep_its_rate_together(house: House, departments: Departments) -> None:
    numbers = await _failed(house, departments, 8)
    async with house.database.write(ADMIN) as transaction:
        await transaction.connection.execute(
            update(table(Endpoint)).where(table(Endpoint).c.department == FUND).values(drain_per_second=1.0)
        )
    runs = []
    for half in (numbers[:4], numbers[4:]):
        for number in half[:1]:
            runs.append(await preview_retry(house, Selection(case=number), ADMIN))
    rest = await preview_retry(house, Selection(department=FUND), ADMIN)
    for run in (*runs, rest):
        await start_retry(house, run.id, ADMIN)
    sent: list[int] = []
    while (await show_retry(house, rest.id)).state is RetryState.RUNNING and len(sent) < 20:
        before = len(departments.sent)
        await _round(house, rest.id)
        sent.append(len(departments.sent) - before)
    assert sum(sent) == 8
    # Three canaries at once, one of each retry; from then on one a second.
    assert sent[0] == 3
    assert max(sent[1:]) <= 1
