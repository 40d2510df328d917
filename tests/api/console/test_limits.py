"""Time limits and the calendar in the console: looked at first, set by who works for the whole city."""

from __future__ import annotations

import httpx
from sqlalchemy import select

from models import CalendarDay, Role, Step
from services.database import table
from services.house import House
from tests.api.conftest import SignIn
from tests.testing.departments import Departments, work
from tests.testing.looking import last_entry
from tests.testing.people import application, registered

_DAYS, _STEPS = table(CalendarDay), table(Step)


async def _set_days(house: House) -> list[str]:
    async with house.database.read() as connection:
        return [str(day) for day in (await connection.execute(select(_DAYS.c.on))).scalars()]


async def test_a_change_of_the_calendar_is_seen_before_it_is_made(
    sign_in: SignIn, house: House, departments: Departments
) -> None:
    departments.silent.add("hrss")
    (number,) = await registered(house, application())
    await work(house, number)
    administrator = await sign_in(Role.ADMINISTRATOR)
    asked = {"first": "2014-11-05", "last": "2014-11-06", "working": "false", "note": "停办公两天"}

    seen = await administrator.submit("/console/limits/calendar/preview", **asked)

    assert seen.status_code == 200
    assert "1 件办件的期限将调整" in seen.text
    assert f"/console/cases/{number}" in seen.text
    assert await _set_days(house) == []

    made = await administrator.submit("/console/limits/calendar", **asked)
    assert made.status_code == 303
    assert await _set_days(house) == ["2014-11-05", "2014-11-06"]
    assert (await last_entry(house, "calendar.changed")).detail["why"] == "停办公两天"
    assert "停办公两天" in (await administrator.get("/console/limits")).text
    story = (await administrator.get(f"/console/cases/{number}")).text
    assert "办理期限调整：工作日历调整。" in story


async def test_days_that_run_backwards_are_refused_in_words(sign_in: SignIn) -> None:
    administrator = await sign_in(Role.ADMINISTRATOR)
    answer = await administrator.submit(
        "/console/limits/calendar/preview", first="2014-11-06", last="2014-11-05", working="true"
    )
    assert answer.status_code == 422
    assert "请填写 1 至 366 天" in answer.text


async def test_a_department_is_given_days_of_its_own(sign_in: SignIn, house: House) -> None:
    coordinator = await sign_in(Role.COORDINATOR)
    day = house.database.clock.today()

    assert (await coordinator.submit("/console/limits", department="hrss", days="5")).status_code == 303
    page = (await coordinator.get("/console/limits?sort=days")).text
    first = page[page.index('id="limits"') :].split("<tbody>")[1].split("</tr>")[0]
    assert "人力资源社会保障局" in first
    assert str(day) in first
    assert 'aria-sort="ascending"' in page

    late = await coordinator.submit("/console/limits", department="hrss", days="5", from_on="2014-01-01")
    assert late.status_code == 422
    assert "起始日期：日期已过" in late.text


async def test_who_works_for_a_district_looks_and_does_not_set(sign_in: SignIn) -> None:
    mine = await sign_in(Role.COORDINATOR, "370303")
    page = await mine.get("/console/limits")
    assert page.status_code == 200
    assert 'action="/console/limits' not in page.text
    refused: httpx.Response = await mine.submit("/console/limits", department="hrss", days="5")
    assert refused.status_code == 403
    assert "全市协调员和管理员" in refused.text
