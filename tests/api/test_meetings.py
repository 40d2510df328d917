"""The joint meeting at the doors: a matter put forward by a department, settled, carried out by two, written up."""

from __future__ import annotations

import io
import re

import httpx
import pytest
from docx import Document
from fastapi import FastAPI

from api.openapi import named_routes
from models import Role
from services.house import House
from services.meetings.preparing import prepare
from tests.api.conftest import Browser, Knock, SignIn
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.people import application, registered

V1 = "/api/v1"


async def _post(client: Browser, path: str, **content: object) -> httpx.Response:
    return await client.post(f"{V1}{path}", json=content, headers={"x-csrf-token": client.csrf})


async def _called(house: House, clock: SetClock) -> int:
    """The next meeting, on its day."""
    prepared = (await prepare(house)).prepared
    clock.set_day(prepared.held_on)
    await prepare(house)
    return prepared.meeting


async def test_a_meeting_from_a_matter_to_its_minutes(
    house: House, departments: Departments, clock: SetClock, sign_in: SignIn, knock: Knock
) -> None:
    departments.silent.add("joint-meeting")
    await work(house, *await registered(house, application(grounds=["other"]), application(grounds=["other"])))
    education = await knock(Role.OFFICER, "education")
    proposal = {"department": "education", "text": "学位不足，建议轮候", "about": "ZB87-3.2.1c"}
    number = (await education.post(f"{V1}/matters", json=proposal)).json()["id"]
    meeting = await _called(house, clock)
    office, second = await sign_in(Role.COORDINATOR, name="li"), await sign_in(Role.COORDINATOR, name="zhao")
    listed = (await office.get(f"{V1}/matters")).json()["items"]
    ground = next(one for one in listed if one["kind"]["code"] == "other-ground")
    assert (ground["cases"], ground["meeting"]) == (2, meeting)
    assert number in {one["id"] for one in listed}
    assert (await _post(office, f"/meetings/{meeting}/open", chair="副市长")).status_code == 204
    here = {"department": "education", "present": True}
    assert (await _post(office, f"/meetings/{meeting}/attendance", **here)).status_code == 204
    assert (await _post(office, f"/meetings/{meeting}/matters/{ground['id']}/take-up")).status_code == 204
    agreed = {
        "matter": ground["id"], "text": "认定属于其他情形", "department": "police", "due_on": "2014-12-05",
        "action": {"kind": "accept-ground"},
    }  # fmt: skip
    made = await _post(office, f"/meetings/{meeting}/resolutions", **agreed)
    assert made.status_code == 201
    resolution = made.json()["id"]
    live = (await office.get(f"{V1}/meetings/{meeting}")).json()
    assert [point["resolutions"][0]["number"] for point in live["agenda"] if point["resolutions"]] == ["2014-1-1"]
    assert (await _post(office, f"/meetings/{meeting}/close")).status_code == 204
    preview = (await office.get(f"{V1}/resolutions/{resolution}/preview")).json()
    assert preview["figures"]["cases"] == 2
    assert (await _post(office, f"/resolutions/{resolution}/ask")).status_code == 200
    own = await _post(office, f"/resolutions/{resolution}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "needs-a-second-person")
    assert (await _post(second, f"/resolutions/{resolution}/approve")).json() == {"done": True}
    await dispatch(house)
    await prepare(house)
    whole = (await second.get(f"{V1}/resolutions/{resolution}")).json()
    assert whole["resolution"]["state"]["code"] == "closed"
    assert whole["evidence"]["figures"]["permits"] == 2
    version = (await _post(office, f"/meetings/{meeting}/minutes")).json()["id"]
    path = f"{V1}/meetings/{meeting}/minutes/{version}"
    digest = (await office.get(path)).json()["digest"]
    assert (await _post(second, f"/meetings/{meeting}/minutes/{version}/sign", digest=digest)).json() == {"done": True}
    document = await education.get(f"{path}/document")
    assert document.headers["content-disposition"] == "attachment; filename*=UTF-8''%E7%BA%AA%E8%A6%81-2014-1-v1.docx"
    assert Document(io.BytesIO(document.content)).paragraphs[1].text == "〔2014〕1号"


async def test_departments_speak_for_themselves_and_settle_nothing(house: House, knock: Knock) -> None:
    education, finance = await knock(Role.OFFICER, "education"), await knock(Role.OFFICER, "finance")
    number = (await education.post(f"{V1}/matters", json={"department": "education", "text": "学位不足"})).json()["id"]
    comment = {"department": "finance", "text": "经费由区县承担"}
    assert (await finance.post(f"{V1}/matters/{number}/comments", json=comment)).status_code == 204
    assert (
        await finance.post(f"{V1}/matters/{number}/comments", json=comment | {"department": "tax"})
    ).status_code == 403
    assert (await finance.post(f"{V1}/matters/{number}/off", json={"because": "不必"})).status_code == 403
    assert (await finance.post(f"{V1}/meetings", json={"held_on": "2014-11-06"})).status_code == 403
    paper = (await finance.get(f"{V1}/matters/{number}")).json()["paper"]
    assert [one["text"] for one in paper["remarks"]] == ["经费由区县承担"]
    del house


async def test_the_meeting_is_the_citys(app: FastAPI, knock: Knock) -> None:
    rooms = [
        (method, re.sub(r"{\w+}", "1", route.path))
        for name, route in named_routes(app)
        if name.endswith(("_matter", "_matters", "_meeting", "_meetings", "_resolution", "_resolutions", "_minutes"))
        for method in route.methods or ()
    ]
    assert len(rooms) > 40
    for role in (Role.COORDINATOR, Role.ADMINISTRATOR, Role.AUDITOR):
        district = await knock(role, "370303")
        assert {(await district.request(method, path, json={})).status_code for method, path in rooms} == {403}
    refused = await (await knock(Role.COORDINATOR, "370303")).get(f"{V1}/matters")
    assert (refused.json()["code"], refused.json()["place"]) == ("forbidden", "authorization")


async def test_the_rule_is_shown_and_changed(knock: Knock) -> None:
    office = await knock(Role.COORDINATOR)
    assert (await office.get(f"{V1}/meeting-rule")).json()["every_weeks"] == 2
    changed = await office.post(f"{V1}/meeting-rule", json={"from_on": "2014-11-03", "content": {"every_weeks": 1}})
    assert changed.json()["every_weeks"] == 1
    bad = await office.post(f"{V1}/meeting-rule", json={"from_on": "2014-11-03", "content": {"every_weeks": 99}})
    assert (bad.status_code, bad.json()["place"]) == (422, "every_weeks")


async def test_what_if_counts_and_names_nobody(house: House, departments: Departments, knock: Knock) -> None:
    del departments
    numbers = await registered(house, application(), application(district="370305", station="齐都派出所"))
    await work(house, *numbers)
    member = await knock(Role.OFFICER, "hrss")
    answer = await member.post(f"{V1}/what-if", json={"parameters": {"working-age": 40}})
    told = answer.json()
    assert (told["permits"], told["affected"], told["whole"]) == (2, 2, True)
    assert {(one["district"]["code"], one["affected"]) for one in told["districts"]} == {("370303", 1), ("370305", 1)}
    assert all(number not in answer.text for number in numbers)
    bad = await member.post(f"{V1}/what-if", json={"parameters": {"nonsense": 40}})
    assert (bad.status_code, bad.json()["place"]) == (422, "parameters")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/matters", {}),
        ("/matters", {"department": "education", "text": "", "more": 1}),
        ("/meetings", {"held_on": "tomorrow"}),
        ("/meetings/1/resolutions", {"matter": 1, "text": "x", "department": "police", "due_on": "2014-12-01",
                                     "action": {"kind": "burn"}}),
        ("/what-if", {"parameters": {"working-age": "old"}}),
    ],
)  # fmt: skip
async def test_what_does_not_hold_is_told_by_field(knock: Knock, path: str, content: dict[str, object]) -> None:
    answer = await (await knock(Role.COORDINATOR)).post(f"{V1}{path}", json=content)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
