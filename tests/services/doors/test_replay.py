"""Sending again: what is open goes its way, what is settled is copied if it still holds, and nothing else is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models import EndpointState, Entitlement, EntitlementState, StepKind, StepState
from services.casework.deliveries import deliver_steps
from services.database import table
from services.doors import replay as doors_replay
from services.doors.messages import MessageFilter, list_messages, show_message
from services.doors.replay import Range, preview, replay, resend
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from tests.services.doors.conftest import Open, attempts_of, steps_of
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch

ACTOR = "officer:li"


@pytest.fixture
def copies(departments: Departments, monkeypatch: pytest.MonkeyPatch) -> Departments:
    monkeypatch.setattr(doors_replay, "shared_client", lambda: departments)
    return departments


def around(house: House, *states: StepState) -> Range:
    now = house.database.clock.moment()
    return Range(now - timedelta(days=1), now + timedelta(days=1), frozenset(states))


async def test_a_failed_message_is_sent_again_under_its_id(
    house: House, departments: Departments, open_case: Open
) -> None:
    departments.failing["hrss"] = 400
    number = await open_case()
    step = f"{number}-v-hrss-1"
    assert (await show_message(house, "hrss", step)).state.code == "failed"
    departments.failing.clear()
    done = await resend(house, "hrss", step, ACTOR)
    assert (done.count, done.queued, done.copied) == (1, 1, 0)
    await deliver_steps(house, "dispatch", cases=[number])
    sent = await show_message(house, "hrss", step)
    assert sent.state.code == "done"
    assert [one.status for one in sent.tries] == [400, 200]
    assert len({one.sent_digest for one in sent.tries}) == 1


async def test_a_settled_message_is_copied_and_changes_nothing(
    house: House, copies: Departments, open_case: Open
) -> None:
    await open_case()
    before = next(row for row in await steps_of(house, "housing-fund") if row.kind is StepKind.ENTITLEMENTS)
    copies.sent.clear()
    copies.declines = dict.fromkeys(("ZB87-3.1.5a", "ZB87-3.1.5b"), "not-eligible")
    done = await resend(house, "housing-fund", before.id, ACTOR)
    assert (done.copied, done.delivered) == (1, 1)
    assert [event["id"] for event in copies.sent] == [before.id]
    (after,) = [row for row in await steps_of(house, "housing-fund") if row.id == before.id]
    assert (after.state, after.settled_at) == (before.state, before.settled_at)
    assert len({one.event_digest for one in await attempts_of(house, before.id)}) == 1
    assert [one.number for one in await attempts_of(house, before.id)] == [1, 2]


async def test_what_no_longer_holds_is_not_copied(house: House, copies: Departments, open_case: Open) -> None:
    number = await open_case()
    step = next(row for row in await steps_of(house, "housing-fund") if row.kind is StepKind.ENTITLEMENTS)
    entitlements = table(Entitlement)
    async with house.database.write("administrator:test") as transaction:
        mine = (entitlements.c.case_number == number) & (entitlements.c.step_id == step.id)
        await transaction.connection.execute(
            update(entitlements).where(mine).values(state=EntitlementState.ENDED, step_id="later")
        )
    copies.sent.clear()
    with pytest.raises(ConflictError, match="no longer holds"):
        await resend(house, "housing-fund", step.id, ACTOR)
    assert (await preview(house, "housing-fund", around(house, StepState.DONE))).outdated >= 1
    assert copies.sent == []


async def test_a_range_is_previewed_and_sent_as_previewed(
    house: House, departments: Departments, open_case: Open
) -> None:
    departments.failing["hrss"] = 400
    numbers = [await open_case() for _ in range(3)]
    wanted = around(house, StepState.FAILED)
    seen = await preview(house, "hrss", wanted)
    assert (seen.count, dict(seen.by_state), seen.queued) == (3, {"failed": 3}, 0)
    with pytest.raises(ConflictError, match="preview"):
        await replay(house, "hrss", wanted, 2, ACTOR)
    assert {row.state for row in await steps_of(house, "hrss")} == {StepState.FAILED}
    assert (await replay(house, "hrss", wanted, 3, ACTOR)).queued == 3
    departments.failing.clear()
    await deliver_steps(house, "dispatch", cases=numbers)
    assert {row.state for row in await steps_of(house, "hrss")} == {StepState.DONE}
    assert (await preview(house, "hrss", wanted)).count == 0


@pytest.mark.usefixtures("copies")
async def test_copies_go_to_an_open_push_endpoint_only(house: House, open_case: Open, change: Any) -> None:
    await open_case()
    await change("housing-fund", state=EndpointState.CLOSED)
    wanted = around(house, StepState.DONE)
    count = (await preview(house, "housing-fund", wanted)).count
    assert count > 0
    with pytest.raises(ConflictError, match="open push endpoint"):
        await replay(house, "housing-fund", wanted, count, ACTOR)


async def test_what_another_department_was_sent_is_not_there(house: House, open_case: Open) -> None:
    number = await open_case()
    for ask in (show_message(house, "hrss", f"{number}-v-police-1"), resend(house, "hrss", "x", ACTOR)):
        with pytest.raises(NotFoundError):
            await ask


async def test_messages_page_by_page_the_newest_first(house: House, open_case: Open, clock: SetClock) -> None:
    numbers = []
    for _ in range(3):
        numbers.append(await open_case())
        clock.pass_(seconds=5)
    found, cursor = [], None
    while True:
        page = await list_messages(house, "hrss", MessageFilter(kind=StepKind.VERIFICATION), cursor=cursor, limit=1)
        found += [one.case_number for one in page.items]
        assert all(len(one.tries) == 1 for one in page.items)
        cursor = page.next
        if cursor is None:
            break
    assert found == numbers[::-1]
    none = MessageFilter(states=(StepState.FAILED,))
    assert (await list_messages(house, "hrss", none)).items == ()
    with pytest.raises(InputError, match="cursor"):
        await list_messages(house, "hrss", none, cursor="AAAA")


async def test_messages_are_found_by_their_case_and_by_what_came_of_a_try(
    house: House, departments: Departments, open_case: Open, clock: SetClock
) -> None:
    departments.failing["hrss"] = 503
    failed = await open_case()
    departments.failing.clear()
    clock.pass_(minutes=1)
    await dispatch(house)
    well = await open_case()

    async def found(**wanted: str) -> set[str]:
        return {one.case_number for one in (await list_messages(house, "hrss", MessageFilter(**wanted))).items}

    # Found though a later try was answered well.
    assert await found(answer="503") == {failed}
    assert await found(answer="timeout") == set()
    assert await found(answer="200") == {failed, well}
    assert await found(case_number=well) == {well}
    assert await found(case_number=well, answer="503") == set()
