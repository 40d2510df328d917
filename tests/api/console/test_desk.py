"""A department's desk in the browser: the list, one step answered, the sheet down and up, nobody else's work."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import update

from models import Door, Endpoint, Role
from services.database import table
from services.house import House
from tests.api.conftest import Browser, SignIn
from tests.services.doors.test_inbox import filled, rows_of
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


@pytest.fixture
async def officer(sign_in: SignIn, house: House, departments: Departments) -> Browser:
    """An officer of hrss, which works from the inbox."""
    del departments
    endpoints = table(Endpoint)
    async with house.database.write("administrator:test") as transaction:
        await transaction.connection.execute(
            update(endpoints).where(endpoints.c.department == "hrss").values(door=Door.INBOX, url=None)
        )
    return await sign_in(Role.OFFICER, "hrss")


async def _case(house: House) -> str:
    (number,) = await registered(house, application(name="欧阳明珠"))
    await work(house, number)
    return number


def _answer(browser: Browser, *results: str) -> dict[str, Any]:
    return {
        "csrf_token": browser.csrf,
        "code": ["labour_contract", "social_insurance"],
        "result": list(results),
        "from_on": ["", ""],
        "reason": ["", ""],
        "note": ["", ""],
        "authority": "人社窗口3号",
    }


async def test_the_desk_shows_what_is_asked_and_no_name(officer: Browser, house: House) -> None:
    number = await _case(house)
    shown = await officer.get("/console/desk")
    assert f"/console/desk/{number}-v-hrss-1/open" in shown.text
    assert "已签订劳动合同、已参加社会保险" in shown.text
    assert "欧阳" not in shown.text


async def test_a_step_is_opened_and_answered(officer: Browser, house: House) -> None:
    step = f"{await _case(house)}-v-hrss-1"
    opened = await officer.submit(f"/console/desk/{step}/open")
    assert "欧阳明珠" in opened.text
    assert "居住地址" not in opened.text
    answered = await officer.post(f"/console/desk/{step}", data=_answer(officer, "属实", "属实"))
    assert answered.headers["location"] == "/console/desk"
    assert step not in (await officer.get("/console/desk")).text


async def test_a_refusal_needs_its_reason_and_what_was_chosen_stays(officer: Browser, house: House) -> None:
    step = f"{await _case(house)}-v-hrss-1"
    await officer.submit(f"/console/desk/{step}/open")
    wrong = await officer.post(f"/console/desk/{step}", data=_answer(officer, "属实", "无法核验"))
    assert wrong.status_code == 422
    assert len(re.findall(r'aria-invalid="true"', wrong.text)) == 1
    assert '<option selected lang="zh-CN">属实</option>' in wrong.text
    assert step in (await officer.get("/console/desk")).text


async def test_the_sheet_goes_down_and_up_again(officer: Browser, house: House, tmp_path: Any) -> None:
    step = f"{await _case(house)}-v-hrss-1"
    down = await officer.submit("/console/desk/sheet")
    assert down.headers["content-disposition"].startswith("attachment")
    sheet = filled(rows_of(down.content, tmp_path), lambda _: {"办理结果": "属实"})
    up = await officer.post(
        "/console/desk/sheet/outcomes", data={"csrf_token": officer.csrf}, files={"sheet": ("work.xlsx", sheet)}
    )
    assert up.status_code == 200
    assert "读到 2 行，办结 1 项，0 行需要更正。" in up.text
    assert step not in (await officer.get("/console/desk")).text


async def test_what_is_no_sheet_is_told_as_a_page(officer: Browser) -> None:
    up = await officer.post(
        "/console/desk/sheet/outcomes", data={"csrf_token": officer.csrf}, files={"sheet": ("a.xlsx", b"rubbish")}
    )
    assert up.status_code == 422
    assert "<html" in up.text


async def test_another_departments_step_is_not_there(officer: Browser, house: House) -> None:
    number = await _case(house)
    assert (await officer.submit(f"/console/desk/{number}-v-police-1/open")).status_code == 404


async def test_the_desk_is_the_officers_alone(sign_in: SignIn) -> None:
    coordinator = await sign_in(Role.COORDINATOR)
    assert (await coordinator.get("/console/desk")).status_code == 403
