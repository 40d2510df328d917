"""Live endpoints are checked with test events, and the day's result is written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from models import AuditEntry, Endpoint, EndpointDay
from services.conformance.daily import check_endpoints
from services.database import table
from services.doors.viewing import view_endpoint
from services.endpoints import register_endpoint
from services.exchange.client import Answer
from services.exchange.delivery import Target
from services.exchange.signatures import SignatureError, new_secret, verify
from services.house import House
from tests.testing.clock import SetClock


class Receivers:
    """Receivers by the book, on the clock of the house, but for what ``wrong`` says of a department."""

    def __init__(self, house: House, secret: str, **wrong: str) -> None:
        self.house, self.secret, self.wrong = house, secret, wrong
        self.events: list[dict[str, Any]] = []

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Take one message."""
        wrong = self.wrong.get(url.removeprefix("https://").partition(".")[0])
        if wrong == "away":
            raise ConnectionRefusedError
        self.events.append(json.loads(body))
        tolerance = timedelta(days=1) if wrong == "takes-old" else timedelta(minutes=5)
        try:
            verify(headers, body, [self.secret], self.house.database.clock.now(), tolerance)
            status = 202
        except SignatureError:
            status = 204 if wrong == "takes-all" else 401
        return Answer(status, b"", None, None, too_large=False)

    async def aclose(self) -> None:
        """There is nothing to close."""


async def _connect(house: House, secret: str, *departments: str) -> None:
    async with house.database.write("administrator:test") as transaction:
        for code in departments:
            await register_endpoint(transaction, house.keys, Target(code, f"https://{code}.test/hook", (secret,)))


async def test_each_endpoint_has_its_day(house: House) -> None:
    secret = new_secret()
    await _connect(house, secret, "hrss", "police", "health", "justice")
    receivers = Receivers(house, secret, police="away", health="takes-all", justice="takes-old")
    checked = await check_endpoints(house, "check_endpoints", lambda _: receivers)
    problems = {one.department: one.problem for one in checked}
    assert problems == {
        "hrss": None,
        "police": "应接收测试消息，实为 connect must take a test event, met connect",
        "health": "应以 4xx 拒收错误签名，实为 HTTP 204 must refuse a wrong signature with 4xx, met HTTP 204",
        "justice": "应以 4xx 拒收过期签名，实为 HTTP 202 must refuse an old signature with 4xx, met HTTP 202",
    }
    assert {event["type"] for event in receivers.events} == {"cn.zibo.lianban.endpoint.test.v1"}
    assert all(event["data"]["person"] == {} for event in receivers.events)
    days, endpoints, entries = table(EndpointDay), table(Endpoint), table(AuditEntry)
    async with house.database.read() as connection:
        kept = {row.department: row for row in await connection.execute(select(days))}
        tested = {row.department: row for row in await connection.execute(select(endpoints))}
        unwell = (
            await connection.execute(select(entries.c.subject).where(entries.c.action == "endpoint.unwell"))
        ).scalars()
        assert sorted(unwell) == ["health", "justice", "police"]
    assert {code: row.problem for code, row in kept.items()} == problems
    assert {row.on for row in kept.values()} == {house.database.clock.today()}
    assert (tested["hrss"].tested_well, tested["police"].tested_well) == (True, False)
    assert tested["hrss"].tested_at == house.database.clock.now()


async def test_what_is_wrong_is_shown_until_a_test_is_passed(house: House, clock: SetClock) -> None:
    secret = new_secret()
    await _connect(house, secret, "hrss")
    assert (await view_endpoint(house, "hrss"))["problem"] is None
    await check_endpoints(house, "check_endpoints", lambda _: Receivers(house, secret, hrss="takes-all"))
    assert "must refuse a wrong signature" in (await view_endpoint(house, "hrss"))["problem"]
    clock.pass_(days=1)
    await check_endpoints(house, "check_endpoints", lambda _: Receivers(house, secret, hrss="away"))
    assert "must take a test event" in (await view_endpoint(house, "hrss"))["problem"]
    endpoints = table(Endpoint)
    async with house.database.write("officer:test") as transaction:
        await transaction.connection.execute(update(endpoints).values(tested_well=True))
    assert (await view_endpoint(house, "hrss"))["problem"] is None


async def test_the_last_result_of_a_day_stands(house: House) -> None:
    secret = new_secret()
    await _connect(house, secret, "hrss")
    await check_endpoints(house, "check_endpoints", lambda _: Receivers(house, secret, hrss="away"))
    await check_endpoints(house, "check_endpoints", lambda _: Receivers(house, secret))
    days = table(EndpointDay)
    async with house.database.read() as connection:
        (row,) = (await connection.execute(select(days))).all()
    assert (row.well, row.problem) == (True, None)


async def test_without_endpoints_there_is_nothing_to_do(house: House) -> None:
    assert await check_endpoints(house, "check_endpoints", lambda _: Receivers(house, new_secret())) == ()
