"""Endpoints in the browser: a department registers, tries, renews and mends its own, and sees no other's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from models import Endpoint, Maintenance, Role
from services.database import table
from services.exchange.addresses import Guard
from services.house import House
from tests.api.conftest import Browser, SignIn
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


@pytest.fixture
async def officer(sign_in: SignIn, house: House) -> Browser:
    house.guard = Guard.of(["10.0.0.0/8"])
    return await sign_in(Role.OFFICER, "hrss")


async def _row(house: House, department: str = "hrss") -> Any:
    endpoints = table(Endpoint)
    async with house.database.read() as connection:
        query = select(endpoints).where(endpoints.c.department == department)
        return (await connection.execute(query)).one_or_none()


async def test_an_endpoint_is_registered_and_its_secret_shown_once(officer: Browser, house: House) -> None:
    empty = await officer.get("/console/endpoints/hrss")
    assert "还没有登记接口" in empty.text
    made = await officer.submit("/console/endpoints/hrss/registration", door="push", url="https://10.0.0.5/hook")
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", made.text)
    assert secret
    assert made.headers["cache-control"] == "no-store"
    assert secret[0] not in (await officer.get("/console/endpoints/hrss")).text
    row = await _row(house)
    assert (row.state.value, row.url) == ("draft", "https://10.0.0.5/hook")


async def test_a_change_keeps_what_the_form_does_not_show(officer: Browser, house: House) -> None:
    await officer.submit("/console/endpoints/hrss/registration", door="push", url="https://10.0.0.5/hook")
    before = (await _row(house)).secrets
    changed = await officer.submit(
        "/console/endpoints/hrss/registration", door="push", url="https://10.0.0.5/hook", batch_size="20"
    )
    assert "whsec_" not in changed.text
    row = await _row(house)
    assert row.batch_size == 20
    assert house.keys.open(row.secrets, "endpoint:hrss") == house.keys.open(before, "endpoint:hrss")


async def test_an_address_that_may_not_be_called_is_refused_with_the_reason(officer: Browser, house: House) -> None:
    answer = await officer.submit("/console/endpoints/hrss/registration", door="push", url="http://169.254.169.254/")
    assert answer.status_code == 422
    assert "<html" in answer.text
    assert await _row(house) is None


async def test_maintenance_is_announced_in_zibos_time_and_ended(officer: Browser, house: House) -> None:
    await officer.submit("/console/endpoints/hrss/registration", door="push", url="https://10.0.0.5/hook")
    told = await officer.submit(
        "/console/endpoints/hrss/maintenance", from_at="2014-11-03T12:00", until_at="2014-11-03T20:00", note="升级"
    )
    assert told.status_code == 303
    windows = table(Maintenance)
    async with house.database.read() as connection:
        (window,) = (await connection.execute(select(windows))).all()
    assert window.from_at == datetime(2014, 11, 3, 4, 0, tzinfo=UTC)
    await officer.submit("/console/endpoints/hrss/maintenance", end="true")
    async with house.database.read() as connection:
        (window,) = (await connection.execute(select(windows))).all()
    assert window.until_at == house.database.clock.now()


async def test_messages_are_seen_with_every_try_and_sent_again_after_a_preview(
    officer: Browser, house: House, departments: Departments
) -> None:
    departments.silent.add("hrss")
    (number,) = await registered(house, application())
    await work(house, number)
    step = f"{number}-v-hrss-1"
    assert step in (await officer.get("/console/endpoints/hrss")).text
    assert "HTTP 202" in (await officer.get(f"/console/endpoints/hrss/messages/{step}")).text
    assert f"messages/{step}" in (await officer.get(f"/console/endpoints/hrss?answer=202&case={number}")).text
    assert f"messages/{step}" not in (await officer.get("/console/endpoints/hrss?answer=503")).text
    seen = await officer.submit("/console/endpoints/hrss/replay", from_on="2014-11-03", until_on="2014-11-03")
    assert "将重新推送 1 条消息" in seen.text
    stale = await officer.submit(
        "/console/endpoints/hrss/replay", from_on="2014-11-03", until_on="2014-11-03", expected="7"
    )
    assert stale.status_code == 409
    done = await officer.submit(
        "/console/endpoints/hrss/replay", from_on="2014-11-03", until_on="2014-11-03", expected="1"
    )
    assert "已安排重新推送" in done.text


async def test_another_departments_endpoint_is_not_there(
    officer: Browser, house: House, departments: Departments
) -> None:
    del departments, house
    assert (await officer.get("/console/endpoints/police")).status_code == 404
    assert (await officer.submit("/console/endpoints/police/closing", reason="x")).status_code == 404
    assert "公安局" not in (await officer.get("/console/endpoints")).text
