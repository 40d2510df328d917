"""A step's evidence is as good by every door: push signed with ed25519, the signed poll, and the sheet."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import update
from standardwebhooks import Webhook

from models import Door, Endpoint, Role
from services.access import Caller
from services.database import table
from services.doors import sheet_form as form
from services.doors.inbox import download_work, upload_answers
from services.doors.poll import Request, acknowledge, authenticate, poll
from services.dossiers.access_log import read_access_log
from services.endpoints import register_endpoint
from services.evidence.bundle import write_bundle
from services.evidence.checking import check_bundle
from services.exchange.delivery import Target
from services.exchange.signatures import new_secret, new_signing_key, public_key
from services.house import House
from tests.testing.departments import SECRET, Departments, work
from tests.testing.people import application, registered

TOLD = {"labour_contract": True, "social_insurance": True}


async def _case(house: House, **door: Any) -> tuple[str, str]:
    """A case whose question to hrss waits at another door; its number and that step."""
    if door:
        endpoints = table(Endpoint)
        async with house.database.write("administrator:test") as transaction:
            mine = endpoints.c.department == "hrss"
            await transaction.connection.execute(update(endpoints).where(mine).values(url=None, **door))
    (number,) = await registered(house, application())
    await work(house, number)
    return number, f"{number}-v-hrss-1"


@pytest.mark.usefixtures("departments")
async def test_ed25519_is_checked_with_the_public_key_alone(house: House) -> None:
    key = new_signing_key()
    async with house.database.write("administrator:test") as transaction:
        await register_endpoint(transaction, house.keys, Target("hrss", "https://hrss.test/webhook", (SECRET, key)))
    _, step = await _case(house)
    data = await write_bundle(house, step, "auditor:test")
    for good in (public_key(key), SECRET, key):
        assert check_bundle(data, secrets=[good]).problems == ()
    for strange in (public_key(new_signing_key()), new_secret()):
        assert "fits none" in check_bundle(data, secrets=[strange]).problems[0]
    assert SECRET not in data.decode()
    assert key not in data.decode()


async def test_a_step_that_was_polled(house: House, departments: Departments) -> None:
    number, step = await _case(house, door=Door.POLL)
    await poll(house, "hrss")
    target, body = "/api/v1/doors/hrss/outcomes", json.dumps({"outcomes": [{"step": step, "facts": TOLD}]}).encode()
    now = house.database.clock.now()
    signature = Webhook(SECRET).sign("a-1", now, f"POST {target}\n{body.decode()}")
    headers = {
        "webhook-id": "a-1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature,
    }  # fmt: skip
    request = Request("POST", target, headers, body)
    await acknowledge(house, "hrss", request, await authenticate(house, "hrss", request))
    data = await write_bundle(house, step, "auditor:test")
    assert check_bundle(data, secrets=[SECRET]).problems == ()
    bundle = json.loads(data)
    assert [attempt["door"] for attempt in bundle["attempts"]] == ["poll"]
    assert bundle["inbound"][0]["headers"]["webhook-signature"] == signature
    (sent,) = [one for one in (await read_access_log(house, number)).sent if one.department.code == "hrss"]
    assert (sent.received, sent.recorded, bool(sent.fields)) == (True, True, True)
    assert departments.sent


@pytest.mark.usefixtures("departments")
async def test_a_step_that_was_handed_over_in_a_sheet(house: House) -> None:
    number, step = await _case(house, door=Door.INBOX)
    officer = Caller("li", Role.OFFICER, "hrss")
    await download_work(house, officer, "hrss")
    sheet = _sheet([{form.STEP: step, form.CODE: code, form.RESULT: "属实"} for code in TOLD])
    taken = await upload_answers(house, officer, "hrss", sheet)
    assert taken.rejected == ()
    data = await write_bundle(house, step, "auditor:test")
    finding = check_bundle(data, secrets=[SECRET])
    assert finding.problems == ()
    assert sum("sheet" in note for note in finding.notes) == 2
    assert [attempt["door"] for attempt in json.loads(data)["attempts"]] == ["inbox"]
    (sent,) = [one for one in (await read_access_log(house, number)).sent if one.department.code == "hrss"]
    assert {field.code for field in sent.fields} >= {"name", "id_number"}


def _sheet(rows: list[dict[str, str]]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        page = book.add_worksheet(form.SHEET)
        for position, title in enumerate(form.COLUMNS):
            page.write_string(0, position, title)
            for line, row in enumerate(rows, start=1):
                page.write_string(line, position, row.get(title, ""))
    return target.getvalue()
