"""Remedies at the doors: who may ask, what is answered, and a correction brought by a clerk."""

from __future__ import annotations

import httpx
import pytest

from models import Role
from services.house import House
from tests.api.conftest import Knock
from tests.testing.departments import Departments, work
from tests.testing.people import body


@pytest.fixture
async def administrator(knock: Knock) -> httpx.AsyncClient:
    """An administrator of the whole city."""
    return await knock(Role.ADMINISTRATOR)


async def test_a_permit_is_cancelled_and_the_remedy_read(
    house: House, departments: Departments, administrator: httpx.AsyncClient, coordinator: httpx.AsyncClient
) -> None:
    del departments
    number = (await administrator.post("/api/v1/applications", json=body())).json()["number"]
    await work(house, number)
    order = {"kind": "cancel", "reason": "持证人已离开", "cases": [number], "end": "left-city"}
    assert (await coordinator.post("/api/v1/remedies", json=order)).status_code == 403
    answer = await administrator.post("/api/v1/remedies", json=order)
    assert (answer.status_code, answer.json()["done"]) == (201, 1)
    again = await administrator.post("/api/v1/remedies", json=order)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    listed = (await coordinator.get("/api/v1/remedies")).json()
    assert [item["id"] for item in listed["items"]] == [answer.json()["id"]]
    whole = (await coordinator.get(f"/api/v1/remedies/{answer.json()['id']}")).json()
    assert whole["outcomes"] == [{"case_number": number, "done": True, "problem": None}]
    assert whole["remedy"]["kind"]["zh"] == "注销居住证"


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"kind": "burn"},
        {"kind": "withdraw", "reason": "x", "cases": []},
        {"kind": "withdraw", "reason": "x", "cases": ["a"], "more": 1},
        {"kind": "withdraw", "reason": "致电 13812345678", "cases": ["370303-2014-000001"]},
        {"kind": "cancel", "reason": "x", "cases": ["370303-2014-000001"], "end": "bored"},
    ],
)
async def test_an_order_that_does_not_hold_is_told_by_field(
    administrator: httpx.AsyncClient, order: dict[str, object]
) -> None:
    answer = await administrator.post("/api/v1/remedies", json=order)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "13812345678" not in answer.text


async def test_a_clerk_brings_the_correction_of_the_own_district(
    house: House,
    departments: Departments,
    administrator: httpx.AsyncClient,
    clerk: httpx.AsyncClient,
    knock: Knock,
) -> None:
    del departments
    given = body()
    number = (await clerk.post("/api/v1/applications", json=given)).json()["number"]
    order = {"kind": "correct", "reason": "材料不全", "cases": [number], "missing": ["居住登记凭证"]}
    assert (await administrator.post("/api/v1/remedies", json=order)).status_code == 201
    right = given | {"residence": given["residence"] | {"registered_on": "2014-09-01"}}
    path = f"/api/v1/cases/{number}/correction"
    stranger = await knock(Role.CLERK, "370305")
    assert (await stranger.post(path, json=right)).status_code == 403
    assert (await clerk.post(path, json=right | {"district": "370305"})).status_code == 403
    late = given | {"residence": given["residence"] | {"registered_on": "2014-12-01"}}
    assert (await clerk.post(path, json=late)).json()["errors"][0]["field"] == "residence.registered_on"
    answer = await clerk.post(path, json=right)
    assert answer.json() == {"number": number, "version": 2, "changed": ["residence"]}
    assert (await clerk.post(path, json=right)).status_code == 409
    await work(house, number)
    assert (await clerk.get(f"/api/v1/cases/{number}")).json()["state"]["code"] == "closed"
