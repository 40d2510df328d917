"""``GET /api/v1/cases/{number}/access-log``."""

from __future__ import annotations

import httpx

from models import Role
from services.house import House
from tests.api.conftest import Knock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


async def test_who_was_sent_what_is_told_by_names_of_fields(
    house: House, departments: Departments, coordinator: httpx.AsyncClient, knock: Knock
) -> None:
    applicant = application()
    (number,) = await registered(house, applicant)
    await work(house, number)
    answer = await coordinator.get(f"/api/v1/cases/{number}/access-log")
    assert answer.status_code == 200
    sent = {one["step"]: one for one in answer.json()["sent"]}
    assert set(sent) == {event["id"] for event in departments.sent}
    first = sent[f"{number}-v-hrss-1"]
    assert first["department"]["code"] == "hrss"
    assert {"code": "id_number", "zh": "公民身份号码", "en": "citizen ID number"} in first["fields"]
    # What for, on which clause, and with what of the person: as the messages themselves said.
    told = {event["id"]: event["data"] for event in departments.sent}
    for step, one in sent.items():
        assert one["purpose"] == told[step]["purpose"]
        assert [clause["code"] for clause in one["clauses"]] == told[step]["clauses"]
        assert {field["code"] for field in one["fields"]} == set(told[step]["person"])
    assert applicant.person.id_number not in answer.text
    assert applicant.person.name not in answer.text
    officer = await knock(Role.OFFICER, "culture")
    own = (await officer.get(f"/api/v1/cases/{number}/access-log")).json()["sent"]
    assert {one["department"]["code"] for one in own} == {"culture"}
    elsewhere = await knock(Role.CLERK, "370304")
    assert (await elsewhere.get(f"/api/v1/cases/{number}/access-log")).status_code == 404
