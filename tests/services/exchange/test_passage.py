"""Passing to one department: all deliveries of a process together keep its bounds, and stop when its door shuts."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

from services.exchange.client import Answer
from services.exchange.delivery import Target, deliver
from services.exchange.messages import Message
from services.exchange.passage import Gates, Passage
from services.exchange.signatures import new_secret

SECRET = new_secret()


class Counting:
    """A client that counts how many requests are out at once; ``release`` lets them all come back."""

    def __init__(self) -> None:
        self.out = self.most = self.sent = 0
        self.release = asyncio.Event()

    async def post(self, url, body, headers):
        del url, body, headers
        self.out += 1
        self.sent += 1
        self.most = max(self.most, self.out)
        await self.release.wait()
        self.out -= 1
        return Answer(200, b"", None, None, too_large=False)

    async def aclose(self):
        """Nothing to close."""


def messages(count, prefix="a"):
    return [Message(f"{prefix}-{number}", "t", b"{}", (), ()) for number in range(count)]


async def send(client, passage, sent, concurrency=4):
    target = Target("hrss", "https://hrss.test/", (SECRET,), concurrency=concurrency)
    results = []
    async with aclosing(deliver(client, target, sent, lambda: datetime.now(UTC), passage)) as stream:
        async for result in stream:
            results.extend(result.step_ids)
    return results


def later(seconds=60.0):
    return asyncio.get_running_loop().time() + seconds


async def settle():
    for _ in range(50):
        await asyncio.sleep(0)


async def test_several_deliveries_keep_one_departments_concurrency_together():
    client, gate = Counting(), Gates().of("hrss", 3)
    tasks = [asyncio.create_task(send(client, Passage(gate, later()), messages(5, prefix))) for prefix in "abc"]
    await settle()
    assert client.out == 3
    client.release.set()
    assert sorted(step for sent in await asyncio.gather(*tasks) for step in sent) == sorted(
        f"{p}-{n}" for p in "abc" for n in range(5)
    )
    assert client.most == 3


async def test_a_door_that_falls_shut_stops_what_was_not_sent_and_lets_what_is_out_come_back():
    client, gate = Counting(), Gates().of("hrss", 2)
    task = asyncio.create_task(send(client, Passage(gate, later()), messages(10)))
    await settle()
    gate.shut()
    client.release.set()
    assert len(await task) == client.sent == 2
    # A delivery that begins afterwards goes through.
    assert len(await send(client, Passage(gate, later()), messages(3))) == 3


async def test_nothing_is_sent_when_the_claim_is_about_to_run_out():
    client = Counting()
    client.release.set()
    assert await send(client, Passage(Gates().of("hrss", 2), later(-1)), messages(3)) == []
    assert client.sent == 0


async def test_requests_follow_one_another_in_the_slots_reserved(monkeypatch):
    client, gate = Counting(), Gates().of("hrss", 8)
    client.release.set()
    loop = asyncio.get_running_loop()
    started = loop.time()
    pauses = []

    async def note(seconds):
        pauses.append(seconds)

    monkeypatch.setattr("services.exchange.passage.asyncio.sleep", note)
    passage = Passage(gate, later(), started + 100.0, 2.0)
    for _ in range(4):
        async with passage.turn() as may_send:
            assert may_send
    # Slots are 2 s apart, from the first that was reserved; each waits for its own.
    assert [round(pause) for pause in pauses] == [100, 102, 104, 106]


def test_a_changed_concurrency_makes_a_new_gate():
    gates = Gates()
    assert gates.of("hrss", 2) is gates.of("hrss", 2)
    assert gates.of("hrss", 2) is not gates.of("hrss", 3)
    assert gates.of("hrss", 3) is not gates.of("police", 3)
