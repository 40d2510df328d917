"""Cards, appraisal, forecast and public figures as people see them, and what they do there."""

from __future__ import annotations

from datetime import date

import httpx

from models import Role
from services.house import House
from services.supervision.cards import look
from services.supervision.figures import list_disputes
from services.supervision.forecast import make_forecast
from tests.api.conftest import Knock, SignIn
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


async def _late(house: House, clock: SetClock, departments: Departments) -> str:
    departments.silent.add("hrss")
    (number,) = await registered(house, application(children=[{"born_on": "2009-05-01"}]))
    await work(house, number)
    clock.set_day(date(2014, 11, 18))
    await look(house)
    await departments.call_back(house, number, "hrss")
    departments.silent.clear()
    await work(house, number)
    return number


async def test_a_department_follows_a_figure_to_its_steps_and_contests_one(
    house: House, clock: SetClock, departments: Departments, sign_in: SignIn
) -> None:
    number = await _late(house, clock, departments)
    officer, coordinator = await sign_in(Role.OFFICER, "hrss"), await sign_in(Role.COORDINATOR)
    assert (await officer.get("/console/appraisal/departments/police")).status_code == 404
    page = (await officer.get("/console/appraisal/departments/hrss?figure=late")).text
    step = f"{number}-v-hrss-1"
    assert step in page
    form = {"period": "2014-11", "figure": "late", "step": step, "reason": "系统原因", "csrf_token": officer.csrf}
    answer = await officer.post("/console/disputes", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/appraisal/departments/hrss?period=2014-11")
    assert "系统原因" in (await coordinator.get("/console/appraisal")).text
    (dispute,) = await list_disputes(house)
    form = {"left_out": "true", "reason": "属实", "csrf_token": coordinator.csrf}
    assert (await coordinator.post(f"/console/disputes/{dispute.id}", data=form)).status_code == 303
    assert "已同意" in (await officer.get("/console/appraisal/departments/hrss?period=2014-11")).text
    book = await coordinator.get("/console/appraisal/workbook?period=2014-11")
    assert book.content[:2] == b"PK"


async def test_a_case_shows_its_clocks_and_whose_time_it_was(
    house: House, clock: SetClock, departments: Departments, coordinator: httpx.AsyncClient
) -> None:
    number = await _late(house, clock, departments)
    page = (await coordinator.get(f"/console/cases/{number}")).text
    assert "时间花在哪里" in page
    assert "红牌" in page


async def test_the_public_sees_figures_without_signing_in_and_the_forecast_is_shown(
    house: House, clock: SetClock, departments: Departments, coordinator: httpx.AsyncClient, knock: Knock
) -> None:
    await _late(house, clock, departments)
    clock.set_day(date(2014, 12, 1))
    nobody = await knock()
    told = await nobody.get("/console/public")
    assert told.status_code == 200
    assert "各部门办结事项" in told.text
    assert (await nobody.get("/console/appraisal")).status_code == 303
    assert "尚未测算" in (await coordinator.get("/console/forecast")).text
    await make_forecast(house, "forecast")
    page = (await coordinator.get("/console/forecast")).text
    assert "新享第二层次权益" in page
    assert "未划定学区" in page
