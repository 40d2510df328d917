"""Nobody waits for departments that answer slowly or not at all, however many."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from sqlalchemy import select, update

from models import Endpoint, Step, StepState
from services.casework import deliveries
from services.casework import watch as watching
from services.casework.advance import advance
from services.casework.deliveries import deliver_steps
from services.casework.watch import Watch
from services.database import table
from services.exchange.client import Answer
from services.exchange.passage import Gate
from services.house import House
from tests.testing.departments import Departments
from tests.testing.people import application, registered

STEPS, ENDPOINTS = table(Step), table(Endpoint)
CASES = 4


class Slow(Departments):
    """Departments of which one answers one message after the other, each when it may."""

    def __init__(self, slow: str) -> None:
        super().__init__()
        self.slow, self.answered, self.may = slow, 0, asyncio.Semaphore(1)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if url.startswith(f"https://{self.slow}."):
            await self.may.acquire()
            self.answered += 1
        return await super().post(url, body, headers)


async def test_a_slow_department_delays_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    departments = Slow("hrss")
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    # It is not silent: it has answered just now, as far as anybody can tell.
    monkeypatch.setattr(watching, "_PATIENCE_TICKS", 1_000_000)
    monkeypatch.setattr(watching, "_TICK", 0.01)
    await departments.connect(house)
    async with house.database.write("test") as transaction:
        mine = ENDPOINTS.c.department == "hrss"
        await transaction.connection.execute(update(ENDPOINTS).where(mine).values(concurrency=1))
    numbers = await registered(house, *(application() for _ in range(CASES)))
    await advance(house.database, house.caseworker, numbers, "dispatch")
    watch = Watch()
    delivery = asyncio.create_task(deliver_steps(house, "dispatch", cases=numbers, watch=watch))
    await asyncio.wait_for(watch.settled({delivery}), 20)
    assert (delivery.done(), departments.answered) == (False, 1)
    async with house.database.read() as connection:
        rows = (await connection.execute(select(STEPS.c.department, STEPS.c.state))).all()
    assert {row.state for row in rows if row.department != "hrss"} == {StepState.DONE}
    for _ in range(CASES):
        departments.may.release()
    tally = await delivery
    assert tally.outcomes["hrss", "done"] == CASES


async def test_many_that_hang_cost_no_more_patience_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[object] = []
    wait = asyncio.wait

    async def tick(*of: object, **how: object) -> object:
        ticks.append(of)
        return await wait(*of, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(watching, "_TICK", 0.001)
    monkeypatch.setattr(watching.asyncio, "wait", tick)
    watch, hung = Watch(), asyncio.create_task(asyncio.Event().wait())
    for department in ("hrss", "police", "health", "justice"):
        watch.begin(department, Gate(8))
    await asyncio.wait_for(watch.settled({hung}), 20)
    assert len(ticks) == watching._PATIENCE_TICKS
    hung.cancel()
