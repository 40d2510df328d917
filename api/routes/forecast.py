"""The forecast: what is coming, as it was last made."""

from __future__ import annotations

from fastapi import APIRouter

from api.access import GuardedRoute
from api.state import TheCaller, TheHouse
from api.views.appraisal import ForecastAnswer
from services.supervision.forecast import ForecastView, read_forecast

router = APIRouter(prefix="/api/v1/forecast", tags=["supervision"], route_class=GuardedRoute)


@router.get("", response_model=ForecastAnswer)
async def show_forecast(house: TheHouse, caller: TheCaller) -> ForecastView:
    """Show tier 2 by month, school places next September, expiries, and steps by department."""
    return await read_forecast(house, caller.sight)
