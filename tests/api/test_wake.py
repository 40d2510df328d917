"""The bell at the dispatcher's door: seldom, late rather than never, and nobody waits for it."""

from __future__ import annotations

import httpx
from structlog.testing import capture_logs

from api.wake import Bell, bell_of
from services.house import House
from services.operations.dispatchers import leave_post, take_post
from tests.api.conftest import ListeningPrefect


async def test_many_rings_sound_twice_at_once_and_at_the_end_of_the_interval(prefect: ListeningPrefect) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(prefect.answer)) as client:
        bell = Bell(client, "http://prefect.test/api", interval=0.05)
        bell.ring()
        await bell.rung()
        for _ in range(20):
            bell.ring()
        assert len(prefect.events) == 1
        await bell.rung()
        assert len(prefect.events) == 2
        assert {str(request.url) for request in prefect.events} == {"http://prefect.test/api/events"}


async def test_a_prefect_that_is_down_is_logged_once(prefect: ListeningPrefect) -> None:
    prefect.up = False
    async with httpx.AsyncClient(transport=httpx.MockTransport(prefect.answer)) as client:
        bell = Bell(client, "http://prefect.test/api", interval=0)
        with capture_logs() as logs:
            for _ in range(3):
                bell.ring()
                await bell.rung()
    assert [line["event"] for line in logs] == ["prefect_not_woken"]


async def test_closing_waits_for_no_interval(prefect: ListeningPrefect) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(prefect.answer)) as client:
        bell = Bell(client, "http://prefect.test/api", interval=3600)
        bell.ring()
        await bell.rung()
        bell.ring()
        await bell.close()
    assert len(prefect.events) == 1


async def test_nobody_is_woken_while_a_dispatcher_is_at_work(house: House, prefect: ListeningPrefect) -> None:
    async with house.database.write("dispatch") as transaction:
        post = await take_post(transaction, house.database.clock.now(), most=0, enough=0)
    assert post is not None
    async with httpx.AsyncClient(transport=httpx.MockTransport(prefect.answer)) as client:
        bell = bell_of(house, client)
        bell.ring()
        await bell.rung()
        assert prefect.events == []
        async with house.database.write("dispatch") as transaction:
            await leave_post(transaction, post, house.database.clock.now(), 0)
        await bell.close()
        bell = bell_of(house, client)
        bell.ring()
        await bell.rung()
    assert len(prefect.events) == 1
