"""A rush: bounded, told to come again, gone when the callers are; reading goes on beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from api.callers import CallerLimit
from api.lanes import Lane, Lanes
from api.limits import BodyLimit
from services.settings import Settings


class Desk:
    """An application that serves when it is let."""

    def __init__(self, tmp_path: Any, **changes: Any) -> None:
        self.go, self.served, self.at_once, self.most = asyncio.Event(), 0, 0, 0
        settings = Settings(data_dir=tmp_path, intake_seats=2, seats=2, bench=3, _env_file=None, **changes)
        self.app = FastAPI()

        @self.app.api_route("/{path:path}", methods=["GET", "POST"])
        async def serve(request: Request) -> dict[str, int]:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            body = await request.body()
            if request.method == "POST":
                await self.go.wait()
            self.served += 1
            self.at_once -= 1
            return {"bytes": len(body)}

        self.app.add_middleware(Lanes, settings=settings)
        self.app.add_middleware(BodyLimit, limit=1_000)
        self.app.add_middleware(CallerLimit, settings=settings)
        transport = httpx.ASGITransport(self.app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://lianban.test")


@pytest.fixture
async def desk(tmp_path: Any) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    await desk.client.aclose()


async def _settled(tasks: list[asyncio.Task[httpx.Response]], left: int) -> None:
    async with asyncio.timeout(5):
        while len(pending := [task for task in tasks if not task.done()]) > left:
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)


async def test_a_rush_at_intake_is_bounded_and_reading_goes_on(desk: Desk) -> None:
    rush = [asyncio.create_task(desk.client.post("/api/v1/applications", json={"n": n})) for n in range(50)]
    # Two are served, three wait; the others are told at once.
    await _settled(rush, 5)
    refused = [task.result() for task in rush if task.done()]
    assert {answer.status_code for answer in refused} == {429}
    assert {answer.json()["code"] for answer in refused} == {"too-many"}
    assert all(1 <= int(answer.headers["retry-after"]) <= 10 for answer in refused)
    assert (await desk.client.get("/api/v1/cases")).status_code == 200
    answered = asyncio.create_task(desk.client.post("/api/v1/callbacks/hrss", json={}))
    desk.go.set()
    assert (await answered).status_code == 200
    done = await asyncio.gather(*rush)
    assert sum(answer.status_code == 200 for answer in done) == 5
    # It is over when the callers are: the next one is served.
    assert (await desk.client.post("/api/v1/applications", json={})).status_code == 200


async def test_elsewhere_a_rush_is_answered_503(desk: Desk) -> None:
    rush = [asyncio.create_task(desk.client.post("/api/v1/decisions", json={})) for _ in range(40)]
    await _settled(rush, 14)
    assert {task.result().status_code for task in rush if task.done()} == {503}
    assert (await desk.client.get("/healthz")).status_code == 200
    desk.go.set()
    await asyncio.gather(*rush)
    assert desk.most <= 3


async def test_who_waits_too_long_is_told_so() -> None:
    lane = Lane("intake", seats=1, bench=2, status=429, patience=0.01)
    async with lane.seat() as first, lane.seat() as second:
        assert (first, second) == (True, False)
    async with lane.seat() as third:
        assert third
    assert (lane.refused, lane.waiting) == (1, 0)


async def test_a_caller_who_goes_away_while_waiting_leaves_the_place() -> None:
    lane = Lane("intake", seats=1, bench=1, status=429)

    async def wait() -> None:
        async with lane.seat():
            pass

    async with lane.seat():
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        assert lane.waiting == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert lane.waiting == 0
    async with lane.seat() as taken:
        assert taken


async def test_bodies_arrive_whole_and_too_large_ones_not_at_all(desk: Desk) -> None:
    desk.go.set()

    async def parts(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 100

    assert (await desk.client.post("/x", content=b"y" * 900)).json() == {"bytes": 900}
    assert (await desk.client.post("/x", content=parts(9))).json() == {"bytes": 900}
    told = await desk.client.post("/x", content=b"y" * 1_100)
    untold = await desk.client.post("/x", content=parts(11))
    assert (told.status_code, untold.status_code) == (413, 413)
    assert untold.json()["code"] == "too-large"


async def test_who_sends_slowly_holds_up_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.lanes._BODY_SECONDS", 0.05)
    desk.go.set()
    never = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    slow = [asyncio.create_task(desk.client.post("/api/v1/applications", content=slowly())) for _ in range(4)]
    await asyncio.sleep(0)
    assert (await desk.client.post("/api/v1/applications", json={})).status_code == 200
    assert {answer.status_code for answer in await asyncio.gather(*slow)} == {408}


async def test_one_caller_takes_no_more_than_its_share(tmp_path: Any) -> None:
    desk = Desk(tmp_path, caller_per_second=1)
    mine, other = {"authorization": "Bearer a"}, {"authorization": "Bearer b"}
    answers = [await desk.client.get("/x", headers=mine) for _ in range(25)]
    assert answers[0].status_code == 200
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"] == "10"
    assert (await desk.client.get("/x", headers=other)).status_code == 200
    assert (await desk.client.get("/healthz", headers=mine)).status_code == 200
    await desk.client.aclose()


async def test_while_redis_is_away_each_counts_for_itself(tmp_path: Any) -> None:
    desk = Desk(tmp_path, caller_per_second=1, redis_url="redis://127.0.0.1:1/0")
    answers = [await desk.client.get("/x") for _ in range(25)]
    assert {answer.status_code for answer in answers} == {200, 429}
    await desk.client.aclose()
