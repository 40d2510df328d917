"""What changes by time alone: tiers, birthdays, expiry. Cost follows what changes today, not what is stored."""

from __future__ import annotations

from typing import Any

from prefect import flow

from flows.artifacts import publish_batch
from flows.phases import BatchReport, work_through
from services.house import open_house
from services.ledger.cases import claim_review
from services.revisions.looking import look_through


@flow(name="reconcile", flow_run_name="逐日核对", persist_result=False)
async def reconcile(limit: int = 400) -> dict[str, Any]:
    """Take every case whose answer changes today or changed on a day missed, in batches of ``limit``.

    Safe to run again: a second run on the same day finds nothing. Returns the cases looked at, by state.
    """
    whole = BatchReport()
    async with open_house() as house:
        clock = house.database.clock
        # Whom rules to come will change is known before their day.
        await look_through(house, "reconcile")
        while True:
            async with house.database.write("reconcile") as transaction:
                seconds = house.settings.lease_seconds
                claim = await claim_review(transaction, clock.today(), clock.now(), limit, seconds)
            if not claim.numbers:
                break
            report = await work_through(house, claim)
            whole.cases.update(report.cases)
            whole.steps.update(report.steps)
        if whole.cases:
            await publish_batch(house, whole)
    return dict(whole.cases)
