"""Who dispatches: the first is welcome, one more only where there is work for one, and the dead are not counted."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import update

from models import Dispatcher
from services.database import table
from services.house import House
from services.ledger.cases import claim_ready
from services.operations.dispatchers import (
    SEEN,
    Post,
    anybody_at_work,
    dispatchers_seen,
    keep_post,
    leave_post,
    may_call,
    take_post,
)
from tests.testing.clock import SetClock
from tests.testing.people import application, registered

POSTS = table(Dispatcher)


async def _take(house: House, *, most: int = 0, enough: int = 2) -> Post | None:
    async with house.database.write("dispatch") as transaction:
        return await take_post(transaction, house.database.clock.now(), most=most, enough=enough)


async def _keep(house: House, post: Post, cases: int = 0) -> int:
    async with house.database.write("dispatch") as transaction:
        return await keep_post(transaction, post, house.database.clock.now(), cases)


async def _may_call(house: House, post: Post, *, most: int = 0, enough: int = 2) -> bool:
    async with house.database.write("dispatch") as transaction:
        return await may_call(transaction, post, house.database.clock.now(), most=most, enough=enough)


async def _at_work(house: House) -> bool:
    async with house.database.read() as connection:
        return await anybody_at_work(connection, house.database.clock.now())


async def _set(house: House, post: Post | None, **values: Any) -> None:
    assert post is not None
    async with house.database.write("test") as transaction:
        await transaction.connection.execute(update(POSTS).where(POSTS.c.id == post.id).values(values))


@pytest.fixture
def gone() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


async def test_one_is_enough_until_there_is_work_for_two(house: House) -> None:
    first = await _take(house)
    assert first is not None
    assert first.first
    assert await _take(house) is None
    await registered(house, *(application() for _ in range(2)))
    assert await _take(house, enough=2) is None
    await registered(house, application())
    second = await _take(house, enough=2)
    assert second is not None
    assert not second.first
    assert await _keep(house, second) == 2
    assert await _take(house, enough=0, most=2) is None


async def test_what_is_in_somebodys_hands_is_no_work_for_another(house: House) -> None:
    await _take(house)
    await registered(house, *(application() for _ in range(3)))
    async with house.database.write("dispatch") as transaction:
        await claim_ready(transaction, house.database.clock.now(), 3, 60)
    assert await _take(house, enough=0) is None


async def test_who_left_or_fell_silent_is_not_counted(house: House, clock: SetClock) -> None:
    first = await _take(house)
    assert first is not None
    assert await _at_work(house)
    async with house.database.write("dispatch") as transaction:
        await leave_post(transaction, first, clock.clock.now(), 4)
    assert not await _at_work(house)
    second = await _take(house)
    assert second is not None
    # On another machine, of whose processes nothing can be known here.
    await _set(house, second, machine="elsewhere", process=1)
    clock.pass_(seconds=SEEN.total_seconds() - 1)
    assert await _take(house) is None
    clock.pass_(seconds=2)
    assert not await _at_work(house)
    third = await _take(house)
    assert third is not None
    assert third.first


async def test_a_killed_dispatcher_of_this_machine_is_missed_at_once(house: House, gone: int) -> None:
    await _set(house, await _take(house), process=gone)
    again = await _take(house)
    assert again is not None
    assert again.first


async def test_a_clock_set_back_keeps_nobody_at_work(house: House, clock: SetClock) -> None:
    await _set(house, await _take(house), machine="elsewhere")
    clock.pass_(hours=-1)
    assert await _take(house) is not None


async def test_one_calls_at_a_time_and_only_for_work(house: House, clock: SetClock) -> None:
    first = await _take(house)
    assert first is not None
    assert not await _may_call(house, first)
    await registered(house, *(application() for _ in range(3)))
    second = await _take(house)
    assert second is not None
    assert await _may_call(house, second)
    assert not await _may_call(house, first)
    clock.pass_(seconds=16)
    await _keep(house, first)
    await _keep(house, second)
    assert not await _may_call(house, first, most=2)
    assert await _may_call(house, first, most=3)


async def test_they_are_shown_with_what_they_did(house: House, clock: SetClock) -> None:
    first = await _take(house)
    assert first is not None
    await _keep(house, first, 7)
    clock.pass_(minutes=5)
    await _take(house)
    async with house.database.read() as connection:
        seen = await dispatchers_seen(connection, clock.clock.now())
    assert [(one.cases, one.at_work) for one in seen] == [(0, True), (7, False)]
    assert {one.machine for one in seen} == {os.uname().nodename}
    clock.pass_(days=3)
    await _take(house)
    async with house.database.read() as connection:
        assert len(await dispatchers_seen(connection, clock.clock.now())) == 1
