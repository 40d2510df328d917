"""Claims on cases: never two at once, never lost, and a wake in between is seen."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from unittest.mock import ANY

from sqlalchemy import update

from models import Case
from services.audit import verify_chain
from services.database import Database, table
from services.ledger.cases import (
    MAX_TRIES,
    SUSPECT_TRIES,
    SUSPECTS_TOGETHER,
    Claim,
    claim_numbers,
    claim_ready,
    claim_review,
    give_back_claim,
    release,
    set_aside_poisoned,
    wake,
)
from tests.testing.looking import case_row

CASES = table(Case)
SECONDS = 60.0


async def _claim(database: Database, limit: int = 100) -> Claim:
    async with database.write("dispatch") as transaction:
        return await claim_ready(transaction, database.clock.now(), limit, SECONDS)


async def _release(database: Database, claim: Claim) -> None:
    async with database.write("dispatch") as transaction:
        await release(transaction, claim)


async def _wake(database: Database, *numbers: str, at: timedelta = timedelta(0)) -> None:
    async with database.write("department:hrss") as transaction:
        await wake(transaction, numbers, database.clock.now() + at)


async def test_two_who_claim_at_once_never_hold_the_same_case(ledger: Any) -> None:
    numbers = await ledger.cases(30)
    claims = await asyncio.gather(*(_claim(database, 4) for database in [ledger.database, ledger.twin] * 5))
    held = [number for claim in claims for number in claim.numbers]
    assert len(held) == len(set(held))
    # Whoever found the rest locked came away with less; nothing is out of reach.
    held += (await _claim(ledger.database)).numbers
    assert sorted(held) == sorted(numbers)


async def test_a_claim_that_is_still_open_shuts_nobody_out(ledger: Any) -> None:
    await ledger.cases(10)
    if ledger.database.dsn.startswith("sqlite"):
        return  # one writer at a time: the second waits for the first
    async with ledger.database.write("a") as first:
        mine = await claim_ready(first, ledger.clock.clock.now(), 4, SECONDS)
        async with asyncio.timeout(5), ledger.twin.write("b") as second:
            theirs = await claim_ready(second, ledger.clock.clock.now(), 100, SECONDS)
    assert (len(mine.numbers), len(theirs.numbers)) == (4, 6)
    assert not set(mine.numbers) & set(theirs.numbers)


async def test_the_longest_waiting_come_first(ledger: Any) -> None:
    first, second, third = await ledger.cases(3)
    for number, seconds in ((first, -1), (second, -9), (third, -5)):
        await _wake(ledger.database, number, at=timedelta(seconds=seconds))
    assert (await _claim(ledger.database, 2)).numbers == (second, third)


async def test_a_claim_that_ran_out_is_claimed_again(ledger: Any) -> None:
    numbers = await ledger.cases(3)
    killed = await _claim(ledger.database)
    assert (await _claim(ledger.twin)).numbers == ()
    ledger.clock.pass_(seconds=SECONDS + 1)
    again = await _claim(ledger.twin)
    assert sorted(again.numbers) == sorted(numbers)
    # The first worker was only slow: what it lets go is no longer its own.
    await _release(ledger.database, killed)
    assert (await _claim(ledger.database)).numbers == ()
    case = await case_row(ledger.house, numbers[0])
    assert (case.lease, case.tries) == (again.lease, 2)


async def test_a_case_let_go_waits(ledger: Any) -> None:
    (number,) = await ledger.cases(1)
    await _release(ledger.database, await _claim(ledger.database))
    ledger.clock.pass_(hours=5)
    assert (await _claim(ledger.database)).numbers == ()
    case = await case_row(ledger.house, number)
    assert (case.lease, case.leased_until, case.ready_at, case.tries) == (None, None, None, 0)


async def test_a_wake_during_a_batch_is_not_lost(ledger: Any) -> None:
    (number,) = await ledger.cases(1)
    claim = await _claim(ledger.database)
    # In the very same instant, and on a machine whose clock is behind ours.
    for late in (timedelta(0), timedelta(seconds=-20)):
        await _wake(ledger.twin, number, at=late)
        assert (await _claim(ledger.twin)).numbers == ()
        await _release(ledger.database, claim)
        claim = await _claim(ledger.database)
        assert claim.numbers == (number,)


async def test_a_wake_before_a_batch_is_served_by_it(ledger: Any) -> None:
    (number,) = await ledger.cases(1)
    await _wake(ledger.database, number)
    await _release(ledger.database, await _claim(ledger.database))
    assert (await _claim(ledger.database)).numbers == ()


async def test_a_claim_is_handed_over_by_its_lease(ledger: Any) -> None:
    numbers = await ledger.cases(3)
    claim = await _claim(ledger.database)
    now = ledger.clock.clock.now()
    async with ledger.twin.write("dispatch") as transaction:
        stranger = await claim_numbers(transaction, numbers, None, now, SECONDS)
        heir = await claim_numbers(transaction, numbers, claim.lease, now, SECONDS)
    assert stranger.numbers == ()
    assert sorted(heir.numbers) == sorted(numbers)
    await _release(ledger.database, claim)
    assert (await case_row(ledger.house, numbers[0])).lease == heir.lease


async def test_cases_named_that_wait_for_nothing_come_back_if_their_worker_dies(ledger: Any) -> None:
    (number,) = await ledger.cases(1)
    await _release(ledger.database, await _claim(ledger.database))
    async with ledger.database.write("dispatch") as transaction:
        await claim_numbers(transaction, [number], None, ledger.clock.clock.now(), SECONDS)
    ledger.clock.pass_(seconds=SECONDS + 1)
    assert (await _claim(ledger.database)).numbers == (number,)


async def test_review_takes_today_and_what_was_missed(ledger: Any) -> None:
    numbers = await ledger.cases(3)
    await _release(ledger.database, await _claim(ledger.database))
    for number, day in zip(numbers, (date(2014, 9, 1), date(2014, 11, 3), date(2014, 11, 4)), strict=True):
        async with ledger.database.write("test") as transaction:
            await transaction.connection.execute(update(CASES).where(CASES.c.number == number).values(review_on=day))
    async with ledger.database.write("reconcile") as transaction:
        claim = await claim_review(transaction, date(2014, 11, 3), ledger.clock.clock.now(), 10, SECONDS)
    assert claim.numbers == (numbers[0], numbers[1])


async def test_cases_that_may_be_poisoned_are_claimed_few_at_a_time_and_at_last_alone(ledger: Any) -> None:
    few = SUSPECTS_TOGETHER[SUSPECT_TRIES]
    numbers = await ledger.cases(few + 2)
    for _ in range(SUSPECT_TRIES):
        assert (await _claim(ledger.database)).numbers == tuple(numbers)
        ledger.clock.pass_(seconds=SECONDS + 1)
    fresh = await ledger.cases(2)
    claim = await _claim(ledger.database)
    assert (claim.numbers, claim.suspect) == (tuple(fresh), False)
    # Those of a machine that died are back in a few claims.
    claim = await _claim(ledger.database)
    assert (claim.numbers, claim.suspect) == (tuple(numbers[:few]), True)
    rest = await _claim(ledger.database)
    assert (rest.numbers, rest.suspect) == (tuple(numbers[few:]), True)
    # One that comes to its end is under suspicion no more.
    await _release(ledger.database, rest)
    await _wake(ledger.database, numbers[few])
    assert await _claim(ledger.database) == Claim(ANY, ANY, (numbers[few],))
    # The others brought their workers down again: fewer each time, and then each alone.
    ledger.clock.pass_(seconds=SECONDS + 1)
    fewer = SUSPECTS_TOGETHER[SUSPECT_TRIES + 1]
    groups = [(await _claim(ledger.database)).numbers for _ in range(-(-few // fewer) + 1)]
    assert [number for group in groups[1:] for number in group] == numbers[:few]
    assert {len(group) for group in groups[1:-1]} == {fewer}
    ledger.clock.pass_(seconds=SECONDS + 1)
    alone = [await _claim(ledger.database) for _ in range(4)]
    assert [one.numbers for one in alone[1:]] == [(number,) for number in numbers[:3]]


async def test_a_case_that_kills_its_worker_every_time_is_set_aside(ledger: Any) -> None:
    bad, good = await ledger.cases(2)
    for tries in range(1, MAX_TRIES + 1):
        claim = await _claim(ledger.database)
        assert bad in claim.numbers, tries
        async with ledger.database.write("dispatch") as transaction:
            # The last try is still under way: it is given its time.
            assert await set_aside_poisoned(transaction, ledger.clock.clock.now()) == 0
            # The other one came to its end, as a case does that has nothing to do with it.
            free = {"tries": 0, "lease": None, "leased_until": None, "ready_at": None}
            await transaction.connection.execute(update(CASES).where(CASES.c.number == good).values(free))
        ledger.clock.pass_(seconds=SECONDS + 1)
    async with ledger.database.write("dispatch") as transaction:
        assert await set_aside_poisoned(transaction, ledger.clock.clock.now()) == 1
        assert await set_aside_poisoned(transaction, ledger.clock.clock.now()) == 0
    await _wake(ledger.database, good)
    assert (await _claim(ledger.database)).numbers == (good,)
    assert (await case_row(ledger.house, bad)).set_aside is not None
    async with ledger.database.read() as connection:
        assert (await verify_chain(connection)).broken_at is None


async def test_thousands_of_cases_are_named_in_one_statement(ledger: Any) -> None:
    numbers = await ledger.cases(3)
    await _release(ledger.database, await _claim(ledger.database))
    await _wake(ledger.database, *numbers, *(f"370303-2014-{number:06d}" for number in range(5000, 12_000)))
    assert len((await _claim(ledger.database)).numbers) == 3


async def test_a_claim_made_before_the_clock_was_set_back_holds_nothing_up(ledger: Any) -> None:
    numbers = await ledger.cases(2)
    claim = await _claim(ledger.database, 1)
    ledger.clock.pass_(hours=-5)
    again = await _claim(ledger.database)
    assert sorted(again.numbers) == sorted(numbers)
    # Whoever comes back from the future no longer holds what it claimed there.
    await _release(ledger.database, claim)
    assert (await case_row(ledger.house, claim.numbers[0])).lease == again.lease


async def test_a_claim_given_back_is_no_try(ledger: Any) -> None:
    (number,) = await ledger.cases(1)
    for _ in range(MAX_TRIES + 1):
        claim = await _claim(ledger.database)
        assert claim.numbers == (number,)
        async with ledger.database.write("dispatch") as transaction:
            assert await give_back_claim(transaction, claim, ledger.database.clock.now()) == 1
            assert await give_back_claim(transaction, claim, ledger.database.clock.now()) == 0
    case = await case_row(ledger.house, number)
    assert (case.tries, case.lease, case.set_aside) == (0, None, None)
