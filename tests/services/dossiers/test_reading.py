"""One case as its readers see it."""

from __future__ import annotations

import pytest

from services.access import Sight
from services.dossiers.persons import mask_name
from services.dossiers.reading import read_case
from services.errors import NotFoundError
from services.house import House
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


async def _case(house: House, **changes: object) -> str:
    (number,) = await registered(house, application(**changes))
    await work(house, number)
    return number


async def test_a_case_that_went_through_is_told_whole(house: House, departments: Departments) -> None:
    del departments
    number = await _case(house)
    case = await read_case(house, number)
    assert (case.state.code, case.permit.term_years if case.permit else None) == ("closed", 3)
    assert case.waiting_for == ()
    assert {one.state.code for one in case.entitlements} == {"in_force"}
    assert all(one.because for one in case.entitlements)
    assert {(fact.fact.code, fact.value) for fact in case.facts} >= {
        ("identity_matches", True),
        ("labour_contract", True),
    }
    assert all(fact.authority == "经办窗口" for fact in case.facts)
    assert all(step.state.code == "done" and len(step.attempts) == 1 for step in case.steps)


async def test_the_person_is_masked(house: House, departments: Departments) -> None:
    del departments
    applied = application(name="欧阳明珠")
    (number,) = await registered(house, applied)
    await work(house, number)
    case = await read_case(house, number)
    assert case.person.name == "欧**"
    told = repr(case)
    assert "欧阳" not in told
    assert applied.person.id_number not in told
    assert applied.person.id_number[6:14] not in case.person.id_number


@pytest.mark.parametrize(
    ("name", "shown"), [("张三", "张*"), ("张三丰", "张**"), ("阿卜杜拉·买买提", "阿**"), ("张", "*"), ("Li Na", "L**")]
)
def test_a_name_shows_its_first_character(name: str, shown: str) -> None:
    assert mask_name(name) == shown


async def test_a_silent_department_is_named_with_what_it_has_to_answer(house: House, departments: Departments) -> None:
    departments.silent.add("hrss")
    number = await _case(house)
    case = await read_case(house, number)
    (waiting,) = case.waiting_for
    assert case.state.code == "verifying"
    assert waiting.department.code == "hrss"
    assert {fact.code for fact in waiting.facts} == {"labour_contract", "social_insurance"}
    assert (waiting.for_permit, waiting.state) == (True, "received")
    assert waiting.words.zh == "待人力资源社会保障局核验：已签订劳动合同、已参加社会保险（2014年11月17日前答复）"


async def test_a_fact_left_open_names_the_services_that_hang_on_it(house: House, departments: Departments) -> None:
    departments.facts["honour"] = None
    number = await _case(house)
    (waiting,) = (await read_case(house, number)).waiting_for
    assert (waiting.department.code, waiting.for_permit) == ("leading-group-office", False)
    assert [service.code for service in waiting.holds_up] == ["ZB87-3.1.10b"]


async def test_services_not_acknowledged_are_waited_for(house: House, departments: Departments) -> None:
    departments.silent.add("education")
    number = await _case(house, children=[{"born_on": "2008-05-01"}])
    case = await read_case(house, number)
    (waiting,) = case.waiting_for
    assert case.state.code == "provisioning"
    assert (waiting.department.code, [one.code for one in waiting.services]) == ("education", ["ZB87-3.1.1a"])


async def test_a_refused_case_waits_for_nobody(house: House, departments: Departments) -> None:
    departments.facts["identity_matches"] = False
    departments.silent.add("hrss")
    number = await _case(house)
    case = await read_case(house, number)
    assert (case.state.code, case.waiting_for, case.permit) == ("refused", (), None)


async def test_a_decline_bears_its_reason(house: House, departments: Departments) -> None:
    departments.declines["ZB87-3.1.5a"] = "quota-full"
    number = await _case(house)
    declined = [one for one in (await read_case(house, number)).entitlements if one.reason is not None]
    assert [(one.service.code, one.state.code, one.reason.zh) for one in declined if one.reason] == [
        ("ZB87-3.1.5a", "declined", "名额已满，已列入轮候")
    ]


async def test_an_officer_sees_only_what_is_the_departments_own(house: House, departments: Departments) -> None:
    departments.silent.add("health")
    number = await _case(house)
    case = await read_case(house, number, Sight(department="hrss"))
    assert {step.department.code for step in case.steps} == {"hrss"}
    assert {one.department.code for one in case.entitlements} == {"hrss"}
    assert {fact.department.code for fact in case.facts} == {"hrss"}
    assert case.waiting_for == ()
    assert case.grounds == ()
    assert case.permit is not None
    assert case.permit.grounds == ()


@pytest.mark.parametrize("sight", [Sight(district="370302"), Sight(department="education"), Sight(department="tax")])
async def test_a_case_out_of_sight_is_not_there(house: House, departments: Departments, sight: Sight) -> None:
    del departments
    number = await _case(house)
    with pytest.raises(NotFoundError):
        await read_case(house, number, sight)
    with pytest.raises(NotFoundError):
        await read_case(house, "370303-2014-999999")


async def test_a_case_under_no_policy_can_be_read(house: House, departments: Departments, clock: SetClock) -> None:
    del departments, clock
    (number,) = await registered(house, application(received_on="2014-09-30"))
    await work(house, number)
    case = await read_case(house, number)
    assert (case.state.code, case.policy, case.district.zh) == ("refused", None, "张店区")
