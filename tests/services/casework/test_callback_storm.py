"""Call-backs sent three times each, in any order, at two doors at once: each takes effect once, and the chain holds."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from models import AuditEntry, CaseState, StepState
from services.casework.answers import take_callback
from services.database import table
from services.errors import LianbanError
from services.exchange.signatures import signature_headers
from services.house import House
from tests.testing.clock import SetClock
from tests.testing.departments import SECRET, Departments, dispatch
from tests.testing.looking import case_row, chain_length, granted, in_force, steps
from tests.testing.people import application, registered

ENTRIES = table(AuditEntry)
CASES, TIMES = 4, 3


@pytest.fixture
async def doors(house: House, clock: SetClock) -> Any:
    """Two processes that take call-backs into one database."""
    twin = House(house.settings, clock.clock)
    yield house, twin
    await twin.close()


async def _storm(doors: tuple[House, House], departments: Departments, dice: random.Random) -> int:
    """Every department answers all it was sent, three times each, shuffled; how many messages that was."""
    calls = []
    for event in departments.sent:
        outcome = departments._outcome(event)
        department = "-".join(event["id"].split("-")[4:-1])
        if outcome is not None and "received" not in outcome:
            body = json.dumps({"outcomes": [outcome]}).encode()
            headers = signature_headers(f"back-{event['id']}", body, (SECRET,), doors[0].database.clock.now())
            calls += [(department, headers, body)] * TIMES
    dice.shuffle(calls)

    async def call(place: int, one: tuple[str, Any, bytes]) -> None:
        # The same message in the same moment at the other door may be told to come again; it does.
        for _ in range(5):
            try:
                await take_callback(doors[place % 2], *one)
            except LianbanError as problem:
                if problem.status < 500:
                    raise
            else:
                return

    for start in range(0, len(calls), 6):
        await asyncio.gather(*(call(place, one) for place, one in enumerate(calls[start : start + 6])))
    return len(calls)


async def test_a_storm_of_call_backs_is_one_answer_each(
    house: House, departments: Departments, doors: tuple[House, House]
) -> None:
    dice = random.Random(87)  # noqa: S311 - an order to be the same again
    numbers = await registered(house, *(application() for _ in range(CASES)))
    departments.silent = {department for pack in house.packs.packs for department in pack.departments}
    for _ in range(6):
        await dispatch(house)
        if {(await case_row(house, number)).state for number in numbers} == {CaseState.CLOSED}:
            break
        assert await _storm(doors, departments, dice)
    for number in numbers:
        assert (await case_row(house, number)).state is CaseState.CLOSED
        assert {step.state for step in await steps(house, number)} <= {StepState.DONE, StepState.RECEIVED}
        assert await in_force(house, number) == await granted(house, number)
    async with house.database.read() as connection:
        query = select(ENTRIES.c.subject).where(ENTRIES.c.action == "permit.issued")
        issued = Counter((await connection.execute(query)).scalars())
    assert issued == dict.fromkeys(numbers, 1)
    await chain_length(house)
