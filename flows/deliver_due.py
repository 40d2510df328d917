"""Attempts whose time has come: retries, and what a killed flow left behind."""

from __future__ import annotations

from typing import Any

from prefect import flow

from flows.artifacts import publish_deliveries
from services.casework.deliveries import deliver_until_silent
from services.house import open_house


@flow(name="deliver_due", flow_run_name="推送到期事项", persist_result=False)
async def deliver_due(limit: int = 1_000) -> dict[str, Any]:
    """Send what is due, up to ``limit`` steps a department, and wake the cases that got an answer.

    Departments that another delivery of this process serves are passed over, and those that keep silent are left to the
    house. Returns steps by state.
    """
    async with open_house() as house:
        tally = await deliver_until_silent(house, "dispatch", limit=limit)
        if tally.sent:
            await publish_deliveries(house, tally)
    states: dict[str, int] = {}
    for (_, state), count in tally.outcomes.items():
        states[state] = states.get(state, 0) + count
    return states
