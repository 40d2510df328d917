"""The coordinator's overview: today's picture in one screen, every number leading to the list behind it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import GuardedPage
from api.console.frame import page
from api.console.navigation import home_of
from api.console.queries import ListQuery, Query, sorted_rows
from api.state import TheCaller, TheHouse
from services.casework.picture import DepartmentBoard, DistrictBoard, draw_picture
from services.operations.watching import list_incidents

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

_DEPARTMENTS = {
    "open": lambda row: row.open,
    "overdue": lambda row: row.overdue,
    "failed": lambda row: row.failed,
    "oldest": lambda row: -row.oldest.timestamp() if row.oldest else 0,
}
_DISTRICTS = {
    "under_way": lambda row: row.under_way,
    "came": lambda row: row.came,
    "closed": lambda row: row.closed,
    "awaiting": lambda row: row.awaiting,
}
_INCIDENTS_SHOWN = 6


@router.get("", name="page_home")
async def page_home(caller: TheCaller) -> RedirectResponse:
    """Lead everybody to the first page of the own navigation."""
    return RedirectResponse(home_of(caller), 303)


@router.get("/overview", name="page_overview")
async def page_overview(request: Request, query: Query[ListQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show the city, or the district of the reader, as it stands this moment."""
    picture = await draw_picture(house, caller.sight)
    incidents = await list_incidents(house, caller.sight)
    people = sorted(incidents, key=lambda one: -one.people)
    departments: list[DepartmentBoard] = sorted_rows(picture.departments, query.sort or "-open", _DEPARTMENTS)
    districts: list[DistrictBoard] = sorted_rows(picture.districts, query.sort or "-under_way", _DISTRICTS)
    return page(
        request, "overview.html", picture=picture, departments=departments, districts=districts,
        incidents=people[:_INCIDENTS_SHOWN], incident_count=len(incidents), sort=query.sort or "",
    )  # fmt: skip
