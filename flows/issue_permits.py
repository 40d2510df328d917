"""Verify, decide, issue, provision: a batch of cases from application to services opened."""

from __future__ import annotations

from typing import Any

from prefect import flow, runtime

from flows.artifacts import publish_batch
from flows.failures import blameless
from flows.phases import work_through
from services.house import open_house
from services.ledger.cases import claim_numbers


def _run_name() -> str:
    return f"办理居住证 · {len(runtime.flow_run.parameters.get('case_ids') or ())} 件"


@flow(name="issue_permits", flow_run_name=_run_name, persist_result=False, validate_parameters=False)
async def issue_permits(case_ids: list[str], lease: str | None = None) -> dict[str, Any]:
    """Work on the cases ``case_ids`` (case numbers). ``lease``: under which the dispatcher handed them over.

    Safe to run again: cases in other hands, or with nothing left to do, are left as they are. Returns cases by state.
    """
    async with open_house() as house:
        async with house.database.write("dispatch") as transaction:
            now, seconds = house.database.clock.now(), house.settings.lease_seconds
            claim = await claim_numbers(transaction, case_ids, lease, now, seconds, runtime.flow_run.id)
        if not claim.numbers:
            return {}
        try:
            report = await work_through(house, claim)
        except Exception as failure:
            if blameless(failure):
                house.unworked.append(claim)
            raise
        await publish_batch(house, report)
    return dict(report.cases)
