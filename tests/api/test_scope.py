"""Nothing leaks: no list, filter, search, count or address shows a row that is not the caller's to see."""

from __future__ import annotations

import pytest

from models import Role
from services.house import House
from tests.api.conftest import Knock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

NAME = "欧阳明珠"
STRANGERS = [(Role.CLERK, "370302"), (Role.COORDINATOR, "370302"), (Role.OFFICER, "tax"), (Role.AUDITOR, "370302")]


@pytest.fixture
async def number(house: House, departments: Departments) -> str:
    """A case in 张店区 that waits for hrss and that the tax bureau has nothing to do with."""
    departments.silent.add("hrss")
    (number,) = await registered(house, application(name=NAME))
    await work(house, number)
    return number


@pytest.mark.parametrize(("role", "scope"), STRANGERS)
async def test_a_stranger_learns_nothing_of_a_case(knock: Knock, number: str, role: Role, scope: str) -> None:
    client = await knock(role, scope)
    for path in ("", "/timeline", "/decisions", "/decisions/1"):
        there = await client.get(f"/api/v1/cases/{number}{path}")
        nowhere = await client.get(f"/api/v1/cases/370303-2014-999999{path}")
        assert there.status_code == nowhere.status_code
        assert there.status_code in {403, 404}
        assert there.json() == nowhere.json()
    for query in ("", "?district=370303", "?state=verifying", "?department=hrss", f"?q={number}", "?term=3"):
        assert (await client.get(f"/api/v1/cases{query}")).json() == {"items": [], "next": None}
    if role is not Role.AUDITOR:
        assert (await client.post("/api/v1/cases/search", json={"name": NAME})).json() == {"items": [], "more": False}
    overview = (await client.get("/api/v1/overview")).json()
    assert (overview["cases"], overview["steps"], overview["oldest"]) == ({}, {}, None)


async def test_a_cursor_takes_nobody_out_of_sight(knock: Knock, number: str, house: House) -> None:
    await registered(house, application(), application(district="370302"))
    city = await knock(Role.COORDINATOR)
    cursor = (await city.get("/api/v1/cases?limit=1")).json()["next"]
    page = (await (await knock(Role.CLERK, "370302")).get(f"/api/v1/cases?cursor={cursor}")).json()
    assert [item for item in page["items"] if item["district"]["code"] != "370302"] == []
    assert number not in str(page)


async def test_an_officer_reads_the_own_departments_share_only(knock: Knock, number: str) -> None:
    police = await knock(Role.OFFICER, "police")
    case = await police.get(f"/api/v1/cases/{number}")
    told = case.text + (await police.get(f"/api/v1/cases/{number}/timeline")).text
    for foreign in ("hrss", "人力资源", "labour_contract", "劳动合同", "housing-fund", "employment"):
        assert foreign not in told
    assert case.json()["waiting_for"] == []
    (item,) = (await police.get("/api/v1/cases")).json()["items"]
    assert item["waiting_for"] == []
    assert (await police.get("/api/v1/cases?department=hrss")).json()["items"] == []
    assert (await police.get(f"/api/v1/cases/{number}/decisions")).status_code == 403
