"""Who renews has two permits for a while: messages about one person and one service never overtake each other."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from models import Door, Endpoint, Step, StepKind, StepState
from models.steps import services_of
from services.casework.deliveries import deliver_steps
from services.casework.rechecks import REPLACED
from services.database import table
from services.doors.poll import poll
from services.house import House
from services.intake.application import Application
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, reconcile, work
from tests.testing.looking import granted, in_force, permit_row
from tests.testing.people import application, registered

STEPS = table(Step)
RENEWAL, AFTER = date(2015, 10, 20), date(2015, 11, 4)


def again(first: Application, on: date) -> Application:
    """The same person's next application."""
    changes = {"application_number": f"{first.application_number}-2", "received_on": on}
    return Application.model_validate({**first.model_dump(mode="json"), **changes, "received_on": on.isoformat()})


async def renewed(house: House, clock: SetClock) -> tuple[str, str]:
    """A case with a permit that is about to end, and the next one of the same person."""
    first = application(term_years=1, grounds=[])
    (old,) = await registered(house, first)
    await work(house, old)
    clock.set_day(RENEWAL)
    await reconcile(house)
    (new,) = await registered(house, again(first, RENEWAL))
    return old, new


def asked(departments: Departments, ask: str) -> list[tuple[str, str]]:
    """Case and service of everything asked, in order."""
    return [(event["data"]["case"], one["service"]) for event in departments.sent for one in event["data"].get(ask, ())]


async def steps_of(house: House, number: str, department: str) -> list[Any]:
    mine = (STEPS.c.case_number == number, STEPS.c.department == department, STEPS.c.kind == StepKind.ENTITLEMENTS)
    async with house.database.read() as connection:
        return list((await connection.execute(select(STEPS).where(*mine).order_by(STEPS.c.created_at))).all())


async def test_what_the_next_permit_carries_is_not_withdrawn_with_the_old_one(
    house: House, departments: Departments, clock: SetClock
) -> None:
    old, new = await renewed(house, clock)
    await work(house, new)
    carried = await in_force(house, new)
    assert carried == await granted(house, new)
    departments.sent.clear()
    clock.set_day(AFTER)
    await reconcile(house)
    await dispatch(house)
    gone = {service.removeprefix("ZB87-") for _, service in asked(departments, "withdraw")}
    assert gone.isdisjoint(carried)
    assert (await in_force(house, old), await in_force(house, new)) == (set(), await granted(house, new))
    (ended,) = [event for event in departments.sent if event["type"].endswith("permit.ended.v1")]
    assert ended["data"]["reason"]["code"] == "replaced"
    assert (await permit_row(house, old)) is not None
    # Nothing is left to do, today or tomorrow.
    departments.sent.clear()
    clock.set_day(date(2015, 11, 6))
    await reconcile(house)
    await dispatch(house)
    assert departments.sent == []


async def test_a_grant_waits_for_the_withdrawal_that_came_before_it(
    house: House, departments: Departments, clock: SetClock
) -> None:
    first = application(term_years=1, grounds=[])
    (old,) = await registered(house, first)
    await work(house, old)
    departments.failing["health"] = 503
    clock.set_day(AFTER)
    await reconcile(house)
    await dispatch(house)
    *_, withdrawal = await steps_of(house, old, "health")
    assert (withdrawal.state, "withdraw" in withdrawal.content) == (StepState.DUE, True)
    departments.failing.clear()
    departments.sent.clear()
    (new,) = await registered(house, again(first, AFTER))
    await work(house, new)
    about = services_of(withdrawal.content)
    assert not {service for _, service in asked(departments, "open")} & about
    # Everybody else's matter goes on meanwhile.
    assert asked(departments, "open")
    clock.pass_(minutes=6)
    await dispatch(house)
    clock.pass_(minutes=1)
    await dispatch(house)
    order = [
        (event["data"]["case"], ask)
        for event in departments.sent
        for ask in ("open", "withdraw")
        if about & {one["service"] for one in event["data"].get(ask, ())}
    ]
    assert order == [(old, "withdraw"), (new, "open")]
    assert await in_force(house, new) == await granted(house, new)


async def test_a_withdrawal_that_the_next_permit_has_overtaken_is_not_sent_any_more(
    house: House, departments: Departments, clock: SetClock
) -> None:
    first = application(term_years=1, grounds=[])
    (old,) = await registered(house, first)
    await work(house, old)
    departments.failing["health"] = 400
    clock.set_day(AFTER)
    await reconcile(house)
    await dispatch(house)
    *_, failed = await steps_of(house, old, "health")
    assert (failed.state, "withdraw" in failed.content) == (StepState.FAILED, True)
    departments.failing.clear()
    # What failed, and waits for somebody to look at it, holds up nobody.
    (new,) = await registered(house, again(first, AFTER))
    await work(house, new)
    assert await in_force(house, new) == await granted(house, new)
    departments.sent.clear()
    async with house.database.write("administrator:test") as transaction:
        mine = STEPS.c.id == failed.id
        again_at = {"state": StepState.DUE, "next_attempt_at": house.database.clock.now(), "settled_at": None}
        await transaction.connection.execute(update(STEPS).where(mine).values(again_at))
    await deliver_steps(house, "dispatch")
    await dispatch(house)
    *_, gone = await steps_of(house, old, "health")
    assert (gone.id, gone.state, gone.reason) == (failed.id, StepState.SUPERSEDED, REPLACED)
    assert departments.sent == []
    assert (await in_force(house, old), await in_force(house, new)) == (set(), await granted(house, new))


@pytest.mark.parametrize("declines", ["ZB87-3.1.1b"])
async def test_what_the_next_permit_does_not_carry_is_withdrawn_in_the_end(
    house: House, departments: Departments, clock: SetClock, declines: str
) -> None:
    old, new = await renewed(house, clock)
    assert declines.removeprefix("ZB87-") in await in_force(house, old)
    departments.declines[declines] = "not-eligible"
    await work(house, new)
    departments.sent.clear()
    clock.set_day(AFTER)
    await reconcile(house)
    await dispatch(house)
    assert (old, declines) in asked(departments, "withdraw")
    assert await in_force(house, old) == set()


async def test_a_poll_keeps_the_same_order(house: House, departments: Departments, clock: SetClock) -> None:
    """The rule stands before every door, not only before the push."""
    first = application(term_years=1, grounds=[])
    (old,) = await registered(house, first)
    await work(house, old)
    endpoints = table(Endpoint)
    async with house.database.write("administrator:test") as transaction:
        await transaction.connection.execute(
            update(endpoints).where(endpoints.c.department == "health").values(door=Door.POLL, url=None)
        )
    clock.set_day(AFTER)
    await reconcile(house)
    (new,) = await registered(house, again(first, AFTER))
    await work(house, new)
    handed = await poll(house, "health")
    assert old.encode() in handed.body
    assert new.encode() not in handed.body
    del departments
