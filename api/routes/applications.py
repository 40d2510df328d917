"""Handing in applications (ZB87-2.0b)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api.access import GuardedRoute
from api.openapi import problems
from api.problems import problem
from api.state import TheCaller, TheDoors
from api.views.cases import Submitted
from api.views.words import Code
from services.casework.receiving import receive_application
from services.intake.application import Application
from services.words import CASE_WORDS

router = APIRouter(prefix="/api/v1", tags=["cases"], route_class=GuardedRoute)

_AGAIN: dict[int | str, dict[str, Any]] = {
    200: {"model": Submitted, "description": "此前已收件，内容相同 / received before, with the same content"}
}


@router.post("/applications", status_code=201, response_model=Submitted, responses=_AGAIN | problems(409))
async def submit_application(
    application: Application, doors: TheDoors, caller: TheCaller, response: Response
) -> Submitted | JSONResponse:
    """Hand in one application: a new case (201), or the case that the same application opened before (200)."""
    received = await receive_application(doors.house, caller, application)
    if received.number is None or received.state is None:
        if received.stands:
            return problem(409, "conflict", "nothing was registered; see `errors`", errors=received.problems)
        return problem(422, detail="see `errors` for each field", errors=received.problems)
    response.status_code = 201 if received.new else 200
    response.headers["Location"] = f"/api/v1/cases/{received.number}"
    if received.new:
        doors.bell.ring()
    state = received.state
    return Submitted(number=received.number, state=Code(code=state.value, **CASE_WORDS[state.value]._asdict()))
