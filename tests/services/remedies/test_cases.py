"""Remedies on applications: withdrawn, corrected, reopened, decided by hand, waived."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models import CaseState, CaseVersion, ClockStop, RemedyState, Role, StepKind, StepState
from services.access import Caller
from services.database import table
from services.dossiers.stories import tell_story
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from services.intake.application import Application
from services.remedies.asking import approve_remedy
from services.remedies.corrections import take_correction
from services.remedies.orders import read_order
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.looking import case_row, chain_length, entitlements, in_force, permit_row, standing_of, steps
from tests.testing.people import body, registered

CLERK = Caller("zhangdian-1", Role.CLERK, "370303")


async def test_a_withdrawn_application_asks_nobody_any_more(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.silent.add("hrss")
    departments.failing["police"] = 503
    number = await open_case()
    await ask("withdraw", cases=[number])
    case = await case_row(house, number)
    assert (case.state, case.is_open) == (CaseState.WITHDRAWN, False)
    assert {step.state for step in await steps(house, number)} <= {StepState.SUPERSEDED, StepState.DONE}
    departments.failing.clear()
    departments.silent.clear()
    departments.sent.clear()
    await dispatch(house)
    assert departments.sent == []
    assert (await case_row(house, number)).state is CaseState.WITHDRAWN
    # An answer that was already on its way changes nothing.
    await departments.call_back(house, number, "hrss")
    await dispatch(house)
    assert (await case_row(house, number)).state is CaseState.WITHDRAWN


async def test_a_permit_is_cancelled_not_withdrawn(open_case: Any, ask: Any) -> None:
    number = await open_case()
    with pytest.raises(ConflictError, match="without a decision"):
        await ask("withdraw", cases=[number])


async def test_a_withdrawn_application_comes_back(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.silent.add("hrss")
    number = await open_case()
    await ask("withdraw", cases=[number])
    departments.silent.clear()
    await ask("reopen", cases=[number])
    await work(house, number)
    assert await permit_row(house, number) is not None
    assert (await case_row(house, number)).state is CaseState.CLOSED
    asked = [step for step in await steps(house, number) if step.kind is StepKind.VERIFICATION]
    # What police had answered was not asked again.
    assert [step.department for step in asked].count("police") == 1
    await chain_length(house)


async def test_a_refusal_on_a_wrong_answer_is_put_right_by_a_document(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.facts["residence_registered"] = False
    number = await open_case()
    assert (await case_row(house, number)).state is CaseState.REFUSED
    document = "张店公安分局证明〔2014〕12号"
    asked = {"fact": "residence_registered", "value": True, "department": "police", "document": document}
    await ask("fact", cases=[number], **asked)
    await ask("reopen", cases=[number])
    await work(house, number)
    assert (await permit_row(house, number)) is not None
    assert (await standing_of(house, number)).facts["residence_registered"] is True
    events = (await tell_story(house, number)).events
    (told,) = [event for event in events if event.kind == "fact-decided"]
    assert any(document in detail.zh for detail in told.details)
    await chain_length(house)


async def test_reopened_anew_a_case_asks_everybody_again(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.facts["identity_matches"] = False
    number = await open_case()
    assert (await case_row(house, number)).state is CaseState.REFUSED
    departments.facts.clear()
    await ask("reopen", cases=[number])
    await work(house, number)
    assert (await case_row(house, number)).state is CaseState.REFUSED
    await ask("reopen", cases=[number], anew=True)
    await work(house, number)
    assert (await case_row(house, number)).state is CaseState.CLOSED
    assert await permit_row(house, number) is not None


async def test_what_was_decided_by_hand_holds_over_a_later_answer(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.silent.add("hrss")
    number = await open_case()
    asked = {"value": True, "department": "hrss", "document": "会议纪要3号"}
    await ask("fact", cases=[number], fact="labour_contract", **asked)
    assert (await case_row(house, number)).state is CaseState.VERIFYING
    departments.silent.clear()
    departments.facts["labour_contract"] = False
    await departments.call_back(house, number, "hrss")
    await work(house, number)
    assert (await standing_of(house, number)).facts["labour_contract"] is True
    permit = await permit_row(house, number)
    assert permit is not None
    assert permit.term_years == 3


async def test_a_question_answered_by_hand_is_asked_no_more(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.silent.add("hrss")
    number = await open_case()
    (open_,) = [step for step in await steps(house, number) if step.state is StepState.RECEIVED]
    for fact in open_.content["facts"]:
        await ask("fact", cases=[number], fact=fact, value=True, department="hrss", document="会议纪要3号")
    (settled,) = [step for step in await steps(house, number) if step.id == open_.id]
    assert (settled.state, settled.reason) == (StepState.SUPERSEDED, "decided-by-hand")
    departments.silent.clear()
    await work(house, number)
    assert (await case_row(house, number)).state is CaseState.CLOSED


async def test_a_waived_step_lets_the_case_close(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.silent.add("culture")
    number = await open_case()
    assert (await case_row(house, number)).state is CaseState.PROVISIONING
    (step,) = [one for one in await steps(house, number) if one.state is StepState.RECEIVED]
    with pytest.raises(ConflictError, match="no clause"):
        await ask("waive", steps=[step.id], clause="ZB87-9.9")
    await ask("waive", steps=[step.id], clause="ZB87-4.2a")
    await work(house, number)
    assert (await case_row(house, number)).state is CaseState.CLOSED
    assert "3.1.7a" not in await in_force(house, number)
    with pytest.raises(ConflictError, match="cannot be waived"):
        await ask("waive", steps=[step.id], clause="ZB87-4.2a")
    # The department had the message: when the permit ends, it is told to close what it may have opened.
    departments.sent.clear()
    departments.silent.clear()
    await ask("cancel", cases=[number], end="cancelled")
    await work(house, number)
    told = {one["service"] for event in departments.sent for one in event["data"].get("withdraw", [])}
    assert "ZB87-3.1.7a" in told
    assert (await entitlements(house, number))["3.1.7a"].state.value == "ended"
    await chain_length(house)


async def test_reopening_a_closed_case_asks_again_for_what_was_declined(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.declines["ZB87-3.1.7a"] = "system-error"
    number = await open_case()
    assert "3.1.7a" not in await in_force(house, number)
    departments.declines.clear()
    departments.sent.clear()
    await ask("reopen", cases=[number])
    await work(house, number)
    assert "3.1.7a" in await in_force(house, number)
    assert {one["service"] for event in departments.sent for one in event["data"]["open"]} == {"ZB87-3.1.7a"}
    assert (await case_row(house, number)).state is CaseState.CLOSED


async def test_a_correction_stops_the_clock_and_keeps_what_stood_before(
    house: House, clock: SetClock, departments: Departments, ask: Any
) -> None:
    departments.silent.add("police")
    given = body()
    (number,) = await registered(house, Application.model_validate(given))
    await work(house, number)
    before = await case_row(house, number)
    await ask("correct", cases=[number], missing=["居住登记日期有误，请提供登记凭证"])
    await work(house, number)
    assert (await case_row(house, number)).state is CaseState.AWAITING_APPLICANT
    with pytest.raises(ConflictError, match="awaiting_applicant"):
        await ask("correct", cases=[number], missing=["照片"])
    clock.pass_(days=3)
    departments.silent.clear()
    departments.sent.clear()
    right = Application.model_validate(given | {"residence": given["residence"] | {"registered_on": "2014-09-01"}})
    done = await take_correction(house, CLERK, number, right)
    assert (done.version, done.changed) == (2, ("residence",))
    await work(house, number)
    # Everything is asked again, about the new content only.
    sent = [event["data"]["person"].get("residence_registered_on") for event in departments.sent]
    assert "2014-09-01" in sent
    assert "2014-10-08" not in sent
    assert (await case_row(house, number)).state is CaseState.CLOSED
    async with house.database.read() as connection:
        version = (await connection.execute(select(table(CaseVersion)))).one()
        stop = (await connection.execute(select(table(ClockStop)))).one()
    assert version.sealed == before.sealed
    assert (stop.until_at - stop.from_at).days == 3
    told = [event.kind for event in (await tell_story(house, number)).events]
    assert told.index("correction") < told.index("corrected")
    await chain_length(house)


async def test_a_second_correction_is_for_two_persons(
    house: House, departments: Departments, clock: SetClock, ask: Any, colleague: Caller
) -> None:
    del departments
    given = body()
    (number,) = await registered(house, Application.model_validate(given))
    assert (await ask("correct", cases=[number], missing=["照片"])).state is RemedyState.DONE
    await take_correction(house, CLERK, number, Application.model_validate(given))
    clock.pass_(days=1)
    again = await ask("correct", cases=[number], missing=["居住登记凭证"])
    assert again.state is RemedyState.PROPOSED
    assert (await case_row(house, number)).state is CaseState.ACCEPTED
    await approve_remedy(house, colleague, again.id)
    assert (await case_row(house, number)).state is CaseState.AWAITING_APPLICANT


async def test_an_answer_about_the_content_before_counts_no_more(
    house: House, departments: Departments, ask: Any
) -> None:
    departments.silent.add("police")
    given = body()
    (number,) = await registered(house, Application.model_validate(given))
    await work(house, number)
    await ask("correct", cases=[number], missing=["姓名"])
    renamed = Application.model_validate(given | {"person": given["person"] | {"name": "赵六"}})
    await take_correction(house, CLERK, number, renamed)
    departments.silent.clear()
    departments.facts["identity_matches"] = False
    await departments.call_back(house, number, "police")
    departments.facts.clear()
    await work(house, number)
    assert await permit_row(house, number) is not None


async def test_what_a_correction_may_not_do(house: House, departments: Departments, ask: Any) -> None:
    del departments
    given = body()
    (number,) = await registered(house, Application.model_validate(given))
    same = Application.model_validate(given)
    with pytest.raises(ConflictError, match="no correction is awaited"):
        await take_correction(house, CLERK, number, same)
    await ask("correct", cases=[number], missing=["照片"])
    with pytest.raises(InputError, match="received_on"):
        await take_correction(house, CLERK, number, Application.model_validate(given | {"received_on": "2014-11-02"}))
    with pytest.raises(NotFoundError):
        await take_correction(house, Caller("linzi-1", Role.CLERK, "370305"), number, same)
    # The ID number of somebody who has an open case.
    taken = body()
    await registered(house, Application.model_validate(taken))
    stolen = given | {"person": taken["person"]}
    with pytest.raises(ConflictError, match="another open case"):
        await take_correction(house, CLERK, number, Application.model_validate(stolen))
    assert (await case_row(house, number)).version == 1


async def test_a_refused_applicant_may_be_asked_to_put_it_right(
    house: House, departments: Departments, open_case: Any, ask: Any
) -> None:
    departments.facts["residence_registered"] = False
    number = await open_case()
    await ask("correct", cases=[number], missing=["居住登记"])
    case = await case_row(house, number)
    assert (case.state, case.is_open) == (CaseState.AWAITING_APPLICANT, True)


async def test_a_case_that_was_set_aside_is_taken_up(house: House, departments: Departments, ask: Any) -> None:
    del departments
    (number,) = await registered(house, Application.model_validate(body()))
    async with house.database.write("test") as transaction:
        cases = table(CaseVersion).metadata.tables["cases"]
        await transaction.connection.execute(cases.update().values(set_aside="claimed repeatedly", tries=8))
    assert await dispatch(house) == []
    await ask("reopen", cases=[number])
    assert number in await dispatch(house)
    assert (await case_row(house, number)).state is CaseState.CLOSED


@pytest.mark.parametrize("reason", ["请处理 370303198511051234", "联系 13812345678", "", "两\x00行"])
def test_a_reason_bears_nothing_personal(reason: str) -> None:
    with pytest.raises(InputError):
        read_order({"kind": "withdraw", "reason": reason, "cases": ["370303-2014-000001"]})
