"""The doors over HTTP: a poll is signed over its very address, and a sheet goes down and up."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
import python_calamine
import xlsxwriter
from sqlalchemy import update
from standardwebhooks import Webhook

from api.access import WORKBOOK
from models import Door, Endpoint, Role
from services.database import table
from services.exchange.signatures import verify
from services.house import House
from tests.api.conftest import Knock, ListeningPrefect
from tests.testing.departments import SECRET, work
from tests.testing.people import application, registered

DOORS = "/api/v1/doors/hrss"


async def _waits(house: House, door: Door) -> str:
    """A case whose question to hrss waits at ``door``."""
    endpoints = table(Endpoint)
    async with house.database.write("administrator:test") as transaction:
        mine = endpoints.c.department == "hrss"
        await transaction.connection.execute(update(endpoints).where(mine).values(door=door, url=None))
    (number,) = await registered(house, application())
    await work(house, number)
    return number


def _signed(house: House, method: str, target: str, body: bytes = b"", message: str = "p-1") -> dict[str, str]:
    now = house.database.clock.now()
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(message, now, f"{method} {target}\n{body.decode()}"),
    }


@pytest.mark.usefixtures("departments")
async def test_a_poll_and_its_acknowledgement(knock: Knock, house: House, prefect: ListeningPrefect, app: Any) -> None:
    number = await _waits(house, Door.POLL)
    client = await knock()
    target = f"{DOORS}/steps?limit=10&wait=0"
    polled = await client.get(target, headers=_signed(house, "GET", target))
    assert polled.status_code == 200
    assert polled.headers["content-type"].startswith("application/cloudevents-batch+json")
    assert (polled.headers["lianban-more"], polled.headers["cache-control"]) == ("false", "no-store")
    verify(polled.headers, polled.content, [SECRET], house.database.clock.now())
    assert [event["id"] for event in polled.json()] == [f"{number}-v-hrss-1"]
    facts = {"labour_contract": True, "social_insurance": True}
    body = json.dumps({"outcomes": [{"step": f"{number}-v-hrss-1", "facts": facts}]}).encode()
    headers = _signed(house, "POST", f"{DOORS}/outcomes", body, "a-1") | {"content-type": "application/json"}
    for repeated in (False, True):
        taken = await client.post(f"{DOORS}/outcomes", content=body, headers=headers)
        assert (taken.status_code, taken.json()["repeated"]) == (200, repeated)
    await app.state.doors.bell.rung()
    assert len(prefect.events) == 1
    after = f"{DOORS}/steps?cursor={polled.headers['lianban-cursor']}"
    assert (await client.get(after, headers=_signed(house, "GET", after))).json() == []


@pytest.mark.usefixtures("departments")
async def test_who_does_not_sign_for_the_address_gets_nothing(knock: Knock, house: House) -> None:
    await _waits(house, Door.POLL)
    client = await knock()
    target = f"{DOORS}/steps?limit=10"
    for asked, headers, status in (
        (target, {}, 422),
        (target, _signed(house, "POST", target), 401),
        (f"{DOORS}/steps?limit=11", _signed(house, "GET", target), 401),
        (f"{target}&cursor=AAAA", _signed(house, "GET", f"{target}&cursor=AAAA"), 422),
        ("/api/v1/doors/nobody/steps", _signed(house, "GET", "/api/v1/doors/nobody/steps"), 404),
        ("/api/v1/doors/police/steps", _signed(house, "GET", "/api/v1/doors/police/steps"), 409),
    ):
        answer = await client.get(asked, headers=headers)
        assert answer.status_code == status, asked
        assert answer.headers["content-type"] == "application/problem+json"
    unsigned = await client.post(f"{DOORS}/outcomes", content=b"{}", headers={"content-type": "application/json"})
    assert unsigned.status_code == 422


@pytest.fixture
async def officer(knock: Knock) -> httpx.AsyncClient:
    return await knock(Role.OFFICER, "hrss")


@pytest.mark.usefixtures("departments")
async def test_a_sheet_goes_down_and_up(officer: httpx.AsyncClient, house: House) -> None:
    number = await _waits(house, Door.INBOX)
    down = await officer.post(f"{DOORS}/sheet")
    assert (down.status_code, down.headers["content-type"]) == (200, WORKBOOK)
    assert (down.headers["lianban-steps"], down.headers["lianban-fresh"]) == ("1", "1")
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(down.content)).get_sheet_by_index(0).to_python()
    result = rows[0].index("办理结果")
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate(rows):
            cells = [*row] if line == 0 else [*row[:result], "属实" if line == 1 else "？", *row[result + 1 :]]
            sheet.write_row(line, 0, cells)
    up = await officer.post(f"{DOORS}/sheet/outcomes", content=target.getvalue(), headers={"content-type": WORKBOOK})
    assert up.status_code == 200
    told = up.json()
    assert (told["rows"], told["unchanged"], told["settled"]) == (2, [f"{number}-v-hrss-1"], [])
    assert [(one["row"], one["field"]) for one in told["rejected"]] == [(3, "办理结果")]


@pytest.mark.usefixtures("departments")
async def test_a_sheet_is_the_own_department_s_and_a_workbook(officer: httpx.AsyncClient) -> None:
    assert (await officer.post("/api/v1/doors/police/sheet")).status_code == 404
    json_body = await officer.post(f"{DOORS}/sheet/outcomes", json={})
    assert json_body.status_code == 415
    broken = await officer.post(f"{DOORS}/sheet/outcomes", content=b"PK", headers={"content-type": WORKBOOK})
    assert (broken.status_code, broken.json()["code"]) == (422, "invalid-input")
