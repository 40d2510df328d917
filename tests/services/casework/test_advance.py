"""A case over time: on the right day what is due stands open, what is over is withdrawn, and nothing is done twice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from models import CaseState, EntitlementState, PermitState, StepKind, StepState
from services.house import House
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, reconcile, work
from tests.testing.looking import case_row, chain_length, entitlements, granted, in_force, permit_row, steps
from tests.testing.people import application, registered

DAY = timedelta(days=1)
TIER_2_FOR_ALL = {"3.2.2j", "3.2.2k", "3.2.3d", "3.2.3e"}


def residence(registered_on: str) -> dict[str, Any]:
    return {"registered_on": registered_on, "intends_half_year": True, "from_outside_county": True}


@pytest.fixture
def open_case(house: House, departments: Departments) -> Any:
    """Registers an applicant and takes the case as far as it goes today."""
    del departments

    async def open_(**changes: Any) -> str:
        (number,) = await registered(house, application(**changes))
        await work(house, number)
        return number

    return open_


async def _stands(house: House, number: str) -> None:
    """In force is exactly what the policy grants today, the case is closed, and the chain holds."""
    assert await in_force(house, number) == await granted(house, number)
    assert (await case_row(house, number)).state is CaseState.CLOSED
    await chain_length(house)


async def _go_to(house: House, clock: SetClock, day: date) -> list[str]:
    clock.set_day(day)
    return await reconcile(house)


async def test_tier_2_opens_on_the_first_full_year_of_residence(house: House, clock: SetClock, open_case: Any) -> None:
    number = await open_case(residence=residence("2014-10-08"))
    await _stands(house, number)
    assert not TIER_2_FOR_ALL & await in_force(house, number)
    assert await _go_to(house, clock, date(2015, 10, 7)) == []
    assert await _go_to(house, clock, date(2015, 10, 8)) == [number]
    await _stands(house, number)
    opened = await entitlements(house, number)
    assert await in_force(house, number) >= TIER_2_FOR_ALL
    assert {opened[one].from_on for one in TIER_2_FOR_ALL} == {date(2015, 10, 8)}
    assert {opened[one].in_force_from for one in TIER_2_FOR_ALL} == {date(2015, 10, 8)}


async def test_residence_of_years_opens_tier_2_with_the_permit(house: House, open_case: Any) -> None:
    # A3, A4: the year may have run before the permit; tier 2 then starts with the permit itself.
    number = await open_case(residence=residence("2011-05-20"))
    await _stands(house, number)
    assert {(await entitlements(house, number))[one].from_on for one in TIER_2_FOR_ALL} == {date(2014, 11, 3)}


async def test_a_year_that_began_before_the_permit_is_full_before_the_permits_own_anniversary(
    house: House, clock: SetClock, open_case: Any
) -> None:
    number = await open_case(residence=residence("2014-01-15"))
    assert await _go_to(house, clock, date(2015, 1, 15)) == [number]
    await _stands(house, number)
    assert await in_force(house, number) >= TIER_2_FOR_ALL


async def test_a_permit_of_one_year_never_comes_to_tier_2(house: House, clock: SetClock, open_case: Any) -> None:
    number = await open_case(term_years=1, grounds=[], residence=residence("2014-01-15"))
    assert await _go_to(house, clock, date(2015, 1, 15)) == []
    assert not TIER_2_FOR_ALL & set(await entitlements(house, number))


async def test_a_year_begun_on_29_february_is_full_on_the_28th(house: House, clock: SetClock, open_case: Any) -> None:
    clock.set_day(date(2016, 3, 10))
    number = await open_case(received_on="2016-03-10", residence=residence("2016-02-29"))
    assert await _go_to(house, clock, date(2017, 2, 27)) == []
    assert await _go_to(house, clock, date(2017, 2, 28)) == [number]
    await _stands(house, number)


async def test_a_permit_issued_on_29_february_ends_after_27_february(
    house: House, clock: SetClock, open_case: Any
) -> None:
    # A2: the anniversary of 29 February is 28 February; the last day is the one before.
    clock.set_day(date(2016, 2, 29))
    number = await open_case(term_years=1, grounds=[], received_on="2016-02-29", residence=residence("2016-02-20"))
    permit = await permit_row(house, number)
    assert permit is not None
    assert permit.valid_until == date(2017, 2, 27)
    await _go_to(house, clock, date(2017, 2, 27))
    assert await in_force(house, number)
    assert await _go_to(house, clock, date(2017, 2, 28)) == [number]
    assert not await in_force(house, number)


async def test_equal_schooling_replaces_the_schooling_of_tier_1(
    house: House, clock: SetClock, open_case: Any, departments: Departments
) -> None:
    # A9, and no days of grace: the child stays at school under the better right.
    number = await open_case(children=[{"born_on": "2006-05-01"}], residence=residence("2014-10-08"))
    assert "3.1.1a" in await in_force(house, number)
    departments.sent.clear()
    await _go_to(house, clock, date(2015, 10, 8))
    await _stands(house, number)
    schooling = await entitlements(house, number)
    assert {"3.2.1b", "3.2.1c"} <= await in_force(house, number)
    assert (schooling["3.1.1a"].state, schooling["3.1.1a"].leaves_on) == (EntitlementState.ENDED, None)
    told = [event["data"] for event in departments.sent if event["data"].get("withdraw")]
    assert [one["service"] for data in told for one in data["withdraw"]] == ["ZB87-3.1.1a"]
    # One message tells the school office both, so that no child is without a place in between.
    assert {one["service"] for one in told[0]["open"]} >= {"ZB87-3.2.1b", "ZB87-3.2.1c"}


@pytest.mark.parametrize(
    ("issued", "ends_after", "gone_on"),
    [
        (date(2014, 11, 3), date(2015, 11, 2), date(2016, 2, 1)),
        (date(2015, 2, 10), date(2016, 2, 9), date(2016, 8, 1)),
        (date(2015, 8, 10), date(2016, 8, 9), date(2016, 8, 10)),
        (date(2015, 8, 1), date(2016, 7, 31), date(2016, 8, 1)),
        (date(2015, 2, 1), date(2016, 1, 31), date(2016, 2, 1)),
    ],
)
async def test_schooling_begun_runs_on_to_the_end_of_its_term(
    house: House, clock: SetClock, open_case: Any, issued: date, ends_after: date, gone_on: date
) -> None:
    clock.set_day(issued)
    number = await open_case(
        received_on=issued.isoformat(),
        term_years=1,
        grounds=[],
        children=[{"born_on": "2006-05-01"}],
        residence=residence("2014-10-08"),
    )
    permit = await permit_row(house, number)
    assert permit is not None
    assert permit.valid_until == ends_after
    await _go_to(house, clock, ends_after)
    assert "3.1.1a" in await in_force(house, number)
    await _go_to(house, clock, ends_after + DAY)
    left = await in_force(house, number)
    if gone_on == ends_after + DAY:
        assert left == set()
        return
    assert left == {"3.1.1a"}
    assert (await entitlements(house, number))["3.1.1a"].leaves_on == gone_on
    assert await _go_to(house, clock, gone_on - DAY) == []
    assert await _go_to(house, clock, gone_on) == [number]
    assert await in_force(house, number) == set()
    assert (await case_row(house, number)).state is CaseState.CLOSED


async def test_a_permit_ends_on_the_day_after_its_last(
    house: House, clock: SetClock, open_case: Any, departments: Departments
) -> None:
    number = await open_case(term_years=1, grounds=[])
    held = await in_force(house, number)
    await _go_to(house, clock, date(2015, 11, 2))
    assert await in_force(house, number) == held
    departments.sent.clear()
    assert await _go_to(house, clock, date(2015, 11, 3)) == [number]
    assert await in_force(house, number) == set()
    permit = await permit_row(house, number)
    assert permit is not None
    assert permit.state is PermitState.ENDED
    ended = [event for event in departments.sent if event["type"].endswith("permit.ended.v1")]
    assert [event["data"]["reason"]["code"] for event in ended] == ["expired"]
    withdrawn = {one["service"].removeprefix("ZB87-") for event in departments.sent
                 for one in event["data"].get("withdraw", ())}  # fmt: skip
    assert withdrawn == held
    assert (await case_row(house, number)).state is CaseState.CLOSED


async def test_nothing_is_done_the_second_time(
    house: House, clock: SetClock, open_case: Any, departments: Departments
) -> None:
    number = await open_case(children=[{"born_on": "2009-01-10"}])
    await _go_to(house, clock, date(2015, 10, 8))
    entries, sent = await chain_length(house), len(departments.sent)
    assert await reconcile(house) == []
    await work(house, number)
    await work(house, number)
    assert (await chain_length(house), len(departments.sent)) == (entries, sent)


@pytest.mark.parametrize(
    ("changes", "day", "opens", "ends"),
    [
        ({"children": [{"born_on": "2008-01-20"}]}, date(2015, 1, 20), set(), {"3.1.4d"}),
        ({"born_on": date(1999, 3, 4)}, date(2015, 3, 4), {"3.1.2a", "3.1.3a", "3.1.6e"}, set()),
        ({"born_on": date(1997, 3, 4)}, date(2015, 3, 4), {"3.1.9a", "3.1.9b", "3.1.9i", "3.1.11b"}, set()),
        ({"born_on": date(1950, 3, 4), "residence": residence("2011-05-20")}, date(2015, 3, 4), {"3.2.3c"}, set()),
        ({"born_on": date(1965, 3, 4)}, date(2015, 3, 4), set(), {"3.1.4f"}),
        ({"children": [{"born_on": "1997-02-28"}], "residence": residence("2011-05-20")},
         date(2015, 2, 28), set(), {"3.2.3a"}),
    ],
    ids=["7th", "16th", "18th", "65th", "50th", "child's 18th"],
)  # fmt: skip
async def test_a_birthday_opens_and_ends_what_the_law_says(  # noqa: PLR0917 - fixtures
    house: House, clock: SetClock, open_case: Any, changes: dict[str, Any], day: date, opens: set[str], ends: set[str]
) -> None:
    number = await open_case(**changes)
    await _go_to(house, clock, day - DAY)
    before = await in_force(house, number)
    assert ends <= before
    assert not opens & before
    assert await _go_to(house, clock, day) == [number]
    after = await in_force(house, number)
    assert (after - before, before - after) == (opens | (after - before), ends)
    assert opens <= after
    await _stands(house, number)


async def test_days_missed_are_made_up_whole(house: House, clock: SetClock, open_case: Any) -> None:
    # Nobody ran anything for seven weeks, in which tier 2 began and the child turned seven.
    number = await open_case(children=[{"born_on": "2008-10-20"}], residence=residence("2014-10-08"))
    assert await _go_to(house, clock, date(2015, 11, 26)) == [number]
    await _stands(house, number)
    stands = await entitlements(house, number)
    assert stands["3.1.4d"].state is EntitlementState.ENDED
    assert stands["3.2.2j"].from_on == date(2015, 10, 8)
    assert await reconcile(house) == []


async def test_a_whole_life_missed_leaves_nothing_open(house: House, clock: SetClock, open_case: Any) -> None:
    number = await open_case(children=[{"born_on": "2006-05-01"}])
    await _go_to(house, clock, date(2019, 6, 1))
    # Down since 2014: the permit ended in November 2017, the school term with it in January 2018.
    assert await in_force(house, number) == set()
    assert (await case_row(house, number)).state is CaseState.CLOSED
    assert await reconcile(house) == []


async def test_unknown_facts_are_asked_once_only(
    house: House, clock: SetClock, open_case: Any, departments: Departments
) -> None:
    departments.silent.add("housing-fund")
    number = await open_case()
    for day in (date(2014, 11, 20), date(2015, 10, 8), date(2015, 10, 9)):
        clock.set_day(day)
        await work(house, number)
        await reconcile(house)
    asked = [
        fact for step in await steps(house, number) if step.kind is StepKind.VERIFICATION
        for fact in step.content["facts"]
    ]  # fmt: skip
    assert len(asked) == len(set(asked))
    assert "housing_fund_12_months" in asked


async def test_a_fact_of_tier_2_is_asked_on_the_day_it_matters(
    house: House, clock: SetClock, open_case: Any, departments: Departments
) -> None:
    number = await open_case(residence=residence("2014-10-08"))
    asked = {fact for event in departments.sent for fact in event["data"].get("facts", ())}
    assert not {"low_income", "housing_poor"} & asked
    departments.sent.clear()
    await _go_to(house, clock, date(2015, 10, 8))
    asked = {fact for event in departments.sent for fact in event["data"].get("facts", ())}
    assert asked == {"low_income", "housing_poor"}
    assert "3.2.4" in await in_force(house, number)
    await _stands(house, number)


async def test_what_a_department_owes_an_answer_for_waits_and_nothing_else(
    house: House, open_case: Any, departments: Departments
) -> None:
    departments.silent.add("housing-fund")
    number = await open_case()
    assert await in_force(house, number) == await granted(house, number)
    assert "3.1.5b" not in await entitlements(house, number)
    assert (await case_row(house, number)).state is CaseState.PROVISIONING


async def test_a_case_waits_for_identity_and_nothing_is_opened(
    house: House, open_case: Any, departments: Departments
) -> None:
    departments.facts["identity_matches"] = None
    number = await open_case()
    case = await case_row(house, number)
    assert (case.state, await permit_row(house, number)) == (CaseState.VERIFYING, None)
    assert await entitlements(house, number) == {}


async def test_no_ground_proven_gives_one_year(house: House, open_case: Any, departments: Departments) -> None:
    departments.facts["labour_contract"] = False
    number = await open_case()
    permit = await permit_row(house, number)
    assert permit is not None
    assert (permit.term_years, permit.valid_until) == (1, date(2015, 11, 2))


async def test_an_application_that_no_policy_covers_is_refused(
    house: House, clock: SetClock, open_case: Any, departments: Departments
) -> None:
    # A16: received after 2018-12-31.
    clock.set_day(date(2019, 1, 7))
    number = await open_case(received_on="2019-01-07")
    case = await case_row(house, number)
    assert (case.state, case.is_open, case.pack) == (CaseState.REFUSED, False, None)
    assert departments.sent == []


async def test_an_application_received_in_time_finishes_under_its_pack(
    house: House, clock: SetClock, open_case: Any
) -> None:
    # A16: received in 2018, decided in 2019, and served to the end of its term.
    clock.set_day(date(2019, 1, 7))
    number = await open_case(received_on="2018-12-31", residence=residence("2018-03-01"))
    await _stands(house, number)
    await _go_to(house, clock, date(2019, 3, 1))
    await _stands(house, number)
    assert await in_force(house, number) >= TIER_2_FOR_ALL


async def test_a_department_that_declines_costs_only_its_own_services(
    house: House, clock: SetClock, open_case: Any, departments: Departments
) -> None:
    departments.declines["ZB87-3.1.6a"] = "quota-full"
    number = await open_case()
    declined = (await entitlements(house, number))["3.1.6a"]
    assert (declined.state, declined.reason) == (EntitlementState.DECLINED, "quota-full")
    assert await in_force(house, number) == await granted(house, number) - {"3.1.6a"}
    assert (await case_row(house, number)).state is CaseState.CLOSED
    # It is not asked again by itself, and ends without a message with the permit.
    await _go_to(house, clock, date(2015, 10, 8))
    assert (await entitlements(house, number))["3.1.6a"].state is EntitlementState.DECLINED
    departments.sent.clear()
    await _go_to(house, clock, date(2017, 11, 3))
    assert (await entitlements(house, number))["3.1.6a"].state is EntitlementState.ENDED
    withdrawn = {one["service"] for event in departments.sent for one in event["data"].get("withdraw", ())}
    assert "ZB87-3.1.6a" not in withdrawn


async def test_a_service_still_unanswered_when_it_ends_is_withdrawn_when_the_answer_comes(
    house: House, clock: SetClock, open_case: Any, departments: Departments
) -> None:
    departments.silent.add("health")
    number = await open_case(children=[{"born_on": "2007-11-20"}])
    stands = await entitlements(house, number)
    assert stands["3.1.4d"].state is EntitlementState.PROVISIONING
    await _go_to(house, clock, date(2014, 11, 20))
    assert (await entitlements(house, number))["3.1.4d"].state is EntitlementState.PROVISIONING
    departments.silent.clear()
    await departments.call_back(house, number, "health")
    assert await dispatch(house) == [number]
    assert (await entitlements(house, number))["3.1.4d"].state is EntitlementState.ENDED
    await _stands(house, number)


async def test_what_nobody_has_seen_yet_is_taken_back_not_withdrawn(
    house: House, clock: SetClock, open_case: Any, departments: Departments
) -> None:
    await departments.disconnect(house, "health")
    number = await open_case(children=[{"born_on": "2007-11-20"}])
    await _go_to(house, clock, date(2014, 11, 20))
    own = [step for step in await steps(house, number) if step.department == "health"]
    assert [step.state for step in own] == [StepState.SUPERSEDED, StepState.HELD]
    assert "ZB87-3.1.4d" not in {one["service"] for one in own[1].content["open"]}
    await departments.connect(house)
    await dispatch(house)
    assert [e["id"] for e in departments.sent if e["id"] == own[0].id] == []
    await _stands(house, number)
