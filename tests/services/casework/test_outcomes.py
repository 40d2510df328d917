"""What departments answer takes effect once, in part or whole; what contradicts the question stops, and is seen."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from models import CaseState, EntitlementState, StepKind, StepState
from services.casework.outcomes import Answered, weigh_answers
from services.exchange.outcomes import Declined, Outcome, ServiceOutcome
from services.house import House
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, reconcile, work
from tests.testing.looking import case_row, chain_length, entitlements, in_force, steps
from tests.testing.people import application, registered

MOMENT = datetime(2014, 11, 3, tzinfo=UTC)
OPENS = [{"service": one, "from": "2014-11-03", "until": "2017-11-02"} for one in ("ZB87-3.1.6a", "ZB87-3.1.6b")]
LEAVES = [{"service": "ZB87-3.1.1a", "last_day": "2014-11-02"}]


def _weigh(content: dict[str, Any], kind: StepKind = StepKind.ENTITLEMENTS, **told: Any) -> Any:
    said = {"step": "s", "facts": {}, "authority": None, "services": {}, "declined": None, "received": False} | told
    return weigh_answers([Answered("s", "c", "justice", kind, content, Outcome(**said))], MOMENT)


def _say(state: str, reason: str | None = None, from_on: date | None = None) -> ServiceOutcome:
    return ServiceOutcome(state, from_on, reason, None)  # type: ignore[arg-type]  # any word a department may use


def _moves(settlement: Any) -> list[tuple[StepState, str | None]]:
    return [(move.to, move.reason) for move in settlement.moves]


def test_facts_told_in_part_leave_the_step_open() -> None:
    asked = {"facts": ["labour_contract", "social_insurance"]}
    part = _weigh(asked, StepKind.VERIFICATION, facts={"labour_contract": True, "home_owned": True})
    # What was not asked of this department is none of its business, and is not taken.
    assert [(fact["name"], fact["value"]) for fact in part.facts] == [("labour_contract", True)]
    assert _moves(part) == [(StepState.RECEIVED, None)]
    whole = _weigh(asked, StepKind.VERIFICATION, facts={"labour_contract": True, "social_insurance": False})
    assert _moves(whole) == [(StepState.DONE, None)]


def test_a_question_declined_keeps_its_reason() -> None:
    asked = {"facts": ["labour_contract"]}
    assert _moves(_weigh(asked, StepKind.VERIFICATION, declined=Declined("no-record", None))) == [
        (StepState.DECLINED, "no-record")
    ]


def test_services_confirmed_as_asked_are_one_statement() -> None:
    told = {"ZB87-3.1.6a": _say("in_force"), "ZB87-3.1.6b": _say("in_force", from_on=date(2014, 11, 3))}
    settlement = _weigh({"open": OPENS}, services=told)
    assert ([one.id for one in settlement.opened], settlement.services) == (["s"], [])
    assert _moves(settlement) == [(StepState.DONE, None)]


def test_one_service_declined_of_two_is_done_with_its_reason_at_the_service() -> None:
    told = {"ZB87-3.1.6a": _say("in_force"), "ZB87-3.1.6b": _say("declined", "quota-full")}
    settlement = _weigh({"open": OPENS}, services=told)
    assert [(one["name"], one["state"], one["reason"]) for one in settlement.services] == [
        ("ZB87-3.1.6a", EntitlementState.IN_FORCE, None),
        ("ZB87-3.1.6b", EntitlementState.DECLINED, "quota-full"),
    ]
    assert _moves(settlement) == [(StepState.DONE, None)]


def test_another_first_day_is_kept() -> None:
    told = {"ZB87-3.1.6a": _say("in_force", from_on=date(2014, 12, 1)), "ZB87-3.1.6b": _say("in_force")}
    settlement = _weigh({"open": OPENS}, services=told)
    assert {one["name"]: one["in_force_from"] for one in settlement.services}["ZB87-3.1.6a"] == date(2014, 12, 1)


def test_a_step_declined_whole_declines_every_service() -> None:
    settlement = _weigh({"open": OPENS}, declined=Declined("not-our-duty", None))
    assert {one["state"] for one in settlement.services} == {EntitlementState.DECLINED}
    assert _moves(settlement) == [(StepState.DECLINED, "not-our-duty")]


def test_an_opening_answered_with_ended_is_a_refusal() -> None:
    settlement = _weigh({"open": OPENS[:1]}, services={"ZB87-3.1.6a": _say("ended")})
    assert [one["state"] for one in settlement.services] == [EntitlementState.DECLINED]
    assert _moves(settlement) == [(StepState.DECLINED, "unexplained")]


@pytest.mark.parametrize(
    "told",
    [
        {"services": {"ZB87-3.1.1a": _say("in_force")}},
        {"services": {"ZB87-3.1.1a": _say("declined", "other")}},
        {"declined": Declined("other", None)},
    ],
    ids=["in force", "declined", "declined whole"],
)
def test_a_withdrawal_refused_stays_withdrawing_and_is_seen(told: dict[str, Any]) -> None:
    settlement = _weigh({"withdraw": LEAVES}, **told)
    assert [(one["state"], one["reason"]) for one in settlement.services] == [
        (EntitlementState.WITHDRAWING, "unexplained")
    ]
    assert _moves(settlement) == [(StepState.DECLINED, "unexplained")]


def test_a_withdrawal_refused_beside_an_opening_is_seen_too() -> None:
    told = {"ZB87-3.1.6a": _say("in_force"), "ZB87-3.1.1a": _say("declined", "system-error")}
    settlement = _weigh({"open": OPENS[:1], "withdraw": LEAVES}, services=told)
    assert _moves(settlement) == [(StepState.DECLINED, "system-error")]


def test_a_service_nobody_asked_for_is_not_taken() -> None:
    settlement = _weigh({"open": OPENS[:1]}, services={"ZB87-3.1.9a": _say("in_force")})
    assert settlement.services == []
    assert _moves(settlement) == [(StepState.RECEIVED, None)]


@pytest.mark.parametrize("state", ["ended", "declined"])
async def test_a_department_that_never_opens_is_asked_once(house: House, departments: Departments, state: str) -> None:
    departments.says["ZB87-3.1.6a"] = {"state": state} | ({"reason": "other"} if state == "declined" else {})
    (number,) = await registered(house, application())
    await work(house, number)
    asked = [one for step in await steps(house, number) for one in step.content.get("open", ())]
    assert [one["service"] for one in asked].count("ZB87-3.1.6a") == 1
    assert (await entitlements(house, number))["3.1.6a"].state is EntitlementState.DECLINED
    assert (await case_row(house, number)).state is CaseState.CLOSED


async def test_a_department_that_never_lets_go_is_asked_once_and_shown(
    house: House, clock: SetClock, departments: Departments
) -> None:
    (number,) = await registered(house, application(term_years=1, grounds=[]))
    await work(house, number)
    departments.says["ZB87-3.1.6a"] = {"state": "in_force"}
    clock.set_day(date(2015, 11, 3))
    assert await reconcile(house) == [number]
    assert await in_force(house, number) == set()
    kept = (await entitlements(house, number))["3.1.6a"]
    assert (kept.state, kept.reason) == (EntitlementState.WITHDRAWING, "unexplained")
    (step,) = [one for one in await steps(house, number) if one.id == kept.step_id]
    assert (step.state, step.reason) == (StepState.DECLINED, "unexplained")
    assert await reconcile(house) == []
    await chain_length(house)
