"""Self-service over HTTP: an officer has the own department's endpoint in hand, and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from models import Role
from services.doors import trial
from services.exchange.addresses import Guard
from services.exchange.client import Answer
from services.house import House
from tests.api.conftest import Knock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

URL = "http://10.1.2.3:9000/webhook"
HRSS = "/api/v1/endpoints/hrss"


@pytest.fixture
async def officer(knock: Knock, house: House) -> httpx.AsyncClient:
    house.guard = Guard.of(["10.0.0.0/8"])
    return await knock(Role.OFFICER, "hrss")


async def test_an_endpoint_from_registration_to_going_live(
    officer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await officer.put(f"{HRSS}/registration", json={"url": URL, "signing": ["v1", "v1a"]})
    assert made.status_code == 200
    assert made.json()["state"] == "draft"
    assert made.headers["cache-control"] == "no-store"
    secret = made.json()["shown"]["v1"]
    shown = await officer.get(HRSS)
    assert secret not in shown.text
    assert shown.json()["signing"] == ["v1", "v1a"]
    statuses = iter([200, 401])

    class Receiver:
        async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
            del url, body, headers
            return Answer(next(statuses), b"", None, None, too_large=False)

    monkeypatch.setattr(trial, "shared_client", Receiver)
    monkeypatch.setattr(trial, "connected", lambda client, *_: client)
    tried = await officer.post(f"{HRSS}/trial")
    assert (tried.json()["well"], tried.json()["state"]) == (True, "open")
    turned = await officer.post(f"{HRSS}/keys", json={"overlap_hours": 1})
    assert turned.json()["shown"].startswith("whsec_")
    assert turned.json()["shown"] != secret
    closed = await officer.post(f"{HRSS}/closing", json={"because": "系统升级"})
    assert closed.status_code == 204
    (listed,) = (await officer.get("/api/v1/endpoints")).json()["items"]
    assert (listed["department"]["code"], listed["state"], listed["because"]) == ("hrss", "closed", "系统升级")


async def test_an_address_is_refused_with_its_reason(officer: httpx.AsyncClient) -> None:
    answer = await officer.put(f"{HRSS}/registration", json={"url": "https://169.254.169.254/latest"})
    assert (answer.status_code, answer.json()["place"]) == (422, "endpoint.url")
    assert "link-local" in answer.json()["detail"]
    assert (await officer.get(HRSS)).status_code == 404


@pytest.mark.usefixtures("departments")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "/registration", {"url": URL}),
        ("POST", "/trial", None),
        ("POST", "/keys", {}),
        ("POST", "/closing", {"because": "x"}),
        ("GET", "/messages", None),
        ("GET", "/messages/370303-2014-000001-v-police-1", None),
        ("POST", "/messages/370303-2014-000001-v-police-1/resend", None),
        ("GET", "/replay/preview?from_at=2014-11-01T00:00:00Z&until_at=2014-11-30T00:00:00Z", None),
        ("POST", "/replay", {"from_at": "2014-11-01T00:00:00Z", "until_at": "2014-11-30T00:00:00Z", "expected": 0}),
    ],
)
async def test_another_department_is_out_of_sight(
    officer: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    answer = await officer.request(method, f"/api/v1/endpoints/police{path}", json=body)
    assert answer.status_code == 404


async def test_messages_are_seen_and_sent_again(
    officer: httpx.AsyncClient, house: House, departments: Departments
) -> None:
    departments.failing["hrss"] = 400
    (number,) = await registered(house, application())
    await work(house, number)
    (item,) = (await officer.get(f"{HRSS}/messages", params={"state": "failed"})).json()["items"]
    assert (item["id"], item["tries"][0]["status"]) == (f"{number}-v-hrss-1", 400)
    for wanted, count in (({"answer": "400", "case": number}, 1), ({"answer": "timeout"}, 0), ({"case": "x-1"}, 0)):
        assert len((await officer.get(f"{HRSS}/messages", params=wanted)).json()["items"]) == count
    assert (await officer.get(f"{HRSS}/messages", params={"answer": "4xx"})).status_code == 422
    whole = await officer.get(f"{HRSS}/messages/{item['id']}")
    assert whole.json()["asks"] == ["labour_contract", "social_insurance"]
    span = {"from_at": "2014-11-01T00:00:00Z", "until_at": "2014-11-30T00:00:00Z"}
    seen = await officer.get(f"{HRSS}/replay/preview", params=span)
    assert seen.json()["count"] == 1
    refused = await officer.post(f"{HRSS}/replay", json=span | {"expected": 7})
    assert (refused.status_code, refused.json()["place"]) == (409, "expected")
    assert (await officer.post(f"{HRSS}/replay", json=span | {"expected": 1})).json()["queued"] == 1
    assert (await officer.post(f"{HRSS}/messages/{item['id']}/resend")).json()["queued"] == 1


async def test_what_a_form_may_not_hold_is_told(officer: httpx.AsyncClient) -> None:
    for form in ({"url": URL, "secret": "x"}, {"url": URL, "batch_size": 0}, {"door": "fax"}, {"url": "x" * 501}):
        answer = await officer.put(f"{HRSS}/registration", json=form)
        assert answer.status_code == 422
        assert "whsec" not in answer.text


async def test_the_bundle_is_open_to_all(knock: Knock) -> None:
    answer = await (await knock()).get("/api/v1/schemas/bundle")
    assert answer.json()["asyncapi"] == "3.0.0"
