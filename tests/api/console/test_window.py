"""The clerk's window: a form taken in whole, or shown again with what is wrong at each field and nothing lost."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from models import AuditEntry, Case, Role
from services.access import Caller
from services.database import table
from services.dossiers.reading import read_case
from services.house import House
from services.remedies.asking import ask_remedy
from services.remedies.orders import Correct
from tests.api.conftest import STATION, Browser, SignIn
from tests.testing.departments import Departments, work
from tests.testing.people import body


def _form(**changes: Any) -> dict[str, Any]:
    """A form filled in, as its fields are called; lists for what stands there more than once."""
    one = body()
    return {
        "application_number": one["application_number"],
        "received_on": one["received_on"],
        "district": "370303",
        "station": STATION,
        "term_years": "3",
        "grounds": ["employment"],
        "name": one["person"]["name"],
        "id_number": one["person"]["id_number"],
        "phone": "",
        "address": "",
        "registered_on": "2014-10-08",
        "intends_half_year": "yes",
        "from_outside_county": "yes",
        "child_name": ["", ""],
        "child_born_on": ["2008-05-01", ""],
        "child_relation": ["daughter", ""],
        "child_proof": ["", ""],
    } | changes


@pytest.fixture
async def clerk_window(sign_in: SignIn) -> Browser:
    return await sign_in(Role.CLERK)


async def _send(browser: Browser, path: str, **changes: Any) -> httpx.Response:
    return await browser.post(path, data={"csrf_token": browser.csrf, **_form(**changes)})


async def _cases(house: House) -> int:
    async with house.database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table(Case)))).scalar_one())


async def test_an_application_is_taken_in_with_its_children(
    clerk_window: Browser, house: House, departments: Departments
) -> None:
    del departments
    taken = await _send(clerk_window, "/console/window")
    assert taken.status_code == 303, taken.text
    number = taken.headers["location"].rpartition("/")[2]
    shown = await clerk_window.get(taken.headers["location"])
    assert f"办件编号 {number}" in shown.text
    assert "打印受理回执" in shown.text
    await work(house, number)
    assert "ZB87-3.1.1a" in {one.service.code for one in (await read_case(house, number)).entitlements}
    assert "打印权益告知书" in (await clerk_window.get(taken.headers["location"])).text
    assert f"/console/cases/{number}/rights" in (await clerk_window.get(f"/console/cases/{number}")).text
    rights = await clerk_window.get(f"/console/cases/{number}/rights")
    assert "现在可以办理的事项" in rights.text
    assert "三（一）1" in rights.text


async def test_the_same_form_sent_twice_is_one_case(clerk_window: Browser, house: House) -> None:
    form = _form()
    first = await clerk_window.post("/console/window", data={"csrf_token": clerk_window.csrf, **form})
    again = await clerk_window.post("/console/window", data={"csrf_token": clerk_window.csrf, **form})
    assert first.headers["location"] == again.headers["location"]
    assert await _cases(house) == 1


async def test_each_empty_form_is_an_application_of_its_own(clerk_window: Browser) -> None:
    numbers = {
        re.search(r'name="application_number" value="([^"]+)"', (await clerk_window.get("/console/window")).text)
        for _ in range(2)
    }
    assert len({found[1] for found in numbers if found}) == 2


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"id_number": "370303198503020021"}, "id_number", "校验码不正确"),
        ({"name": ""}, "name", "缺少必填项"),
        ({"term_years": ""}, "term_years", "缺少必填项"),
        ({"grounds": []}, "grounds", "3年期"),
        ({"registered_on": "2030-01-01"}, "registered_on", "晚于"),
        ({"child_born_on": ["2030-01-01", ""]}, "child_born_on-0", "晚于"),
        ({"child_born_on": ["", "2011-02-30"], "child_relation": ["", "son"]}, "child_born_on-1", "真实存在"),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    clerk_window: Browser, house: House, changes: dict[str, Any], field: str, words: str
) -> None:
    answer = await _send(clerk_window, "/console/window", address="共青团路119号", **changes)
    assert answer.status_code == 422
    told = re.search(rf'data-wrong="{field}">([^<]*)<', answer.text)
    assert told, answer.text
    assert words in told[1]
    assert f'id="f-{field}"' in answer.text
    assert "共青团路119号" in answer.text
    assert await _cases(house) == 0


async def test_while_typing_only_what_was_typed_is_judged(clerk_window: Browser, house: House) -> None:
    blank = dict.fromkeys(_form(), "") | {"child_born_on": ["", ""], "grounds": []}
    assert "需要更正" not in (await _send(clerk_window, "/console/window/check", **blank)).text.replace(
        "需要更正之处", ""
    )
    begun = await _send(clerk_window, "/console/window/check", **{**blank, "id_number": "370303198503020021"})
    assert 'data-field="id_number"' in begun.text
    assert begun.text.count("data-field") == 1
    whole = await _send(clerk_window, "/console/window/check")
    assert "填写完整，可以受理。" in whole.text
    assert "人力资源社会保障局" in whole.text
    assert "，请与证件核对。" in whole.text
    assert await _cases(house) == 0


async def test_a_clerk_takes_in_for_the_own_station_only(clerk_window: Browser, house: House) -> None:
    for changes in ({"station": "另一派出所"}, {"district": "370302"}):
        assert (await _send(clerk_window, "/console/window", **changes)).status_code == 403
    assert await _cases(house) == 0


async def test_a_person_with_an_open_case_is_told_so(clerk_window: Browser, house: House) -> None:
    form = _form()
    await clerk_window.post("/console/window", data={"csrf_token": clerk_window.csrf, **form})
    form["application_number"] = "CK-20141103-ffffffff"
    again = await clerk_window.post("/console/window", data={"csrf_token": clerk_window.csrf, **form})
    assert again.status_code == 422
    assert "此人已有未办结的申请" in again.text
    assert await _cases(house) == 1


async def test_a_correction_is_opened_put_right_and_taken(
    clerk_window: Browser, house: House, departments: Departments
) -> None:
    departments.silent.add("hrss")
    form = _form()
    taken = await clerk_window.post("/console/window", data={"csrf_token": clerk_window.csrf, **form})
    number = taken.headers["location"].rpartition("/")[2]
    await work(house, number)
    # Nobody asked for a correction yet.
    assert (await clerk_window.get(f"/console/cases/{number}/correction")).status_code == 409
    order = Correct(kind="correct", cases=(number,), reason="地址不清", missing=("补填居住地址",))
    await ask_remedy(house, Caller("admin", Role.ADMINISTRATOR), order)
    assert f"/console/cases/{number}/correction" in (await clerk_window.get(f"/console/cases/{number}")).text
    opened = await clerk_window.get(f"/console/cases/{number}/correction")
    assert "补填居住地址" in opened.text
    assert form["id_number"] in opened.text
    form["address"] = "共青团路119号"
    done = await clerk_window.post(
        f"/console/cases/{number}/correction", data={"csrf_token": clerk_window.csrf, **form}
    )
    assert done.status_code == 303, done.text
    assert (await read_case(house, number)).state.code != "awaiting_applicant"
    entries = table(AuditEntry)
    async with house.database.read() as connection:
        found = await connection.execute(select(entries.c.detail).where(entries.c.action == "case.opened"))
        assert [row.detail for row in found] == [{"purpose": "correction"}]


async def test_a_form_without_its_token_changes_nothing(clerk_window: Browser, house: House) -> None:
    answer = await clerk_window.post("/console/window", data=_form())
    assert answer.status_code == 403
    assert await _cases(house) == 0
