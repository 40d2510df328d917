"""Changes told live: without a gap, to those who may know, and nothing personal in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Role
from services.access import Caller
from services.casework import deliveries
from services.changes import feed as feed_module
from services.changes.feed import ChangeFeed, News
from services.changes.reading import Change, head_of, read_changes
from services.errors import UnavailableError
from services.house import House
from services.operations.retries import preview_retry, start_retry
from services.operations.selection import Selection
from services.supervision.supervise import supervise
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.people import application, registered

CITY = Caller("a", Role.COORDINATOR)
ADMINISTRATOR = Caller("root", Role.ADMINISTRATOR)
ZHANGDIAN, BOSHAN = Caller("c", Role.CLERK, "370303"), Caller("d", Role.CLERK, "370304")
OTHER_STATION = Caller("e", Role.CLERK, "370303", "和平派出所")
HRSS = Caller("h", Role.OFFICER, "hrss")


@pytest.fixture
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Departments:
    departments = Departments()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments


@pytest.fixture
async def feed(house: House) -> AsyncIterator[ChangeFeed]:
    feed = ChangeFeed(house.database, seats=3, poll_seconds=0.01)
    yield feed
    await feed.close()


async def _next(feed: ChangeFeed, caller: Caller, after: int | None) -> News:
    """The first news with something in it."""
    async with asyncio.timeout(10), aclosing(feed.follow(caller, after, rest=0.2)) as following:
        async for news in following:
            if news.changes or news.missed:
                return news
    raise AssertionError("the stream ended")


async def _until(feed: ChangeFeed, caller: Caller, after: int | None, kind: str) -> list[Change]:
    """Changes up to the first of ``kind``."""
    found: list[Change] = []
    async with asyncio.timeout(10), aclosing(feed.follow(caller, after, rest=0.2)) as following:
        async for news in following:
            found += news.changes
            if any(one.kind == kind for one in news.changes):
                return found
    raise AssertionError("the stream ended")


async def _everything(house: House, caller: Caller) -> list[Change]:
    async with house.database.read() as connection:
        found, _ = await read_changes(connection, 0, 100_000)
    return [one.for_caller(caller) for one in found if one.seen_by(caller)]


async def test_a_change_is_told_as_it_happens(house: House, feed: ChangeFeed) -> None:
    with feed.seat():
        waiting = asyncio.create_task(_next(feed, CITY, None))
        await asyncio.sleep(0)
        (number,) = await registered(house, application())
        news = await waiting
    (change,) = news.changes
    assert (change.kind, change.subject, change.sequence) == ("case.received", number, news.reached)


async def test_who_comes_again_misses_nothing_and_hears_nothing_twice(house: House, feed: ChangeFeed) -> None:
    await registered(house, application())
    with feed.seat():
        first = await _next(feed, CITY, 0)
        await registered(house, application(), application())
        second = await _next(feed, CITY, first.reached)
    # Another process, another machine: the number means the same there.
    elsewhere = ChangeFeed(house.database, poll_seconds=0.01)
    with elsewhere.seat():
        whole = await _next(elsewhere, CITY, 0)
    await elsewhere.close()
    assert whole.changes == first.changes + second.changes
    assert len({change.sequence for change in whole.changes}) == 3


async def test_each_is_told_what_is_in_sight(house: House, departments: Departments) -> None:
    (number,) = await registered(house, application())
    await registered(house, application(district="370304"))
    departments.failing["housing-fund"] = 400
    await work(house, number)
    await supervise(house)
    clerk, other, officer = [await _everything(house, one) for one in (ZHANGDIAN, BOSHAN, HRSS)]
    assert {change.subject for change in clerk} == {number}
    assert await _everything(house, OTHER_STATION) == []
    assert {change.kind for change in clerk} >= {"case.received", "permit.issued", "steps.planned", "steps.failed"}
    assert [change.kind for change in other] == ["case.received"]
    assert {change.departments for change in officer} == {("hrss",)}
    assert {change.kind for change in officer} == {"endpoint.registered", "steps.planned", "steps.answered"}
    office = await _everything(house, CITY)
    (incident,) = [change for change in office if change.kind == "incident.opened"]
    assert (incident.subject, incident.figures) == ("housing-fund", {"incident": 1, "cases": 1, "steps": 1})
    here, there = [await _everything(house, Caller("f", Role.COORDINATOR, code)) for code in ("370303", "370304")]
    assert [change.figures for change in here if change.kind == "incident.opened"] == [{"incident": 1}]
    assert [change.kind for change in there] == ["case.received"]
    assert not {change.kind for change in office} & {"key.created"}


async def test_nothing_personal_and_no_reading_is_told(house: House, departments: Departments) -> None:
    one = application()
    (number,) = await registered(house, one)
    await work(house, number)
    assert departments.sent
    async with house.database.write("administrator:test") as transaction:
        transaction.note("person.searched", "system", by=["name"], found=1)
        transaction.note("key.created", "system", name="somebody")
    told = await _everything(house, ADMINISTRATOR)
    assert told[-1].kind == "key.created"
    assert told[-1].figures == {}
    assert one.person.name not in repr(told)
    assert one.person.id_number not in repr(told)
    assert "person.searched" not in {change.kind for change in told}


async def test_a_retry_is_told_to_its_end(
    house: House, departments: Departments, feed: ChangeFeed, clock: SetClock
) -> None:
    departments.failing["housing-fund"] = 400
    await work(house, *await registered(house, application(), application()))
    departments.failing.clear()
    async with house.database.read() as connection:
        start = await head_of(connection)
    run = await preview_retry(house, Selection(department="housing-fund"), ADMINISTRATOR.actor)
    await start_retry(house, run.id, ADMINISTRATOR.actor)
    for _ in range(5):
        clock.pass_(seconds=1)
        await supervise(house)
        await dispatch(house)
    with feed.seat():
        told = await _until(feed, CITY, start, "retry.closed")
    retry = [(change.kind, change.figures.get("counts")) for change in told if change.kind.startswith("retry.")]
    assert retry == [
        ("retry.previewed", None),
        ("retry.started", None),
        ("retry.sent", None),
        ("retry.advanced", {"confirmed": 1, "waiting": 1}),
        ("retry.sent", None),
        ("retry.advanced", {"confirmed": 2}),
        ("retry.closed", {"confirmed": 2}),
    ]
    assert {change.figures["retry"] for change in told if change.kind.startswith("retry.")} == {run.id}


async def test_who_fell_far_behind_is_told_to_look_anew(
    house: House, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "MAX_BEHIND", 3)
    await registered(house, *(application() for _ in range(5)))
    with feed.seat():
        news = await _next(feed, CITY, 1)
        ahead = await _next(feed, CITY, 10_000)
    assert (news.missed, news.reached, news.changes) == (True, ahead.reached, ())
    assert ahead.missed


async def test_who_is_slow_reads_what_is_no_longer_kept(
    house: House, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "_KEPT", 2)
    with feed.seat(), feed.seat():
        async with asyncio.timeout(10), aclosing(feed.follow(CITY, 0, rest=0.05)) as slow:
            await anext(slow)
            numbers = await registered(house, *(application() for _ in range(6)))
            await _next(feed, CITY, 5)
            told: list[str] = []
            while len(told) < len(numbers):
                told += [change.subject for change in (await anext(slow)).changes]
    assert told == numbers


async def test_there_are_so_many_seats(feed: ChangeFeed) -> None:
    with feed.seat(), feed.seat(), feed.seat(), pytest.raises(UnavailableError), feed.seat():
        pass
    with feed.seat():
        pass


async def test_one_looks_for_all_and_nobody_for_nobody(
    house: House, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []

    async def counted(connection: AsyncConnection, after: int, limit: int = 500) -> tuple[list[Change], int]:
        changes, reached = await read_changes(connection, after, limit)
        found.extend([reached] if changes else [])
        return changes, reached

    monkeypatch.setattr(feed_module, "read_changes", counted)
    with feed.seat(), feed.seat():
        async with aclosing(feed.follow(CITY, None)) as one, aclosing(feed.follow(ADMINISTRATOR, None)) as other:
            await anext(one), await anext(other)
            await registered(house, application())
            first, second = await asyncio.wait_for(asyncio.gather(anext(one), anext(other)), 10)
        assert first.changes == second.changes
        assert found == [first.reached]
        assert feed.looking
    assert not feed.looking
