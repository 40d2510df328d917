"""Departments report outcomes, signed with their own secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.dossiers.reading import read_case
from services.exchange.signatures import signature_headers
from services.house import House
from tests.api.conftest import Knock, ListeningPrefect
from tests.testing.departments import SECRET, Departments, work
from tests.testing.people import application, registered

PATH = "/api/v1/callbacks/hrss"


@pytest.fixture
async def number(house: House, departments: Departments) -> str:
    """A case that waits for hrss."""
    departments.silent.add("hrss")
    (number,) = await registered(house, application())
    await work(house, number)
    return number


@pytest.fixture
async def department(knock: Knock) -> httpx.AsyncClient:
    return await knock()


def _told(number: str, **facts: bool) -> bytes:
    outcome: dict[str, Any] = {"step": f"{number}-v-hrss-1", "facts": facts, "authority": "参保登记"}
    return json.dumps({"outcomes": [outcome]}).encode()


def _signed(house: House, body: bytes, message: str = "m-1", secret: str = SECRET, age: float = 0) -> Mapping[str, str]:
    at = house.database.clock.now() - timedelta(seconds=age)
    return signature_headers(message, body, [secret], at) | {"content-type": "application/json"}


async def test_an_outcome_takes_effect_and_the_same_again_changes_nothing(
    department: httpx.AsyncClient, house: House, number: str, prefect: ListeningPrefect, app: Any
) -> None:
    body = _told(number, labour_contract=True, social_insurance=True)
    first = await department.post(PATH, content=body, headers=_signed(house, body))
    assert (first.status_code, first.json()["settled"]) == (200, [f"{number}-v-hrss-1"])
    again = await department.post(PATH, content=body, headers=_signed(house, body))
    assert again.json() == {"repeated": True, "settled": [], "unchanged": [], "contradicted": []}
    await app.state.doors.bell.rung()
    assert len(prefect.events) == 1
    await work(house, number)
    assert (await read_case(house, number)).permit is not None


async def test_the_same_message_twice_at_once_is_taken_once(
    department: httpx.AsyncClient, house: House, number: str
) -> None:
    body = _told(number, labour_contract=True, social_insurance=True)
    headers = _signed(house, body)
    answers = await asyncio.gather(*(department.post(PATH, content=body, headers=headers) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sorted(answer.json()["repeated"] for answer in answers) == [False, True, True, True]


async def test_a_contradiction_is_told_and_overwrites_nothing(
    department: httpx.AsyncClient, house: House, number: str
) -> None:
    body = _told(number, labour_contract=True, social_insurance=True)
    await department.post(PATH, content=body, headers=_signed(house, body))
    other = _told(number, labour_contract=False)
    answer = await department.post(PATH, content=other, headers=_signed(house, other, "m-2"))
    assert answer.json()["contradicted"] == [f"{number}-v-hrss-1"]
    facts = {fact.fact.code: fact.value for fact in (await read_case(house, number)).facts}
    assert facts["labour_contract"] is True


async def test_an_id_used_for_another_body_is_a_conflict(
    department: httpx.AsyncClient, house: House, number: str
) -> None:
    for body, status in ((_told(number, labour_contract=True), 200), (_told(number, social_insurance=True), 409)):
        answer = await department.post(PATH, content=body, headers=_signed(house, body))
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("secret", "age", "code"),
    [
        ("whsec_" + "A" * 44, 0, "signature-wrong"),
        (SECRET, 301, "signature-too-old"),
        (SECRET, -301, "signature-in-future"),
    ],
    ids=["wrong", "old", "future"],
)
async def test_a_sender_who_is_not_proven_is_turned_away(
    department: httpx.AsyncClient, house: House, number: str, secret: str, age: float, code: str
) -> None:
    body = _told(number, labour_contract=True)
    answer = await department.post(PATH, content=body, headers=_signed(house, body, secret=secret, age=age))
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert "www-authenticate" in answer.headers


async def test_what_cannot_be_taken_is_told_with_its_place(
    department: httpx.AsyncClient, house: House, number: str
) -> None:
    body = json.dumps({"outcomes": [{"step": f"{number}-v-hrss-1", "facts": {"labour_contract": "yes"}}]}).encode()
    answer = await department.post(PATH, content=body, headers=_signed(house, body))
    assert (answer.status_code, answer.json()["place"]) == (422, "outcomes[0].facts.labour_contract")
    unsigned = await department.post(PATH, content=body, headers={"content-type": "application/json"})
    assert (unsigned.status_code, unsigned.json()["place"]) == (422, "webhook-id")


async def test_a_step_of_another_department_is_not_there(
    department: httpx.AsyncClient, house: House, number: str
) -> None:
    body = json.dumps({"outcomes": [{"step": f"{number}-v-police-1", "facts": {"identity_matches": False}}]}).encode()
    answer = await department.post(PATH, content=body, headers=_signed(house, body))
    assert (answer.status_code, answer.json()["place"]) == (404, "outcomes[0].step")
    nobody = await department.post("/api/v1/callbacks/nobody", content=body, headers=_signed(house, body))
    assert nobody.status_code == 404
