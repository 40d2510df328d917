"""What is kept too long, once a day: departments' words, and the people of cases refused or withdrawn."""

from __future__ import annotations

from dataclasses import asdict

from prefect import flow

from services.house import open_house
from services.upkeep.retention import retain as remove


@flow(name="retain", flow_run_name="留存期限清理", persist_result=False)
async def retain() -> dict[str, int]:
    """Remove what is over its time by the settings. Safe to run again. Returns how much of each kind."""
    async with open_house() as house:
        return asdict(await remove(house, "retain"))
