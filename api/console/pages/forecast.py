"""The forecast (预测): tier 2, expiries, load by department and school places, as it was last made."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import ListQuery, Query
from api.state import TheCaller, TheHouse
from services.supervision.forecast import Line, catchment_words, read_forecast

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)


@router.get("/forecast", name="page_forecast")
async def page_forecast(request: Request, query: Query[ListQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show what is coming."""
    found = await read_forecast(house, caller.sight)
    return page(
        request, "forecast.html", query=query, found=found, tier2=_whole(found.tier2), expiries=_whole(found.expiries),
        load=sorted(found.load, key=lambda line: -sum(line.numbers)),
        places=[(one, catchment_words(one.catchment)) for one in found.places],
    )  # fmt: skip


def _whole(lines: tuple[Line, ...]) -> list[int]:
    """The sum over districts, month by month."""
    return [sum(numbers) for numbers in zip(*(line.numbers for line in lines), strict=True)]
