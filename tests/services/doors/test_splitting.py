"""An endpoint that takes only some services: what it takes is pushed, the rest waits in the inbox, each by a key."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from models import EndpointState, Role, StepKind, StepState
from models.steps import services_of
from services.access import Caller
from services.casework import advance as advancing
from services.casework import claims
from services.casework.advance import advance
from services.casework.deliveries import deliver_steps
from services.casework.splitting import split_planned, split_standing
from services.doors.inbox import download_work
from services.house import House
from services.ledger.holding import offer_again
from tests.services.doors.conftest import Open, attempts_of, steps_of
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, reconcile, work
from tests.testing.looking import actions, entitlements, granted, in_force
from tests.testing.people import application, registered

OFFICER = Caller("li", Role.OFFICER, "hrss")
TAKEN = "ZB87-3.1.2a"


async def grants(house: House) -> list[Any]:
    return [step for step in await steps_of(house, "hrss") if step.kind is StepKind.ENTITLEMENTS]


def pushed(departments: Departments) -> list[dict[str, Any]]:
    return [event for event in departments.sent if "-e-hrss-" in event["id"]]


async def answer_in_inbox(house: House, departments: Departments, step: Any) -> None:
    """What an officer does with the sheet, or by a call-back: every service as asked."""
    services = {one["service"]: {"state": "in_force"} for one in step.content.get("open", ())}
    services |= {one["service"]: {"state": "ended"} for one in step.content.get("withdraw", ())}
    await departments.report(house, "hrss", {"step": step.id, "services": services})


async def test_both_parts_of_a_step_come_to_their_end(
    house: House, departments: Departments, open_case: Open, change: Any, clock: SetClock
) -> None:
    await change("hrss", services=[TAKEN])
    number = await open_case(term_years=1, grounds=[])
    sent, left = await grants(house)
    assert (services_of(sent.content), sent.state, sent.attempts) == ({TAKEN}, StepState.DONE, 1)
    assert (TAKEN in services_of(left.content), left.state, left.attempts) == (False, StepState.DUE, 0)
    assert (left.created_at, left.answer_by, left.decision) == (sent.created_at, sent.answer_by, sent.decision)
    assert [[one["service"] for one in event["data"]["open"]] for event in pushed(departments)] == [[TAKEN]]
    # No push ever takes it up; the inbox has it, and it alone.
    clock.pass_(days=1)
    await deliver_steps(house, "dispatch")
    work_sheet = await download_work(house, OFFICER, "hrss")
    assert (work_sheet.steps, work_sheet.fresh) == (1, 1)
    assert [one.door.value for one in await attempts_of(house, left.id)] == ["inbox"]
    await answer_in_inbox(house, departments, left)
    await dispatch(house)
    assert await in_force(house, number) == await granted(house, number)
    assert "steps.split" in await actions(house, number)
    # At the end each part is withdrawn by the way it came.
    clock.set_day(date(2015, 11, 3))
    await reconcile(house)
    await dispatch(house)
    *_, sent, left = await grants(house)
    assert [one["service"] for one in sent.content["withdraw"]] == [TAKEN]
    assert (sent.state, left.state) == (StepState.DONE, StepState.DUE)
    await answer_in_inbox(house, departments, left)
    await dispatch(house)
    assert await in_force(house, number) == set()
    assert len({step.id for step in await grants(house)}) == 4
    assert len(pushed(departments)) == 2


async def planned(house: House) -> str:
    """A case whose grants are planned, and nothing of them sent."""
    (number,) = await registered(house, application(term_years=1, grounds=[]))
    await advance(house.database, house.caseworker, [number], "dispatch")
    await deliver_steps(house, "dispatch", cases=[number], departments=["police"])
    await advance(house.database, house.caseworker, [number], "dispatch")
    return number


async def test_a_filter_that_comes_later_splits_what_nobody_has_seen(
    house: House, departments: Departments, change: Any
) -> None:
    await change("hrss", state=EndpointState.HELD)
    number = await planned(house)
    (whole,) = await grants(house)
    await change("hrss", services=[TAKEN])
    assert await split_standing(house.database, "hrss", "officer:test") == 1
    assert await split_standing(house.database, "hrss", "officer:test") == 0
    sent, left = await grants(house)
    assert sent.id == whole.id
    assert services_of(sent.content) | services_of(left.content) == services_of(whole.content)
    stands = await entitlements(house, number)
    assert {row.step_id for row in stands.values() if row.department == "hrss"} == {sent.id, left.id}
    # The door is shut: what is for the inbox does not wait for it.
    assert (await download_work(house, OFFICER, "hrss")).fresh == 1
    await change("hrss", state=EndpointState.OPEN)
    await work(house, number)
    await dispatch(house)
    assert [event["id"] for event in pushed(departments)] == [whole.id]


async def test_what_is_of_a_district_that_the_endpoint_does_not_serve_is_not_split(
    house: House, departments: Departments, change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await planned(house)
    await change("hrss", services=[TAKEN], districts=["000000"])
    asked: list[str] = []

    async def noted(database: Any, department: str, actor: str) -> int:
        asked.append(department)
        return await split_standing(database, department, actor)

    monkeypatch.setattr(claims, "split_standing", noted)
    await deliver_steps(house, "dispatch")
    (whole,) = await grants(house)
    assert (whole.attempts, asked, pushed(departments)) == (0, [], [])
    assert await split_standing(house.database, "hrss", "officer:test") == 0
    assert len(await grants(house)) == 1


async def test_what_was_claimed_before_it_could_be_split_is_split_all_the_same(
    house: House, departments: Departments, change: Any
) -> None:
    await planned(house)
    await change("hrss", services=[TAKEN])
    await deliver_steps(house, "dispatch")
    sent, left = await grants(house)
    assert (services_of(sent.content), TAKEN in services_of(left.content)) == ({TAKEN}, False)
    await deliver_steps(house, "dispatch")
    sent, left = await grants(house)
    assert [event["id"] for event in pushed(departments)] == [sent.id]
    assert (sent.state, left.state, left.attempts) == (StepState.DONE, StepState.DUE, 0)


async def test_a_filter_that_changes_while_another_process_plans(
    house: House, departments: Departments, change: Any, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, go = asyncio.Event(), asyncio.Event()

    async def split(*of: Any) -> int:
        count = await split_planned(*of)
        read.set()
        await go.wait()
        return count

    (number,) = await registered(house, application(term_years=1, grounds=[]))
    await advance(house.database, house.caseworker, [number], "dispatch")
    await deliver_steps(house, "dispatch", cases=[number], departments=["police"])
    monkeypatch.setattr(advancing, "split_planned", split)
    twin = House(house.settings, clock.clock)

    async def changed() -> None:
        await change("hrss", services=[TAKEN])
        async with house.database.write("officer:test") as transaction:
            await offer_again(transaction, "hrss", house.database.clock.now())
        await split_standing(house.database, "hrss", "officer:test")

    try:
        planning = asyncio.create_task(advance(twin.database, twin.caseworker, [number], "dispatch"))
        await asyncio.wait_for(read.wait(), 10)
        # On PostgreSQL the change is through before the plan is stored; on SQLite it has to wait for that.
        changing = asyncio.create_task(changed())
        await asyncio.wait({changing}, timeout=0.3)
        assert changing.done() is (house.database.engine.dialect.name == "postgresql")
        go.set()
        await asyncio.gather(planning, changing)
    finally:
        await twin.close()
    await dispatch(house)
    # What the department's own facts brought later is a step of its own.
    sent, left, later = await grants(house)
    assert [{one["service"] for one in event["data"]["open"]} for event in pushed(departments)] == [{TAKEN}]
    assert (sent.state, left.state, left.attempts) == (StepState.DONE, StepState.DUE, 0)
    stands = await entitlements(house, number)
    assert {row.step_id for row in stands.values() if row.department == "hrss"} == {sent.id, left.id, later.id}


async def test_a_step_that_was_tried_keeps_its_services(
    house: House, departments: Departments, change: Any, clock: SetClock
) -> None:
    number = await planned(house)
    departments.failing["hrss"] = 503
    await deliver_steps(house, "dispatch", cases=[number], departments=["hrss"])
    (tried,) = await grants(house)
    await change("hrss", services=[TAKEN])
    async with house.database.write("officer:test") as transaction:
        await offer_again(transaction, "hrss", house.database.clock.now())
    assert await split_standing(house.database, "hrss", "officer:test") == 0
    departments.failing.clear()
    departments.sent.clear()
    clock.pass_(minutes=6)
    await dispatch(house)
    whole, *_ = await grants(house)
    assert (whole.id, whole.content, whole.state) == (tried.id, tried.content, StepState.DUE)
    # It goes to the inbox whole, under the key that the department may have seen.
    assert tried.id not in {event["id"] for event in pushed(departments)}
    assert (await download_work(house, OFFICER, "hrss")).fresh >= 1
    assert [one.door.value for one in await attempts_of(house, tried.id)] == ["push", "inbox"]


@pytest.mark.parametrize("services", [["ZB87-3.1.1a"], None])
async def test_what_is_taken_whole_or_not_at_all_is_not_split(
    house: House, departments: Departments, open_case: Open, change: Any, services: list[str] | None
) -> None:
    del departments
    await change("hrss", services=services)
    await open_case(term_years=1, grounds=[])
    assert len(await grants(house)) == 1
