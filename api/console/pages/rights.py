"""The rights notice on a page: the same as on paper, to read out at the window or to print from the browser."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.access import GuardedPage
from api.console.frame import page
from api.routes.cases import CaseNumber
from api.state import TheCaller, TheHouse
from services.notices.rights import read_rights_notice

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)


@router.get("/cases/{number}/rights", name="page_rights")
async def page_rights(request: Request, number: CaseNumber, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show what the holder has, what comes when, and what waits for whom."""
    return page(request, "rights.html", notice=await read_rights_notice(house, number, caller.sight))
