"""Decisions over HTTP, and the bare engine."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from api.question import QUESTION_SCHEMA
from models import Role
from services.errors import InputError
from services.house import House
from services.policy.parsing import parse_question
from tests.api.conftest import Knock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

EXAMPLE: dict[str, Any] = QUESTION_SCHEMA["examples"][0]


async def test_a_decision_is_opened_whole(clerk: httpx.AsyncClient, house: House, departments: Departments) -> None:
    del departments
    (number,) = await registered(house, application(born_on=date(1985, 3, 2)))
    await work(house, number)
    (row,) = (await clerk.get(f"/api/v1/cases/{number}/decisions")).json()["items"]
    decision = (await clerk.get(f"/api/v1/cases/{number}/decisions/{row['sequence']}")).json()
    assert decision["question"]["applicant"]["born_on"] == "1985-03-02"
    assert decision["answer"]["permit"]["term_years"] == 3
    assert (decision["same_again"], decision["pack_unchanged"]) == (True, True)
    assert len(decision["entitlements"]) == 78
    told = (await clerk.get(f"/api/v1/cases/{number}/timeline")).json()["events"][-1]
    assert (told["kind"], told["actor"]) == ("opened", "clerk:clerk-370303")


async def test_an_auditor_lists_decisions_and_opens_none(knock: Knock, house: House, departments: Departments) -> None:
    del departments
    (number,) = await registered(house, application())
    await work(house, number)
    auditor = await knock(Role.AUDITOR)
    assert len((await auditor.get(f"/api/v1/cases/{number}/decisions")).json()["items"]) == 1
    assert (await auditor.get(f"/api/v1/cases/{number}/decisions/1")).status_code == 403


async def test_the_engine_answers_as_the_contract_has_it(knock: Knock) -> None:
    client = await knock(Role.OFFICER, "hrss")
    answer = (await client.post("/api/v1/decide", json=EXAMPLE)).json()
    assert answer["policy"] == "zibo-2014-87"
    assert answer["permit"]["outcome"] == "wait"
    asked = EXAMPLE | {"facts": EXAMPLE["facts"] | {"identity_matches": True, "residence_registered": True}}
    answer = (await client.post("/api/v1/decide", json=asked)).json()
    assert (answer["permit"]["outcome"], answer["permit"]["valid_until"]) == ("issue", "2018-10-31")
    assert len(answer["entitlements"]) == 78


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"on": "2013-01-01"}, "application.received_on"),
        ({"extra": 1}, "extra"),
        ({"facts": {"labour_contract": "yes"}}, "facts.labour_contract"),
        ({"children": [{"born_on": "2008-02-30"}]}, "children[0].born_on"),
    ],
)
async def test_a_question_that_does_not_hold_names_its_place(
    clerk: httpx.AsyncClient, changes: dict[str, Any], place: str
) -> None:
    answer = await clerk.post("/api/v1/decide", json=EXAMPLE | changes)
    assert (answer.status_code, answer.json()["place"]) == (422, place)


def test_the_published_schema_takes_what_the_reader_takes() -> None:
    schema = Draft202012Validator(QUESTION_SCHEMA)
    schema.check_schema(QUESTION_SCHEMA)
    permit = {"term_years": 3, "valid_from": "2014-10-20", "valid_until": "2017-10-19"}
    for good in (EXAMPLE, EXAMPLE | {"permit": permit}, EXAMPLE | {"permit": None, "facts": {}}):
        parse_question(good)
        assert schema.is_valid(good)
    bad: list[dict[str, Any]] = [
        EXAMPLE | {"extra": 1},
        EXAMPLE | {"on": "20151101"},
        EXAMPLE | {"application": EXAMPLE["application"] | {"grounds": []}},
        EXAMPLE | {"application": EXAMPLE["application"] | {"term_years": 2}},
        EXAMPLE | {"facts": {"labour_contract": 1}},
        EXAMPLE | {"facts": {"unheard_of": True}},
        {key: value for key, value in EXAMPLE.items() if key != "on"},
    ]
    for one in bad:
        assert not schema.is_valid(one)
        with pytest.raises(InputError):
            parse_question(one)
