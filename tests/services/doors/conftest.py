"""A house in which one department comes for its steps itself, and all others are willing and quick."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from models import Attempt, Door, Endpoint, EndpointState, Step
from services.casework import deliveries
from services.database import table
from services.exchange.addresses import Guard
from services.house import House
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

Open = Callable[..., Awaitable[str]]


@pytest.fixture
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Departments:
    departments = Departments()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    house.guard = Guard.of(["127.0.0.1", "10.0.0.0/8"])
    await departments.connect(house)
    return departments


@pytest.fixture
async def open_case(house: House, departments: Departments) -> Open:
    """Registers a case and takes it as far as it goes."""
    del departments

    async def open_case(**changes: Any) -> str:
        (number,) = await registered(house, application(**changes))
        await work(house, number)
        return number

    return open_case


@pytest.fixture
def change(house: House) -> Callable[..., Awaitable[None]]:
    """Changes the row of an endpoint: ``await change("hrss", door=Door.POLL)``."""

    async def change(department: str, **values: Any) -> None:
        endpoints = table(Endpoint)
        async with house.database.write("administrator:test") as transaction:
            mine = endpoints.c.department == department
            await transaction.connection.execute(update(endpoints).where(mine).values(values))

    return change


@pytest.fixture
async def hrss_polls(departments: Departments, change: Callable[..., Awaitable[None]]) -> None:
    """hrss fetches its steps itself."""
    del departments
    await change("hrss", door=Door.POLL, state=EndpointState.OPEN, url=None)


async def steps_of(house: House, department: str) -> list[Any]:
    """The rows of a department's steps, in the order in which they were made."""
    steps = table(Step)
    async with house.database.read() as connection:
        query = select(steps).where(steps.c.department == department).order_by(steps.c.created_at, steps.c.id)
        return list((await connection.execute(query)).all())


async def attempts_of(house: House, step: str) -> list[Any]:
    """The rows of a step's attempts."""
    attempts = table(Attempt)
    async with house.database.read() as connection:
        query = select(attempts).where(attempts.c.step_id == step).order_by(attempts.c.number)
        return list((await connection.execute(query)).all())
