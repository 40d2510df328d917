"""Cases over HTTP: lists, one case, its timeline, and finding a person."""

from __future__ import annotations

import httpx
import pytest

from models import Role
from services.house import House
from tests.api.conftest import Knock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

PATH = "/api/v1/cases"


async def test_pages_are_followed_by_their_cursor(coordinator: httpx.AsyncClient, house: House) -> None:
    numbers = await registered(house, *(application() for _ in range(7)))
    found, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await coordinator.get(PATH, params=params)).json()
        found += [item["number"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == sorted(numbers, reverse=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("state=lost", "state"),
        ("received_from=2014-13-01", "received_from"),
        ("q=%27", "q"),
        ("distric=370303", "distric"),
        ("cursor=%00", "cursor"),
    ],
)
async def test_a_query_that_does_not_hold_names_its_field(
    coordinator: httpx.AsyncClient, query: str, field: str
) -> None:
    answer = await coordinator.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("cursor", ["abc", "MjAxNC0xMS0wMyA", "MjAxNC0xMS0wM1QwMjowMDowMCAzNzAzMDM", "____", "A" * 120])
async def test_a_cursor_of_somebody_elses_making_is_refused(coordinator: httpx.AsyncClient, cursor: str) -> None:
    answer = await coordinator.get(PATH, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["place"]) == (422, "cursor")


async def test_a_case_is_shown_with_what_it_waits_for(
    coordinator: httpx.AsyncClient, house: House, departments: Departments
) -> None:
    departments.silent.add("hrss")
    applied = application(name="欧阳明珠")
    (number,) = await registered(house, applied)
    await work(house, number)
    answer = await coordinator.get(f"{PATH}/{number}")
    assert answer.status_code == 200
    case = answer.json()
    assert case["person"]["name"] == "欧**"
    assert applied.person.id_number not in answer.text
    assert [(one["department"]["code"], one["for_permit"]) for one in case["waiting_for"]] == [("hrss", True)]
    assert {step["department"]["zh"] for step in case["steps"]} >= {"公安局", "人力资源社会保障局"}


async def test_the_timeline_is_told_in_both_languages(
    coordinator: httpx.AsyncClient, house: House, departments: Departments
) -> None:
    del departments
    (number,) = await registered(house, application())
    await work(house, number)
    told = (await coordinator.get(f"{PATH}/{number}/timeline")).json()
    assert told["state_words"] == {"zh": "已办结", "en": "closed"}
    assert all(event["zh"] and event["en"] for event in told["events"])
    assert [event["at"] for event in told["events"]] == sorted(event["at"] for event in told["events"])


@pytest.mark.parametrize("number", ["370303-2014-999999", "nothing", "search"])
async def test_a_case_that_is_not_there(coordinator: httpx.AsyncClient, number: str) -> None:
    for path in ("", "/timeline", "/decisions", "/decisions/1"):
        answer = await coordinator.get(f"{PATH}/{number}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_a_person_is_found_by_name_or_number(clerk: httpx.AsyncClient, house: House) -> None:
    applied = application(name="欧阳明珠")
    (number,) = await registered(house, applied)
    for query in ({"name": " 欧阳明珠 "}, {"id_number": applied.person.id_number.lower()}):
        found = (await clerk.post(f"{PATH}/search", json=query)).json()
        assert [item["number"] for item in found["items"]] == [number]
    assert (await clerk.post(f"{PATH}/search", json={"name": "欧阳"})).json() == {"items": [], "more": False}


@pytest.mark.parametrize(
    "query", [{}, {"name": "甲", "id_number": "440524188001010014"}, {"name": ""}, {"id_number": "1"}, {"phone": "1"}]
)
async def test_a_search_for_nobody_in_particular_is_refused(clerk: httpx.AsyncClient, query: dict[str, str]) -> None:
    answer = await clerk.post(f"{PATH}/search", json=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


async def test_figures_are_those_of_the_callers_sight(knock: Knock, house: House, departments: Departments) -> None:
    del departments
    numbers = await registered(house, application(), application(district="370302"))
    await work(house, *numbers)
    whole = (await (await knock(Role.AUDITOR)).get("/api/v1/overview")).json()
    own = (await (await knock(Role.CLERK, "370302")).get("/api/v1/overview")).json()
    mine = (await (await knock(Role.OFFICER, "justice")).get("/api/v1/overview")).json()
    assert (whole["cases"], own["cases"]) == ({"closed": 2}, {"closed": 1})
    assert (whole["permits"], own["permits"]) == ({"3": {"in_force": 2}}, {"3": {"in_force": 1}})
    assert (list(mine["steps"]), mine["entitlements"]) == (["justice"], {"justice": {"in_force": 4}})
