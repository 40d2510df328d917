"""What is coming, once a week: made over all permits, kept as counts."""

from __future__ import annotations

from prefect import flow

from services.house import open_house
from services.supervision.forecast import make_forecast


@flow(name="forecast", flow_run_name="预测", persist_result=False)
async def forecast() -> dict[str, int]:
    """Make the forecast anew. Safe to run again. Returns over how many permits it was made."""
    async with open_house() as house:
        return {"permits": await make_forecast(house, "forecast")}
