"""Cancelling permits and undoing it: everything a permit opened goes with it, and comes back with it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from models import CaseState, PermitState, StepKind, StepState
from services.access import WHOLE_CITY
from services.dossiers.decisions import list_decisions, open_decision
from services.dossiers.stories import tell_story
from services.errors import ConflictError
from services.house import House
from services.intake.register import Registry
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, reconcile, work
from tests.testing.looking import case_row, chain_length, entitlements, granted, in_force, permit_row, steps
from tests.testing.people import application


@pytest.mark.parametrize("day", [date(2014, 11, 3), date(2015, 3, 2)])
async def test_a_cancelled_permit_takes_everything_with_it(  # noqa: PLR0917 - fixtures
    house: House, clock: SetClock, departments: Departments, open_case: Any, ask: Any, administrator: Any, day: date
) -> None:
    number = await open_case()
    assert await in_force(house, number)
    clock.set_day(day)
    departments.sent.clear()
    asked = await ask("cancel", cases=[number], end="left-city")
    assert (asked.state.value, asked.done) == ("done", 1)
    await work(house, number)
    assert await in_force(house, number) == set() == await granted(house, number)
    permit = await permit_row(house, number)
    assert permit is not None
    assert (permit.state, permit.end_reason, permit.ends_on) == (PermitState.ENDED, "left-city", day)
    assert (await case_row(house, number)).state is CaseState.CLOSED
    (ended,) = [event for event in departments.sent if event["type"].endswith("permit.ended.v1")]
    assert ended["data"]["reason"]["code"] == "left-city"
    assert ended["data"]["clauses"]
    yesterday = date.fromordinal(day.toordinal() - 1).isoformat()
    withdrawn = [one for event in departments.sent for one in event["data"].get("withdraw", [])]
    assert {one["last_day"] for one in withdrawn} == {yesterday}
    # The decision that ended it is kept, and the engine says the same again.
    last = (await list_decisions(house, number, WHOLE_CITY))[-1]
    opened = await open_decision(house, administrator, number, last.sequence)
    assert (last.outcome, opened.same_again) == ("ended", True)
    told = [event.zh for event in (await tell_story(house, number)).events]
    assert "注销居住证：持证人已离开本市居住。" in told
    await chain_length(house)


async def test_a_cancellation_is_made_once_and_only_of_a_permit(house: House, open_case: Any, ask: Any) -> None:
    number = await open_case()
    await ask("cancel", cases=[number], end="cancelled")
    before = await chain_length(house)
    with pytest.raises(ConflictError, match="cancelled before"):
        await ask("cancel", cases=[number], end="cancelled")
    assert await chain_length(house) == before


async def test_schooling_begun_runs_on_after_a_cancellation(
    house: House, clock: SetClock, open_case: Any, ask: Any
) -> None:
    # A17: to the end of the term, here 31 January.
    number = await open_case(children=[{"born_on": "2006-05-01", "relation": "daughter"}])
    assert "3.1.1a" in await in_force(house, number)
    clock.set_day(date(2014, 12, 1))
    await ask("cancel", cases=[number], end="cancelled")
    await work(house, number)
    assert await in_force(house, number) == {"3.1.1a"}
    clock.set_day(date(2015, 2, 1))
    await reconcile(house)
    await work(house, number)
    assert await in_force(house, number) == set()


async def test_what_comes_into_force_after_the_cancellation_is_withdrawn(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.silent.add("culture")
    number = await open_case()
    await ask("cancel", cases=[number], end="cancelled")
    await work(house, number)
    assert (await entitlements(house, number))["3.1.7a"].state.value == "provisioning"
    departments.silent.clear()
    await departments.call_back(house, number, "culture")
    await work(house, number)
    await work(house, number)
    assert (await entitlements(house, number))["3.1.7a"].state.value == "ended"
    assert (await case_row(house, number)).state is CaseState.CLOSED


async def test_a_mistaken_cancellation_is_undone(house: House, clock: SetClock, open_case: Any, ask: Any) -> None:
    number = await open_case()
    before = await in_force(house, number)
    clock.set_day(date(2015, 3, 2))
    await ask("cancel", cases=[number], end="revoked")
    await work(house, number)
    clock.set_day(date(2015, 3, 9))
    await ask("reinstate", cases=[number])
    await work(house, number)
    permit = await permit_row(house, number)
    assert permit is not None
    assert (permit.state, permit.ends_on, permit.ended_at) == (PermitState.IN_FORCE, None, None)
    assert await in_force(house, number) == before == await granted(house, number)
    assert (await case_row(house, number)).state is CaseState.CLOSED
    # The register that was told of the end is told again.
    issued = [step for step in await steps(house, number) if step.kind is StepKind.PERMIT_ISSUED]
    assert [step.state for step in issued] == [StepState.DONE, StepState.DONE]
    told = [event.zh for event in (await tell_story(house, number)).events]
    assert told.index("原注销有误，予以撤销。") < told.index("居住证恢复有效。")
    await chain_length(house)


async def test_a_cancellation_that_nobody_heard_of_leaves_no_trace_at_departments(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    number = await open_case()
    departments.sent.clear()
    await ask("cancel", cases=[number], end="revoked")
    await ask("reinstate", cases=[number])
    await work(house, number)
    assert departments.sent == []
    assert await in_force(house, number) == await granted(house, number)


async def test_who_applied_again_meanwhile_keeps_the_new_case(
    house: House, clock: SetClock, departments: Departments, ask: Any
) -> None:
    del departments
    first = application()
    registry = Registry(house.database, house.keys, house.packs)
    (one,) = await registry.register([first], "clerk:test")
    await work(house, one.number or "")
    await ask("cancel", cases=[one.number], end="left-city")
    await work(house, one.number or "")
    again = first.model_copy(update={"application_number": "T-again"})
    (other,) = await registry.register([again], "clerk:test")
    assert other.new
    with pytest.raises(ConflictError, match=other.number):
        await ask("reinstate", cases=[one.number])
    clock.set_day(date(2018, 1, 1))
    with pytest.raises(ConflictError, match="meanwhile"):
        await ask("reinstate", cases=[one.number])
