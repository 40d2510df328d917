"""What closes an endpoint for good (a 410 of the registration that stands), and what is never held against it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models import EndpointState, Step, StepState
from services.casework import deliveries
from services.database import table
from services.endpoints import register_endpoint
from services.exchange.breaker import MIN_TRIES
from services.exchange.delivery import Target
from services.exchange.signatures import new_secret
from services.house import House
from tests.testing.departments import Departments, dispatch, work
from tests.testing.doors import change, endpoint, states
from tests.testing.people import application, registered

STEPS = table(Step)


async def test_410_closes_the_endpoint_and_its_steps_wait_for_it(house: House, departments: Departments) -> None:
    departments.failing["hrss"] = 410
    (number,) = await registered(house, application())
    await work(house, number)
    assert (await endpoint(house)).state is EndpointState.CLOSED
    assert await states(house) == {StepState.HELD: 1}
    departments.failing.clear()
    await change(house, state=EndpointState.OPEN)
    await dispatch(house)
    assert set(await states(house)) == {StepState.DONE}


async def test_a_410_of_an_old_registration_does_not_close_the_new_one(
    house: House, departments: Departments, monkeypatch: pytest.MonkeyPatch
) -> None:
    departments.failing["hrss"] = 410
    answer, fresh = departments.post, new_secret()

    async def registered_anew_meanwhile(url: str, body: bytes, headers: Any) -> Any:
        answered = await answer(url, body, headers)
        if url.startswith("https://hrss."):
            async with house.database.write("officer:test") as transaction:
                await register_endpoint(transaction, house.keys, Target("hrss", url, (fresh,)))
        return answered

    monkeypatch.setattr(departments, "post", registered_anew_meanwhile)
    (number,) = await registered(house, application())
    await work(house, number)
    assert (await endpoint(house)).state is EndpointState.OPEN
    monkeypatch.undo()
    departments.failing.clear()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await dispatch(house)
    await dispatch(house)
    assert set(await states(house)) == {StepState.DONE}


async def test_a_410_leaves_the_reason_for_which_an_endpoint_was_closed_already(
    house: House, departments: Departments, monkeypatch: pytest.MonkeyPatch
) -> None:
    departments.failing["hrss"] = 410
    answer = departments.post

    async def closed_meanwhile(url: str, body: bytes, headers: Any) -> Any:
        answered = await answer(url, body, headers)
        if url.startswith("https://hrss."):
            await departments.disconnect(house, "hrss")
        return answered

    monkeypatch.setattr(departments, "post", closed_meanwhile)
    await work(house, *await registered(house, application()))
    door = await endpoint(house)
    assert (door.state, door.because) == (EndpointState.CLOSED, "closed by a test")
    assert await states(house) == {StepState.HELD: 1}


async def test_a_fault_of_ours_is_tried_again_and_not_counted_against_the_department(
    house: House, departments: Departments, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = departments.post

    async def broken(url: str, body: bytes, headers: Any) -> Any:
        if url.startswith("https://hrss."):
            raise RecursionError
        return await answer(url, body, headers)

    monkeypatch.setattr(departments, "post", broken)
    await work(house, *await registered(house, *(application() for _ in range(MIN_TRIES + 2))))
    door = await endpoint(house)
    assert (door.state, door.window_tries, door.failures_in_row) == (EndpointState.OPEN, 0, 0)
    async with house.database.read() as connection:
        due = (await connection.execute(select(STEPS).where(STEPS.c.department == "hrss"))).all()
    assert {(step.state, step.reason) for step in due} == {(StepState.DUE, "internal")}
    assert all(step.next_attempt_at is not None for step in due)
