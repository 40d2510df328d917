"""Doors that shut and open: steps are held and drain, nothing is dropped, and no department waits for another."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models import Attempt, Case, Endpoint, EndpointState, Step, StepKind, StepState
from services.casework import deliveries
from services.casework.advance import advance
from services.casework.claims import Wanted, claim_consignments
from services.casework.deliveries import deliver_steps, deliver_until_silent
from services.casework.watch import Watch
from services.database import table
from services.endpoints.doors import work_waits
from services.endpoints.maintenance import announce_maintenance, end_maintenance
from services.endpoints.preview import held_steps
from services.errors import InputError, NotFoundError
from services.exchange.breaker import MIN_TRIES
from services.house import House
from services.ledger.holding import offer_again
from services.sealing import SealError
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.doors import change, endpoint, states
from tests.testing.people import application, registered

STEPS, ENDPOINTS, ATTEMPTS, CASES = table(Step), table(Endpoint), table(Attempt), table(Case)


async def shut(house: House, departments: Departments, cases: int = MIN_TRIES) -> list[str]:
    """Cases whose verification at hrss fails until its door falls shut."""
    departments.failing["hrss"] = 503
    numbers = await registered(house, *(application() for _ in range(cases)))
    await work(house, *numbers)
    return numbers


def asked(departments: Departments, department: str) -> int:
    return sum(f"-{department}-" in event["id"] for event in departments.sent)


async def test_a_failing_department_is_held_and_everything_due_waits(house: House, departments: Departments) -> None:
    await shut(house, departments)
    door = await endpoint(house)
    assert (door.state, door.because) == (EndpointState.HELD, "http-503")
    assert await states(house) == {StepState.HELD: MIN_TRIES}
    # What is planned meanwhile is held too, without a try.
    before = asked(departments, "hrss")
    await work(house, *await registered(house, application()))
    assert await states(house) == {StepState.HELD: MIN_TRIES + 1}
    assert asked(departments, "hrss") == before
    async with house.database.read() as connection:
        assert await work_waits(connection, house.database.clock.now()) == set()


async def test_one_step_is_let_through_and_opens_the_door_or_shuts_it_for_longer(
    house: House, departments: Departments, clock: SetClock
) -> None:
    await shut(house, departments)
    before = asked(departments, "hrss")
    clock.pass_(minutes=1)
    await deliver_steps(house, "dispatch")
    assert asked(departments, "hrss") == before + 1
    door = await endpoint(house)
    assert (door.state, door.holds) == (EndpointState.HELD, 2)
    assert await states(house) == {StepState.HELD: MIN_TRIES}
    clock.pass_(minutes=2)
    departments.failing.clear()
    await deliver_steps(house, "dispatch")
    assert asked(departments, "hrss") == before + 2
    assert (await endpoint(house)).state is EndpointState.OPEN
    assert (await states(house))[StepState.HELD] == MIN_TRIES - 1


async def test_what_was_held_drains_at_a_bounded_rate_and_all_of_it_arrives(
    house: House, departments: Departments, clock: SetClock
) -> None:
    numbers = await shut(house, departments)
    await change(house, drain_per_second=2.0)
    departments.failing.clear()
    clock.pass_(minutes=1)
    await deliver_steps(house, "dispatch")
    drained = [(await states(house)).get(StepState.DONE, 0)]
    for _ in range(5):
        await deliver_steps(house, "dispatch")
        drained.append((await states(house)).get(StepState.DONE, 0))
        clock.pass_(seconds=1)
    assert all(0 <= after - before <= 3 for before, after in pairwise(drained))
    await deliver_steps(house, "dispatch")
    assert await states(house) == {StepState.DONE: MIN_TRIES}
    await dispatch(house)
    async with house.database.read() as connection:
        unfinished = select(func.count()).where(STEPS.c.state != StepState.DONE)
        assert (await connection.execute(unfinished)).scalar_one() == 0
    assert len(numbers) == MIN_TRIES


async def test_two_processes_do_not_both_try_a_shut_door(
    house: House, departments: Departments, clock: SetClock
) -> None:
    await shut(house, departments)
    before = asked(departments, "hrss")
    clock.pass_(minutes=1)
    twin = House(house.settings, clock.clock)
    try:
        await asyncio.gather(deliver_steps(house, "dispatch"), deliver_steps(twin, "dispatch"))
    finally:
        await twin.database.dispose()
    assert asked(departments, "hrss") == before + 1


async def test_credentials_that_do_not_open_stop_no_other(house: House, departments: Departments) -> None:
    await change(house, secrets=b"altered")
    (number,) = await registered(house, application())
    await work(house, number)
    closed = await endpoint(house)
    assert (closed.state, closed.because) == (EndpointState.CLOSED, "credentials-unreadable")
    async with house.database.read() as connection:
        rows = (await connection.execute(select(STEPS.c.department, STEPS.c.state))).all()
    assert {row.state for row in rows if row.department == "hrss"} == {StepState.HELD}
    assert {row.state for row in rows if row.department != "hrss"} == {StepState.DONE}
    assert asked(departments, "hrss") == 0


async def test_with_the_wrong_keys_nothing_is_closed(house: House, departments: Departments) -> None:
    async with house.database.write("test") as transaction:
        await transaction.connection.execute(update(ENDPOINTS).values(secrets=b"altered"))
    numbers = await registered(house, application())
    await planned(house, numbers)
    with pytest.raises(SealError):
        await deliver_steps(house, "dispatch")
    assert (await endpoint(house)).state is EndpointState.OPEN
    del departments


async def test_a_redirect_is_an_error_told_as_such(house: House, departments: Departments) -> None:
    departments.failing["hrss"] = 308
    await work(house, *await registered(house, application()))
    async with house.database.read() as connection:
        row = (await connection.execute(select(STEPS).where(STEPS.c.department == "hrss"))).one()
    assert (row.state, row.reason) == (StepState.FAILED, "redirected")
    assert asked(departments, "hrss") == 1


async def test_a_window_of_maintenance_holds_and_releases(
    house: House, departments: Departments, clock: SetClock
) -> None:
    now = clock.clock.now()
    async with house.database.write("officer:test") as transaction:
        await announce_maintenance(
            transaction, "hrss", now + timedelta(minutes=1), now + timedelta(hours=2), now, "upgrade"
        )
    clock.pass_(minutes=2)
    (number,) = await registered(house, application())
    await work(house, number)
    assert (await states(house), asked(departments, "hrss")) == ({StepState.HELD: 1}, 0)
    clock.pass_(hours=1, minutes=58)
    await dispatch(house)
    assert set(await states(house)) == {StepState.DONE}


async def test_maintenance_can_end_early(house: House, departments: Departments, clock: SetClock) -> None:
    now = clock.clock.now()
    async with house.database.write("officer:test") as transaction:
        await announce_maintenance(transaction, "hrss", now, now + timedelta(hours=2), now, None)
    await work(house, *await registered(house, application()))
    clock.pass_(minutes=1)
    async with house.database.write("officer:test") as transaction:
        assert await end_maintenance(transaction, "hrss", clock.clock.now()) == 1
    await dispatch(house)
    assert set(await states(house)) == {StepState.DONE}
    del departments


@pytest.mark.parametrize(("begins", "ends"), [(0, 0), (5, 1), (-9, -1), (0, 60 * 24 * 40)])
async def test_a_window_that_makes_no_sense_is_refused(
    house: House, departments: Departments, clock: SetClock, begins: int, ends: int
) -> None:
    del departments
    now = clock.clock.now()
    with pytest.raises(InputError, match="until"):
        async with house.database.write("officer:test") as transaction:
            await announce_maintenance(
                transaction, "hrss", now + timedelta(minutes=begins), now + timedelta(minutes=ends), now, None
            )


async def test_a_department_that_is_not_connected_announces_nothing(house: House, clock: SetClock) -> None:
    now = clock.clock.now()
    with pytest.raises(NotFoundError):
        async with house.database.write("officer:test") as transaction:
            await announce_maintenance(transaction, "hrss", now, now + timedelta(hours=1), now, None)


async def test_the_preview_says_how_many_how_old_and_how_long(
    house: House, departments: Departments, clock: SetClock
) -> None:
    await shut(house, departments)
    await change(house, drain_per_second=4.0)
    created = clock.clock.moment()
    clock.pass_(hours=3)
    async with house.database.read() as connection:
        (one,) = await held_steps(connection, clock.clock.now())
        (other,) = await held_steps(connection, clock.clock.now(), "police")
    assert (one.department, one.count, one.oldest_at, one.drain_seconds) == ("hrss", MIN_TRIES, created, MIN_TRIES / 4)
    assert (one.state, one.because, one.held_at) == ("held", "http-503", created)
    assert (other.count, other.oldest_at, other.state) == (0, None, "open")


async def test_what_an_endpoint_does_not_take_waits_in_the_inbox(
    house: House, departments: Departments, clock: SetClock
) -> None:
    await change(house, districts=["370302"])
    (number,) = await registered(house, application())
    await work(house, number)
    clock.pass_(days=2)
    await dispatch(house)
    assert (await states(house), asked(departments, "hrss")) == ({StepState.DUE: 1}, 0)
    async with house.database.read() as connection:
        assert await work_waits(connection, clock.clock.now()) == set()
    await change(house, districts=["370303"])
    async with house.database.write("officer:test") as transaction:
        assert await offer_again(transaction, "hrss", clock.clock.now()) == 1
    await dispatch(house)
    assert set(await states(house)) == {StepState.DONE}


async def test_a_rate_is_kept_by_processes_that_know_nothing_of_each_other(
    house: House, departments: Departments, clock: SetClock
) -> None:
    await change(house, rate_per_second=1.0)
    numbers = await registered(house, *(application() for _ in range(30)))
    await planned(house, numbers)
    twin = House(house.settings, clock.clock)
    first, second = _claims(house), _claims(twin)
    try:
        claimed = [await first, await second]
    finally:
        await twin.database.dispose()
    # One second a slot and ten seconds ahead at most, however many ask.
    assert [len(one) for one in claimed] == [11, 0]
    assert (await endpoint(house)).rate_until == clock.clock.now() + timedelta(seconds=11)
    del departments


async def planned(house: House, numbers: list[str]) -> None:
    """Plan the cases without a batch's first right to send."""
    await advance(house.database, house.caseworker, numbers, "dispatch")


async def _claims(house: House) -> list[str]:
    wanted = Wanted(departments=("hrss",))
    return [step for one in await claim_consignments(house, "dispatch", wanted, ()) for step in one.steps]


class Hanging:
    """The departments, of which one takes messages and does not answer until it is let."""

    def __init__(self, departments: Departments, hung: str) -> None:
        self.departments, self.hung, self.waiting, self.closed = departments, hung, 0, False
        self.answer = asyncio.Event()

    async def post(self, url: str, body: bytes, headers: Any) -> Any:
        if url.startswith(f"https://{self.hung}."):
            self.waiting += 1
            await self.answer.wait()
        return await self.departments.post(url, body, headers)


async def test_a_hung_department_delays_no_other(
    house: House, departments: Departments, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = Hanging(departments, "hrss")
    monkeypatch.setattr(deliveries, "shared_client", lambda: hanging)
    numbers = await registered(house, *(application() for _ in range(20)))
    await planned(house, numbers)
    watch = Watch()
    stuck = asyncio.create_task(deliver_steps(house, "dispatch", watch=watch))
    await watch.settled({stuck})
    # All others have answered, and it is recorded, while the requests to the one are still out, as many as may be.
    assert not stuck.done()
    assert hanging.waiting == (await endpoint(house)).concurrency
    async with house.database.read() as connection:
        rows = (await connection.execute(select(STEPS.c.department, STEPS.c.state))).all()
    assert {row.state for row in rows if row.department != "hrss"} == {StepState.DONE}
    # Further deliveries pass it over and serve the others at once.
    assert house.sending == {"hrss"}
    more = await registered(house, application())
    await planned(house, more)
    tally = await asyncio.wait_for(deliver_steps(house, "dispatch"), 5)
    assert {department for department, _ in tally.outcomes} == {row.department for row in rows} - {"hrss"}
    stuck.cancel()
    await asyncio.gather(stuck, return_exceptions=True)
    assert house.sending == set()


async def test_the_silent_are_left_to_the_house_and_wake_their_cases(
    house: House, departments: Departments, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = Hanging(departments, "hrss")
    monkeypatch.setattr(deliveries, "shared_client", lambda: hanging)
    numbers = await registered(house, application())
    await planned(house, numbers)
    async with house.database.write("test") as transaction:
        await transaction.connection.execute(update(CASES).values(ready_at=None))
    tally = await deliver_until_silent(house, "dispatch", cases=numbers, watch=Watch(wakes=False))
    # The others have answered, and whoever sent looks for himself; the one is told of as being sent.
    assert tally.outcomes["hrss", "sending"] == 1
    assert sum(count for (_, state), count in tally.outcomes.items() if state == "done") == len(tally.outcomes) - 1
    assert await _ready(house) == {None}
    (delivery,) = house.carried
    hanging.answer.set()
    await house.see_through()
    # Nobody waited for this answer, so it woke the case.
    assert delivery.done()
    assert None not in await _ready(house)
    assert not house.carried


async def _ready(house: House) -> set[Any]:
    async with house.database.read() as connection:
        return set((await connection.execute(select(CASES.c.ready_at))).scalars())


async def test_a_house_that_closes_gives_up_what_it_carries(
    house: House, departments: Departments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "shared_client", lambda: Hanging(departments, "hrss"))
    numbers = await registered(house, application())
    await planned(house, numbers)
    await deliver_until_silent(house, "dispatch", cases=numbers)
    (delivery,) = house.carried
    await house.close()
    assert delivery.cancelled()
    # Its claim runs out by itself, and the step is sent again under the same key.
    async with house.database.read() as connection:
        states = (await connection.execute(select(STEPS.c.state).where(STEPS.c.department == "hrss"))).scalars()
        assert set(states) == {StepState.SENDING}


async def test_a_message_that_cannot_be_written_stops_no_other(house: House, departments: Departments) -> None:
    bad, good = await registered(house, application(), application())
    await planned(house, [bad, good])
    spoiled = {"facts": ["no-such-fact"]}
    async with house.database.write("test") as transaction:
        where = (STEPS.c.case_number == bad, STEPS.c.department == "hrss", STEPS.c.kind == StepKind.VERIFICATION)
        await transaction.connection.execute(update(STEPS).where(*where).values(content=spoiled))
    await deliver_steps(house, "dispatch")
    async with house.database.read() as connection:
        query = select(STEPS.c.case_number, STEPS.c.state, STEPS.c.reason).where(STEPS.c.department == "hrss")
        found = {number: (state, reason) for number, state, reason in await connection.execute(query)}
    assert found == {bad: (StepState.FAILED, "message-not-written"), good: (StepState.DONE, None)}
    del departments
