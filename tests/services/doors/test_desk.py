"""A department's desk: by deadline, one step opened with no more than its message bears, and answered item by item."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from models import Door, Role, StepKind, StepState
from services.access import Caller
from services.doors import sheet_form as form
from services.doors.desk import answer_step, count_desk, list_desk, open_step
from services.dossiers.reading import read_case
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from tests.services.doors.conftest import Open, attempts_of, steps_of
from tests.services.doors.test_inbox import audited
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work

OFFICER = Caller("li", Role.OFFICER, "hrss")
BOTH_TRUE = {"labour_contract": {form.RESULT: "属实"}, "social_insurance": {form.RESULT: "属实"}}


@pytest.fixture
async def inbox(departments: Departments, change: Any) -> None:
    """hrss works from the inbox."""
    del departments
    await change("hrss", door=Door.INBOX, url=None)


@pytest.mark.usefixtures("inbox")
async def test_a_step_is_opened_and_answered(house: House, open_case: Open) -> None:
    number = await open_case()
    step = f"{number}-v-hrss-1"
    (listed,) = (await list_desk(house, "hrss")).items
    assert (listed.id, listed.open_here, listed.taken) == (step, True, False)
    opened = await open_step(house, OFFICER, "hrss", step)
    assert opened.step.taken
    assert {item.code for item in opened.items} == {"labour_contract", "social_insurance"}
    assert opened.items[0].answers == ("属实", "不属实", "无法核验")
    assert opened.items[0].reasons
    (attempt,) = await attempts_of(house, step)
    assert attempt.door is Door.INBOX
    # No more of the person than the message bears.
    assert {words.zh for words, _ in opened.person} == {"姓名", "公民身份号码"}
    taken, problems = await answer_step(house, OFFICER, "hrss", step, BOTH_TRUE)
    assert (taken and taken.settled, problems) == ((step,), ())
    await work(house, number)
    case = await read_case(house, number)
    assert case.permit is not None
    assert case.permit.term_years == 3


@pytest.mark.usefixtures("inbox")
async def test_opening_twice_is_one_receipt_and_each_is_logged(house: House, open_case: Open) -> None:
    step = f"{await open_case()}-v-hrss-1"
    await open_step(house, OFFICER, "hrss", step)
    await open_step(house, OFFICER, "hrss", step)
    assert len(await attempts_of(house, step)) == 1
    assert [entry.actor for entry in await audited(house, "work.opened")] == ["officer:li", "officer:li"]


@pytest.mark.usefixtures("inbox")
async def test_one_item_wrong_and_nothing_is_taken(house: House, open_case: Open) -> None:
    step = f"{await open_case()}-v-hrss-1"
    await open_step(house, OFFICER, "hrss", step)
    wrong = {"labour_contract": {form.RESULT: "属实"}, "social_insurance": {form.RESULT: "无法核验"}}
    taken, (problem,) = await answer_step(house, OFFICER, "hrss", step, wrong)
    assert (taken, problem.row, problem.problem.field) == (None, 1, form.REASON)
    (standing,) = await steps_of(house, "hrss")
    assert standing.state is StepState.RECEIVED
    with pytest.raises(InputError, match="nothing is answered"):
        await answer_step(house, OFFICER, "hrss", step, {"labour_contract": {form.RESULT: ""}})


@pytest.mark.usefixtures("inbox")
async def test_the_same_answer_twice_is_one_answer(house: House, open_case: Open) -> None:
    step = f"{await open_case()}-v-hrss-1"
    await open_step(house, OFFICER, "hrss", step)
    await answer_step(house, OFFICER, "hrss", step, BOTH_TRUE)
    taken, _ = await answer_step(house, OFFICER, "hrss", step, BOTH_TRUE)
    assert taken is not None
    assert taken.repeated


@pytest.mark.usefixtures("inbox")
async def test_another_departments_step_is_out_of_sight(house: House, open_case: Open) -> None:
    number = await open_case()
    with pytest.raises(NotFoundError):
        await open_step(house, OFFICER, "hrss", f"{number}-v-police-1")
    with pytest.raises(NotFoundError):
        await answer_step(house, OFFICER, "hrss", f"{number}-v-police-1", BOTH_TRUE)


@pytest.mark.usefixtures("inbox")
async def test_what_is_not_opened_is_not_answered(house: House, open_case: Open) -> None:
    step = f"{await open_case()}-v-hrss-1"
    with pytest.raises(ConflictError, match="open it first"):
        await answer_step(house, OFFICER, "hrss", step, BOTH_TRUE)


async def test_who_is_pushed_to_answers_at_the_desk_what_was_received(
    house: House, departments: Departments, open_case: Open
) -> None:
    departments.silent.add("hrss")
    step = f"{await open_case()}-v-hrss-1"
    (listed,) = (await list_desk(house, "hrss")).items
    assert (listed.open_here, listed.taken) == (True, True)
    await open_step(house, OFFICER, "hrss", step)
    taken, _ = await answer_step(house, OFFICER, "hrss", step, BOTH_TRUE)
    assert taken is not None
    assert taken.settled == (step,)


async def test_what_a_push_has_under_way_is_not_opened(house: House, departments: Departments, open_case: Open) -> None:
    departments.failing["hrss"] = 503
    step = f"{await open_case()}-v-hrss-1"
    (listed,) = (await list_desk(house, "hrss")).items
    assert not listed.open_here
    with pytest.raises(ConflictError, match="cannot be opened here"):
        await open_step(house, OFFICER, "hrss", step)


@pytest.mark.usefixtures("inbox")
async def test_the_desk_is_by_deadline_page_by_page_and_counted(house: House, open_case: Open, clock: SetClock) -> None:
    first = await open_case()
    clock.set_day(date(2014, 11, 10))
    second = await open_case(received_on="2014-11-10")
    page = await list_desk(house, "hrss", limit=1)
    assert [one.case_number for one in page.items] == [first]
    rest = await list_desk(house, "hrss", limit=1, cursor=page.next)
    assert ([one.case_number for one in rest.items], rest.next) == ([second], None)
    assert (await list_desk(house, "hrss", kind=StepKind.ENTITLEMENTS)).items == ()
    clock.set_day(date(2014, 11, 17))
    counts = await count_desk(house, "hrss")
    assert (counts.steps, counts.untaken, counts.due_today, counts.overdue) == (2, 2, 1, 0)
    clock.set_day(date(2014, 11, 18))
    assert (await count_desk(house, "hrss")).overdue == 1
    with pytest.raises(InputError, match="no cursor"):
        await list_desk(house, "hrss", cursor="!!!")
