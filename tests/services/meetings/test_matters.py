"""Matters come up by themselves, join, grow, are answered, and go when nothing hangs on them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from models import AuditEntry, MatterKind, MatterState, Role
from services.access import Caller
from services.casework.deliveries import deliver_steps
from services.database import table
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.house import House
from services.meetings.handling import put_forward, remark, take_off
from services.meetings.matters import gather
from services.meetings.reading import list_matters, show_matter
from tests.services.meetings.conftest import matter_row, matters, officer
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.looking import chain_length
from tests.testing.people import application, registered

OFFICE = Caller("li", Role.COORDINATOR)


async def _cases(house: House, count: int, **changes: Any) -> list[str]:
    numbers = await registered(house, *(application(**changes) for _ in range(count)))
    await work(house, *numbers)
    return numbers


async def _told(house: House, action: str) -> int:
    entries = table(AuditEntry)
    async with house.database.read() as connection:
        query = select(func.count()).where(entries.c.action == action)
        return int((await connection.execute(query)).scalar_one())


async def test_what_is_not_beyond_its_time_is_no_matter(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.silent.add("hrss")
    await _cases(house, 2)
    await gather(house)
    assert MatterKind.LATE not in await matters(house)
    clock.set_day(date(2014, 11, 18))
    await gather(house)
    late = (await matters(house))[MatterKind.LATE]
    assert (late.department, late.cases, late.people, late.overdue) == ("hrss", 2, 2, 2)
    assert late.due_on == date(2014, 11, 17)


async def test_alike_ones_join_and_are_told_once(house: House, departments: Departments, clock: SetClock) -> None:
    departments.silent.add("hrss")
    await _cases(house, 2)
    clock.set_day(date(2014, 11, 18))
    await gather(house)
    first = (await matters(house))[MatterKind.LATE]
    told = await _told(house, "matter.opened")
    length = await chain_length(house)
    # A second look changes nothing, and writes nothing.
    assert (await gather(house)).opened == ()
    assert await chain_length(house) == length
    await _cases(house, 3, received_on="2014-11-18")
    clock.set_day(date(2014, 12, 5))
    grown = (await gather(house)).grown
    same = (await matters(house))[MatterKind.LATE]
    assert (same.id, same.cases, same.most_cases) == (first.id, 5, 5)
    assert first.id in grown
    assert await _told(house, "matter.opened") == told


async def test_one_that_resolved_itself_is_taken_off_with_the_reason(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.silent.add("hrss")
    (number,) = await _cases(house, 1)
    clock.set_day(date(2014, 11, 18))
    await gather(house)
    late = (await matters(house))[MatterKind.LATE]
    departments.silent.discard("hrss")
    await departments.call_back(house, number, "hrss")
    await dispatch(house)
    assert late.id in (await gather(house)).off
    row = await matter_row(house, late.id)
    assert (row.state, row.open_key, row.closed_because) == (MatterState.OFF, None, "resolved-itself")
    # Should it come up again, it is another matter.
    departments.silent.add("hrss")
    await _cases(house, 1, received_on="2014-11-18")
    clock.set_day(date(2014, 12, 5))
    await gather(house)
    assert (await matters(house))[MatterKind.LATE].id != late.id


async def test_an_incident_comes_up_when_it_is_beyond_its_time(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.failing["housing-fund"] = 503
    await _cases(house, 2)
    await gather(house)
    assert MatterKind.TROUBLE not in await matters(house)
    # Five working days on, before its deadline is missed.
    clock.set_day(date(2014, 11, 11))
    await gather(house)
    trouble = (await matters(house))[MatterKind.TROUBLE]
    assert (trouble.department, trouble.subject, trouble.cases) == ("housing-fund", "http-503", 2)


async def test_a_dispute_about_who_owes_a_service(house: House, departments: Departments) -> None:
    departments.declines["ZB87-3.1.7e"] = "not-our-duty"
    await _cases(house, 2)
    await gather(house)
    dispute = (await matters(house))[MatterKind.DISPUTE]
    assert (dispute.department, dispute.subject, dispute.cases) == ("sports", "ZB87-3.1.7e", 2)
    (item,) = [one for one in await list_matters(house) if one.id == dispute.id]
    assert item.title.zh.endswith("由哪个部门承担")


async def test_what_a_department_decides_by_its_own_rules_is_no_matter(house: House, departments: Departments) -> None:
    departments.declines["ZB87-3.1.6b"] = "not-eligible"
    await _cases(house, 1)
    await gather(house)
    assert set(await matters(house)) <= {MatterKind.CATCH_ALL}


async def test_a_ground_other_waits_for_the_meeting(house: House, departments: Departments) -> None:
    del departments
    numbers = await _cases(house, 2, grounds=["other"])
    await gather(house)
    ground = (await matters(house))[MatterKind.OTHER_GROUND]
    assert (ground.department, ground.cases) == (None, 2)
    paper = (await show_matter(house, ground.id)).paper
    assert paper["cases"] == sorted(numbers)
    assert [one["code"] for one in paper["options"]] == ["accept-ground", "amend"]
    assert paper["districts"] == [{"code": "370303", "zh": "张店区", "en": "Zhangdian District", "cases": 2}]


async def test_services_promised_with_nobody_connected(house: House, departments: Departments) -> None:
    await departments.disconnect(house, "sports")
    await _cases(house, 1)
    await deliver_steps(house, "dispatch")
    await gather(house)
    unconnected = (await matters(house))[MatterKind.UNCONNECTED]
    assert (unconnected.department, unconnected.cases) == ("sports", 1)


async def test_a_clause_left_open_comes_up_once_people_hold_it(house: House, departments: Departments) -> None:
    del departments
    await gather(house)
    assert MatterKind.CATCH_ALL not in await matters(house)
    await _cases(house, 2)
    await gather(house)
    left_open = (await matters(house))[MatterKind.CATCH_ALL]
    assert (left_open.department, left_open.subject, left_open.people) == ("health", "ZB87-3.1.4e", 2)


async def test_a_fact_that_nobody_can_confirm_and_a_contradiction(house: House, departments: Departments) -> None:
    departments.facts["labour_contract"] = None
    departments.facts["social_insurance"] = None
    (number,) = await _cases(house, 1)
    event = next(one for one in departments.sent if one["id"].startswith(f"{number}-v-hrss"))
    await departments.report(house, "hrss", {"step": event["id"], "declined": {"reason": "no-record"}})
    await gather(house)
    found = await matters(house)
    assert found[MatterKind.UNCONFIRMED].department == "hrss"
    police = next(one for one in departments.sent if one["id"].startswith(f"{number}-v-police"))
    await departments.report(
        house, "police", {"step": police["id"], "facts": {"identity_matches": False, "residence_registered": True}}
    )
    await gather(house)
    found = await matters(house)
    assert (found[MatterKind.CONTRADICTION].department, found[MatterKind.CONTRADICTION].subject) == (
        "police", "identity_matches",
    )  # fmt: skip


async def test_a_member_puts_one_forward_and_others_comment(house: House) -> None:
    education = officer("education")
    number = await put_forward(house, education, "education", "学位不足，建议按居住年限轮候", "ZB87-3.2.1c")
    assert await put_forward(house, education, "education", "学位不足，建议按居住年限轮候") == number
    await remark(house, officer("finance"), number, "finance", "经费由区县承担", answer=False)
    with pytest.raises(AccessError):
        await remark(house, officer("finance"), number, "police", "同意", answer=False)
    with pytest.raises(ConflictError, match="not this department's"):
        await remark(house, officer("finance"), number, "finance", "同意", answer=True)
    paper = (await show_matter(house, number)).paper
    assert [one["text"] for one in paper["remarks"]] == ["经费由区县承担"]
    assert paper["about"]["zh"]
    # What a member put forward does not go by itself; it may be taken back by that member.
    assert (await gather(house)).off == ()
    with pytest.raises(AccessError):
        await take_off(house, officer("finance"), number, "不再需要")
    await take_off(house, education, number, "已另行解决")
    assert (await matter_row(house, number)).state is MatterState.OFF


@pytest.mark.parametrize(
    ("caller", "department", "text", "subject", "error"),
    [
        (officer("education"), "police", "议题", None, AccessError),
        (OFFICE, "nobody", "议题", None, NotFoundError),
        (OFFICE, "joint-meeting", "议题", None, NotFoundError),
        (OFFICE, "education", " ", None, InputError),
        (OFFICE, "education", "致电13812345678", None, InputError),
        (OFFICE, "education", "议题", "ZB99-1", InputError),
    ],
)
async def test_what_cannot_be_put_forward(
    house: House, caller: Caller, department: str, text: str, subject: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await put_forward(house, caller, department, text, subject)


async def test_the_answer_asked_for_has_a_deadline_before_the_meeting(house: House, departments: Departments) -> None:
    departments.declines["ZB87-3.1.7e"] = "not-our-duty"
    await _cases(house, 1)
    await gather(house)
    dispute = (await matters(house))[MatterKind.DISPUTE]
    # On Monday 3 November the papers of the 11th are not sent yet; answers are due two working days before it.
    assert dispute.answer_by == date(2014, 11, 7)
    await remark(house, officer("sports"), dispute.id, "sports", "应由文化部门承担", answer=True)
    (item,) = [one for one in await list_matters(house) if one.id == dispute.id]
    assert item.answered
