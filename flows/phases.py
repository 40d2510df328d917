"""The phases every batch of cases goes through, as Prefect tasks: advance, deliver, advance, deliver, advance.

A phase is one task however many departments it sends to: a task run costs Prefect several times what a whole case
costs us, and what each department was sent stands in the run's table and in the ledger.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from prefect import task
from prefect.cache_policies import NO_CACHE

from services.casework.advance import Progress, advance
from services.casework.deliveries import Tally, deliver_steps
from services.casework.watch import Watch
from services.house import House
from services.ledger.cases import Claim, release


@dataclass(slots=True)
class BatchReport:
    """What came of a batch: cases by state, permits by term, steps by (department, state)."""

    cases: Counter[str] = field(default_factory=Counter)
    issued: Counter[str] = field(default_factory=Counter)
    steps: Counter[tuple[str, str]] = field(default_factory=Counter)


class Batch:
    """Cases in hand, in their house. A plain object on purpose: Prefect walks through lists and dataclasses that a
    task is given, one element after the other, in search of futures.
    """

    def __init__(self, house: House, numbers: tuple[str, ...]) -> None:
        self.house = house
        self.numbers = numbers
        self.watch = Watch(wakes=False)


@task(name="advance", task_run_name="推进 · {count} 件", cache_policy=NO_CACHE, persist_result=False)
async def advance_cases(batch: Batch, count: int) -> Progress:
    """Plan and write what each case needs next: verification, decision and permit, services, closing."""
    del count
    house = batch.house
    seconds = house.settings.lease_seconds
    return await advance(house.database, house.caseworker, batch.numbers, "dispatch", lease_seconds=seconds)


@task(name="deliver", task_run_name="推送 · {count} 项", cache_policy=NO_CACHE, persist_result=False)
async def deliver_planned(batch: Batch, count: int) -> Tally:
    """Send what is due for these cases, to all departments at once."""
    del count
    return await deliver_steps(batch.house, "dispatch", cases=batch.numbers, watch=batch.watch)


async def work_through(house: House, claim: Claim) -> BatchReport:
    """Take the claimed cases through every phase until all of them wait for somebody else, and let them go.

    A department that keeps silent holds up nobody. Once only such are left, the cases are let go, what their answers
    bring wakes them for another batch, and the batch merely sees its deliveries to the end (``house.waiting``).
    """
    report, batch = BatchReport(), Batch(house, claim.numbers)
    shares: set[asyncio.Task[Tally]] = set()
    while True:
        progress = await advance_cases(batch, len(claim.numbers))
        report.issued.update(progress.issued)
        if progress.steps:
            shares.add(asyncio.create_task(deliver_planned(batch, progress.steps.total())))
        elif batch.watch.wakes or not shares:
            break
        await batch.watch.settled(shares)
        shares = _collect(shares, report)
        # What comes from now on finds nobody waiting. The next look still takes up all that came before.
        batch.watch.wakes = bool(shares)
    report.cases = progress.cases
    async with house.database.write("dispatch") as transaction:
        await release(transaction, claim)
    house.waiting.add(claim.lease)
    try:
        if shares:
            await asyncio.wait(shares)
            _collect(shares, report)
    finally:
        house.waiting.discard(claim.lease)
    return report


def _collect(shares: set[asyncio.Task[Tally]], report: BatchReport) -> set[asyncio.Task[Tally]]:
    """Add up the shares that have ended; those that have not. What failed in one is raised."""
    for share in shares:
        if share.done():
            report.steps.update(share.result().outcomes)
    return {share for share in shares if not share.done()}
