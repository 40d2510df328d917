"""What is no longer right is superseded and never sent; what was being sent is not superseded: two workers at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from models import Attempt, Fact, Step, StepKind, StepState
from services.casework import deliveries
from services.casework.advance import advance
from services.casework.claims import Wanted, claim_consignments
from services.casework.deliveries import deliver_steps
from services.casework.rechecks import PERMIT_ENDED
from services.clock import china_day
from services.database import table
from services.exchange.client import Answer
from services.house import House
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.people import application, registered

STEPS, ATTEMPTS = table(Step), table(Attempt)
CASES = 12


class Unready(Departments):
    """Departments of which the housing fund takes no entitlements until it is ready."""

    ready = False

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if not self.ready and "-e-housing-fund-" in str(json.loads(body)["id"]):
            return Answer(503, b"", None, None, too_large=False)
        return await super().post(url, body, headers)


@pytest.fixture
async def twin(house: House, clock: SetClock) -> AsyncIterator[House]:
    """The same house in another process."""
    twin = House(house.settings, clock.clock)
    yield twin
    await twin.close()


async def _grants(house: House) -> list[Any]:
    async with house.database.read() as connection:
        query = select(STEPS).where(STEPS.c.department == "housing-fund", STEPS.c.kind == StepKind.ENTITLEMENTS)
        return list((await connection.execute(query.order_by(STEPS.c.id))).all())


async def _no_longer_so(house: House, numbers: list[str]) -> None:
    """The fact on which every grant of the housing fund rests turns out to be wrong."""
    async with house.database.write("administrator:test") as transaction:
        rows = [
            {
                "case_number": number,
                "name": "housing_fund_12_months",
                "value": False,
                "department": "housing-fund",
                "step_id": None,
                "authority": None,
                "confirmed_at": transaction.at,
            }
            for number in numbers
        ]
        await transaction.insert(Fact, rows)


async def test_a_step_is_either_sent_or_superseded_whoever_is_quicker(
    house: House, twin: House, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    departments = Unready()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    numbers = await registered(house, *(application() for _ in range(CASES)))
    await work(house, *numbers)
    before = {step.id: step.attempts for step in await _grants(house)}
    assert set(before.values()) == {1}
    await _no_longer_so(house, numbers)
    departments.ready = True
    departments.sent.clear()
    clock.pass_(minutes=6)
    # Two plan what two others send, case by case, so that now the one and now the other comes first.
    await asyncio.gather(
        *(advance(twin.database, twin.caseworker, numbers[start::4], "dispatch") for start in range(4)),
        *(deliver_steps(house, "dispatch", cases=numbers[start::3]) for start in range(3)),
    )
    sent = {event["id"] for event in departments.sent}
    for step in await _grants(house):
        if step.id in before and step.state is StepState.SUPERSEDED:
            assert step.id not in sent
            assert step.attempts == before[step.id]
        elif step.id in before:
            assert (step.state, step.id in sent) == (StepState.DONE, True)


async def test_a_try_that_is_out_is_not_superseded(
    house: House, twin: House, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    departments = Unready()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    (number,) = await registered(house, application())
    await work(house, number)
    clock.pass_(minutes=6)
    (claimed,) = await claim_consignments(house, "dispatch", Wanted(("housing-fund",), (number,)), ())
    await _no_longer_so(house, [number])
    await advance(twin.database, twin.caseworker, [number], "dispatch")
    (grant,) = await _grants(house)
    assert (grant.state, grant.id in claimed.steps) == (StepState.SENDING, True)
    # Its worker died. Now that no try is out it is taken back, and what may have arrived is withdrawn.
    clock.pass_(seconds=95)
    departments.ready = True
    await dispatch(house)
    # Whether it was taken back in time or came into force after all: in the end the service is withdrawn.
    grant, withdrawal = await _grants(house)
    assert grant.state in (StepState.SUPERSEDED, StepState.DONE)
    assert (withdrawal.state, list(withdrawal.content)) == (StepState.DONE, ["permit", "withdraw"])


async def test_what_is_superseded_before_its_first_try_was_never_tried(
    house: House, departments: Departments, clock: SetClock
) -> None:
    (number,) = await registered(house, application(term_years=1, grounds=[]))
    departments.silent.add("police")
    await work(house, number)
    await departments.call_back(house, number, "police")
    await advance(house.database, house.caseworker, [number], "dispatch")
    clock.set_day(date(2015, 12, 1))
    departments.sent.clear()
    await deliver_steps(house, "dispatch")
    async with house.database.read() as connection:
        gone = (await connection.execute(select(STEPS).where(STEPS.c.reason == PERMIT_ENDED))).all()
        tries = select(func.count()).where(ATTEMPTS.c.step_id.in_([step.id for step in gone]))
        assert (await connection.execute(tries)).scalar_one() == 0
    assert gone
    assert {step.attempts for step in gone} == {0}
    assert departments.sent == []
    # A step is made and settled on the same calendar, that of the business.
    assert {china_day(step.settled_at) for step in gone} == {date(2015, 12, 1)}
    assert all(step.created_at <= step.settled_at for step in gone)
