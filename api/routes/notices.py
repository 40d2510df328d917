"""Notices for applicants and holders: to read (masked), and as PDF to hand over (the name opened, which is logged)."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Response

from api.access import GuardedRoute
from api.openapi import problems
from api.routes.cases import CaseNumber
from api.state import TheCaller, TheHouse
from api.views.notices import Receipt, RightsNotice
from services.notices import receipt, rights
from services.notices.documents import chinese_fonts, to_pdf
from services.notices.handing import hand_over_receipt, hand_over_rights

router = APIRouter(prefix="/api/v1/cases/{number}", tags=["notices"], route_class=GuardedRoute)

PDF: Final = "application/pdf"
_PDF: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "一页 A4 / one A4 page", "content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/rights-notice", response_model=RightsNotice, responses=problems(404, 409, 422))
async def show_rights_notice(number: CaseNumber, house: TheHouse, caller: TheCaller) -> rights.RightsNotice:
    """Show what the holder has, what comes when, and what waits for whom."""
    return await rights.read_rights_notice(house, number, caller.sight)


@router.get("/rights-notice.pdf", response_class=Response, responses=_PDF | problems(404, 409, 422, 503))
async def print_rights_notice(number: CaseNumber, house: TheHouse, caller: TheCaller) -> Response:
    """Print the rights notice, with the holder's name."""
    chinese_fonts()
    notice = await hand_over_rights(house, caller, number)
    return _file(await asyncio.to_thread(to_pdf, notice), f"rights-{number}")


@router.get("/receipt", response_model=Receipt, responses=problems(404, 409, 422))
async def show_receipt(number: CaseNumber, house: TheHouse, caller: TheCaller) -> receipt.Receipt:
    """Show the receipt: who is asked what, and by when it is answered."""
    return await receipt.read_receipt(house, number, caller.sight)


@router.get("/receipt.pdf", response_class=Response, responses=_PDF | problems(404, 409, 422, 503))
async def print_receipt(number: CaseNumber, house: TheHouse, caller: TheCaller) -> Response:
    """Print the receipt, with the applicant's name."""
    chinese_fonts()
    told = await hand_over_receipt(house, caller, number)
    return _file(await asyncio.to_thread(to_pdf, told), f"receipt-{number}")


def _file(pdf: bytes, name: str) -> Response:
    headers = {"content-disposition": f'inline; filename="{name}.pdf"', "cache-control": "no-store"}
    return Response(pdf, media_type=PDF, headers=headers)
