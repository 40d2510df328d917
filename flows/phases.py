"""The phases every batch of cases goes through, as Prefect tasks: advance, deliver, advance, deliver, advance.

A phase is one task however many departments it sends to: a task run costs Prefect several times what a whole case
costs us, and what each department was sent stands in the run's table and in the ledger.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from prefect import task
from prefect.cache_policies import NO_CACHE

from services.casework.advance import Progress, advance
from services.casework.deliveries import Tally, deliver_until_silent
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


@task(name="advance", task_run_name="推进 · {count} 件", cache_policy=NO_CACHE, persist_result=False)
async def advance_cases(batch: Batch, count: int) -> Progress:
    """Plan and write what each case needs next: verification, decision and permit, services, closing."""
    del count
    house = batch.house
    seconds = house.settings.lease_seconds
    return await advance(house.database, house.caseworker, batch.numbers, "dispatch", lease_seconds=seconds)


@task(name="deliver", task_run_name="推送 · {count} 项", cache_policy=NO_CACHE, persist_result=False)
async def deliver_planned(batch: Batch, count: int) -> Tally:
    """Send what is due for these cases, to all departments at once; the silent are left to the house."""
    del count
    return await deliver_until_silent(batch.house, "dispatch", cases=batch.numbers, watch=Watch(wakes=False))


async def work_through(house: House, claim: Claim) -> BatchReport:
    """Take the claimed cases through every phase until all of them wait for somebody else, and let them go.

    A department that keeps silent holds up nobody: the batch goes on without it and ends, the house sees its deliveries
    through, and what its answer brings wakes the case for another batch.
    """
    report, batch = BatchReport(), Batch(house, claim.numbers)
    while True:
        progress = await advance_cases(batch, len(claim.numbers))
        report.issued.update(progress.issued)
        if not progress.steps:
            break
        tally = await deliver_planned(batch, progress.steps.total())
        report.steps.update(tally.outcomes)
    report.cases = progress.cases
    async with house.database.write("dispatch") as transaction:
        await release(transaction, claim)
    return report
