"""Changes by server-sent events: the wire, where a client goes on, and when the stream ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI

from models import Role
from services.access import revoke_keys
from services.access.sessions import end_sessions
from services.changes.feed import ChangeFeed, News
from services.house import House
from tests.api.conftest import Knock, SignIn
from tests.testing.people import application, registered


@pytest.fixture
def house(house: House) -> House:
    """A house that looks often, for one who follows."""
    house.settings = house.settings.model_copy(update={"poll_seconds": 0.01, "changes_seats": 1})
    return house


def _events(text: str) -> list[dict[str, Any]]:
    """The events of a stream, comments left out."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if "data" in fields:
            found.append({"event": fields["event"], "id": fields["id"], "data": json.loads(fields["data"])})
    return found


async def test_changes_come_as_events_with_their_place(house: House, knock: Knock) -> None:
    client = await knock(Role.COORDINATOR)
    (number,) = await registered(house, application())
    answer = await client.get("/api/v1/changes", params={"after": 0})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    (event,) = _events(answer.text)
    assert event["event"] == "case"
    assert event["data"] == {
        "sequence": int(event["id"]), "at": event["data"]["at"], "kind": "case.received", "subject": number,
        "departments": [], "figures": {},
    }  # fmt: skip


async def test_a_client_goes_on_where_it_was(house: House, knock: Knock) -> None:
    client = await knock(Role.COORDINATOR)
    numbers = await registered(house, application(), application())
    first, second = _events((await client.get("/api/v1/changes", params={"after": 0})).text)
    # The header is the later word: a browser sends it with the address it was first given.
    rest = await client.get("/api/v1/changes", params={"after": 0}, headers={"last-event-id": first["id"]})
    assert _events(rest.text) == [second]
    assert second["data"]["subject"] == numbers[1]
    fresh = await client.get("/api/v1/changes")
    assert _events(fresh.text) == []
    # That the key was used for the first time is an entry, too.
    assert f"id: {int(second['id']) + 1}\n" in fresh.text


@pytest.fixture
def begun(app: FastAPI, house: House, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when somebody begins to follow; the stream then goes on for as long as it is let."""
    house.settings = house.settings.model_copy(update={"changes_seconds": 3_600.0, "changes_rest_seconds": 0.02})
    feed: ChangeFeed = app.state.doors.changes
    begun, follow = asyncio.Event(), feed.follow

    def followed(*args: Any, **kwargs: Any) -> AsyncIterator[News]:
        begun.set()
        return follow(*args, **kwargs)

    monkeypatch.setattr(feed, "follow", followed)
    return begun


async def test_the_stream_ends_with_the_key(house: House, knock: Knock, begun: asyncio.Event) -> None:
    client = await knock(Role.CLERK, "370303")
    following = asyncio.create_task(client.get("/api/v1/changes"))
    await asyncio.wait_for(begun.wait(), 10)
    async with house.database.write("administrator:test") as transaction:
        await revoke_keys(transaction, house.database.clock.now(), "clerk-370303")
    assert (await asyncio.wait_for(following, 10)).status_code == 200
    assert (await client.get("/api/v1/changes")).status_code == 401


async def test_the_stream_ends_with_the_session(house: House, sign_in: SignIn, begun: asyncio.Event) -> None:
    browser = await sign_in(Role.CLERK, "370303")
    following = asyncio.create_task(browser.get("/api/v1/changes"))
    await asyncio.wait_for(begun.wait(), 10)
    async with house.database.write("administrator:test") as transaction:
        await end_sessions(transaction, house.database.clock.now(), 1, "test")
    assert (await asyncio.wait_for(following, 10)).status_code == 200
    assert (await browser.get("/api/v1/changes")).status_code == 401


async def test_more_than_there_are_seats_for_are_told_to_come_again(app: FastAPI, knock: Knock) -> None:
    client = await knock(Role.COORDINATOR)
    with app.state.doors.changes.seat():
        answer = await client.get("/api/v1/changes")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"]
    assert (await client.get("/api/v1/changes")).status_code == 200


@pytest.mark.parametrize("place", ["-1", "x", "1.5", str(2**53)])
async def test_a_place_that_is_none_is_named(knock: Knock, place: str) -> None:
    client = await knock(Role.COORDINATOR)
    answer = await client.get("/api/v1/changes", params={"after": place})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "after")
    answer = await client.get("/api/v1/changes", headers={"last-event-id": place})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Last-Event-ID")
