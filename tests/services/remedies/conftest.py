"""Departments that answer in the process, and an administrator with a colleague."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.access import Caller
from services.casework import deliveries
from services.house import House
from services.remedies.asking import Asked, ask_remedy
from services.remedies.orders import read_order
from tests.testing.accounts import person
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

Ask = Callable[..., Awaitable[Asked]]


@pytest.fixture
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Departments:
    """Every department, willing and quick until a test says otherwise."""
    departments = Departments()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments


@pytest.fixture
async def administrator(house: House) -> Caller:
    """Who asks."""
    return await person(house, "wang")


@pytest.fixture
async def colleague(house: House) -> Caller:
    """The second person."""
    return await person(house, "li")


@pytest.fixture
def ask(house: House, administrator: Caller) -> Ask:
    """Asks for a remedy: ``await ask("cancel", cases=[number], end="revoked")``."""

    async def ask(kind: str, caller: Caller = administrator, **content: Any) -> Asked:
        return await ask_remedy(house, caller, read_order({"kind": kind, "reason": "经核实"} | content))

    return ask


@pytest.fixture
def open_case(house: House, departments: Departments) -> Callable[..., Awaitable[str]]:
    """Registers an applicant and takes the case as far as it goes today."""
    del departments

    async def open_(**changes: Any) -> str:
        (number,) = await registered(house, application(**changes))
        await work(house, number)
        return number

    return open_
