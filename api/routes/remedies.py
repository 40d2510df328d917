"""Remedies (处置): asked for by an administrator, approved by a second one; and corrected applications (补正)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.problems import problem
from api.routes.cases import CaseNumber
from api.state import TheCaller, TheDoors, TheHouse
from api.views.remedies import AskedRemedy, CorrectedCase, RemedyList
from api.views.remedies import RemedyFile as RemedyView
from models import RemedyState
from services.access import own_place
from services.casework.receiving import judge
from services.intake.application import Application
from services.remedies.asking import Asked, approve_remedy, ask_remedy, reject_remedy
from services.remedies.corrections import Corrected, take_correction
from services.remedies.orders import AnyOrder, Line
from services.remedies.reading import MAX_PAGE, RemedyFile, RemedyPage, list_remedies, read_remedy

router = APIRouter(prefix="/api/v1", tags=["remedies"], route_class=GuardedRoute)

# As far as both databases count.
_LAST = 2**31 - 1
RemedyId = Annotated[int, Path(ge=1, le=_LAST, description="处置编号 / number of the remedy")]


class RemedyQuery(BaseModel):
    """Which remedies to list."""

    model_config = ConfigDict(extra="forbid")

    state: RemedyState | None = None
    before: int | None = Field(default=None, ge=1, le=_LAST, description="上页的 before / a page's `before`")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


class Approval(BaseModel):
    """A second person's yes."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    because: Line | None = None


class Rejection(BaseModel):
    """A second person's no, with its reason."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    because: Line


@router.post("/remedies", status_code=201, response_model=AskedRemedy, responses=problems(404, 409))
async def create_remedy(order: AnyOrder, doors: TheDoors, caller: TheCaller) -> Asked:
    """Ask for a remedy. It is carried out at once, or waits for a second person if it is about many cases."""
    asked = await ask_remedy(doors.house, caller, order)
    doors.bell.ring()
    return asked


@router.get("/remedies", response_model=RemedyList, responses=problems(422))
async def browse_remedies(query: Annotated[RemedyQuery, Query()], house: TheHouse, caller: TheCaller) -> RemedyPage:
    """List remedies, the newest first."""
    return await list_remedies(house, caller.sight, state=query.state, before=query.before, limit=query.limit)


@router.get("/remedies/{remedy}", response_model=RemedyView, responses=problems(404, 422))
async def show_remedy(remedy: RemedyId, house: TheHouse, caller: TheCaller) -> RemedyFile:
    """Show a remedy with what came of each of its cases."""
    return await read_remedy(house, remedy, caller.sight)


@router.post("/remedies/{remedy}/approve", response_model=AskedRemedy, responses=problems(404, 409, 422))
async def approve(remedy: RemedyId, approval: Approval, doors: TheDoors, caller: TheCaller) -> Asked:
    """Approve what another administrator asked for; it is carried out on the cases that still allow it."""
    asked = await approve_remedy(doors.house, caller, remedy, approval.because)
    doors.bell.ring()
    return asked


@router.post("/remedies/{remedy}/reject", response_model=AskedRemedy, responses=problems(404, 409, 422))
async def reject(remedy: RemedyId, rejection: Rejection, house: TheHouse, caller: TheCaller) -> Asked:
    """Turn down what was asked for; nothing is done."""
    return await reject_remedy(house, caller, remedy, rejection.because)


@router.post("/cases/{number}/correction", response_model=CorrectedCase, responses=problems(404, 409, 422))
async def correct_application(
    number: CaseNumber, application: Application, doors: TheDoors, caller: TheCaller
) -> Corrected | JSONResponse:
    """Hand in the corrected application that a case waits for (补正)."""
    own_place(caller, application.district, application.station)
    if found := judge(doors.house, application):
        return problem(422, detail="see `errors` for each field", errors=found)
    corrected = await take_correction(doors.house, caller, number, application)
    doors.bell.ring()
    return corrected
