"""Handing in applications over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from models import Case, Role
from services.database import table
from services.house import House
from tests.api.conftest import Knock, ListeningPrefect
from tests.testing.departments import Departments, work
from tests.testing.people import body

PATH = "/api/v1/applications"


def _json(**changes: Any) -> dict[str, Any]:
    return body(**changes)


async def _count(house: House) -> int:
    async with house.database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table(Case)))).scalar_one())


async def test_an_application_becomes_a_case_once(clerk: httpx.AsyncClient, house: House) -> None:
    application = _json()
    first = await clerk.post(PATH, json=application)
    assert first.status_code == 201
    assert first.json()["state"] == {"code": "received", "zh": "已收件", "en": "received"}
    number = first.json()["number"]
    assert number == "370303-2014-000001"
    assert (await clerk.get(first.headers["location"])).json()["number"] == number
    again = await clerk.post(PATH, json=application)
    assert (again.status_code, again.json()) == (200, first.json())
    assert await _count(house) == 1


async def test_the_same_again_tells_where_the_case_stands_now(
    clerk: httpx.AsyncClient, house: House, departments: Departments
) -> None:
    del departments
    application = _json()
    number = (await clerk.post(PATH, json=application)).json()["number"]
    await work(house, number)
    assert (await clerk.post(PATH, json=application)).json()["state"]["code"] == "closed"


async def test_an_open_case_stands_in_the_way(clerk: httpx.AsyncClient, house: House) -> None:
    application = _json()
    number = (await clerk.post(PATH, json=application)).json()["number"]
    answer = await clerk.post(PATH, json=application | {"application_number": "another"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["field"] == "person.id_number"
    assert number in error["zh"]
    assert await _count(house) == 1


async def test_the_same_number_with_other_content_is_a_conflict(clerk: httpx.AsyncClient) -> None:
    application = _json()
    await clerk.post(PATH, json=application)
    answer = await clerk.post(PATH, json=application | {"term_years": 1, "grounds": []})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "application_number")


async def test_a_case_in_another_district_stands_in_the_way_without_its_number(
    clerk: httpx.AsyncClient, knock: Knock
) -> None:
    application = _json(district="370302")
    number = (await (await knock(Role.COORDINATOR)).post(PATH, json=application)).json()["number"]
    for changes in ({}, {"application_number": "another"}):
        answer = await clerk.post(PATH, json=application | {"district": "370303"} | changes)
        assert answer.status_code == 409
        assert number not in answer.text
        assert "其他派出所或者区县" in answer.json()["errors"][0]["zh"]


async def test_a_clerk_hands_in_for_the_own_district_only(clerk: httpx.AsyncClient, house: House) -> None:
    answer = await clerk.post(PATH, json=_json(district="370302"))
    assert (answer.status_code, answer.json()["place"]) == (403, "district")
    assert await _count(house) == 0


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (lambda a: a.pop("station"), "station"),
        (lambda a: a["person"].update(id_number="370303198503021234"), "person.id_number"),
        (lambda a: a["person"].update(name=7), "person.name"),
        (lambda a: a.update(received_on="2014-11-31"), "received_on"),
        (lambda a: a.update(received_on="2014-11-04"), "received_on"),
        (lambda a: a.update(district="110101"), "district"),
        (lambda a: a.update(grounds=[]), "grounds"),
        (lambda a: a.update(term_years=True), "term_years"),
        (lambda a: a["person"].update(nickname="x"), "person.nickname"),
        (lambda a: a["residence"].update(registered_on="1970-01-01"), "residence.registered_on"),
    ],
)
async def test_what_is_wrong_is_named_by_its_field(knock: Knock, house: House, spoil: Any, field: str) -> None:
    application = _json()
    spoil(application)
    answer = await (await knock(Role.ADMINISTRATOR)).post(PATH, json=application)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["zh"]
    assert error["en"]
    assert await _count(house) == 0


async def test_a_refusal_repeats_nothing_that_was_handed_in(clerk: httpx.AsyncClient) -> None:
    application = _json(name="欧阳明珠")
    number = application["person"]["id_number"]
    application["person"]["id_number"] = number[:-1] + ("1" if number[-1] != "1" else "2")
    application["欧阳明珠"] = "secret-value"
    answer = await clerk.post(PATH, json=application)
    assert answer.status_code == 422
    for secret in ("欧阳", number[:17], "secret-value", "154"):
        assert secret not in json.dumps(answer.json(), ensure_ascii=False)


async def test_the_dispatcher_is_woken_for_what_is_new(
    clerk: httpx.AsyncClient, prefect: ListeningPrefect, app: Any
) -> None:
    application = _json()
    await clerk.post(PATH, json=application)
    await app.state.doors.bell.rung()
    (request,) = prefect.events
    (event,) = json.loads(request.content)
    assert (event["event"], event["resource"]) == (
        "lianban.case.received",
        {"prefect.resource.id": "lianban.intake"},
    )
    await clerk.post(PATH, json=application)
    await app.state.doors.bell.rung()
    assert len(prefect.events) == 1


async def test_intake_goes_on_while_prefect_is_down(clerk: httpx.AsyncClient, prefect: ListeningPrefect) -> None:
    prefect.up = False
    for _ in range(2):
        assert (await clerk.post(PATH, json=_json())).status_code == 201
