"""The clock set forward and back in the middle of the work: nothing is done twice, nothing waits for the old time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import pytest

from models import CaseState
from services.casework import deliveries
from services.casework.deliveries import deliver_steps
from services.exchange.client import Answer
from services.house import House
from services.ledger.cases import claim_ready
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.looking import case_row, chain_length, granted, in_force, steps
from tests.testing.people import application, registered


class Stepping(Departments):
    """Departments; while they have the first message in hand, something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived, self.go_on = asyncio.Event(), asyncio.Event()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Take one message; the first ones wait until they are let."""
        if not self.go_on.is_set():
            self.arrived.set()
            await self.go_on.wait()
        return await super().post(url, body, headers)


@pytest.fixture
async def stepping(house: House, monkeypatch: pytest.MonkeyPatch) -> Stepping:
    departments = Stepping()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments


@pytest.fixture
async def other(house: House, clock: SetClock) -> AsyncIterator[House]:
    """Another process in the same installation."""
    other = House(house.settings, clock.clock)
    yield other
    await other.close()


@pytest.mark.parametrize("hours", [3, -3])
async def test_the_clock_steps_while_messages_are_out(
    house: House, other: House, clock: SetClock, stepping: Stepping, hours: int
) -> None:
    (number,) = await registered(house, application())
    async with house.database.write("dispatch") as transaction:
        await claim_ready(transaction, clock.clock.now(), 10, 90.0)
    slow = asyncio.create_task(work(house, number))
    await asyncio.wait_for(stepping.arrived.wait(), 20)
    clock.pass_(hours=hours)
    # By this clock the claims are long over, or far ahead: others take the case up, if it is not locked just now.
    stepping.go_on.set()
    taken = await dispatch(other)
    await asyncio.gather(slow, return_exceptions=True)
    # Whatever the two left to each other is done by the next, a retry's time later.
    clock.pass_(hours=4)
    taken += await dispatch(house)
    await deliver_steps(house, "dispatch")
    assert number in taken
    assert (await case_row(house, number)).state is CaseState.CLOSED
    assert await in_force(house, number) == await granted(house, number)
    keys = Counter(event["id"] for event in stepping.sent)
    # A message may have gone out twice, under one key; no step was made twice.
    assert set(keys) == {step.id for step in await steps(house, number)}
    await chain_length(house)
