"""Resolutions: previewed, asked for, approved by a second person, reported on, and followed to their evidence; and
what-if, for who wants to know before the meeting.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.routes.matters import MAX_ID, Because, Department, Words
from api.state import TheCaller, TheDoors, TheHouse
from api.views.meetings import ActionPreview, Done, ResolutionFile, ResolutionItem, ResolutionList, WhatIfAnswer
from models import ResolutionState
from services.intake.fields import Day
from services.meetings import acting, following, reading, records, resolutions
from services.meetings.actions.work import Preview
from services.meetings.orders import AnyAction
from services.meetings.telling import tell_what_if
from services.meetings.whatif import Change, what_if
from services.remedies.orders import Line

router = APIRouter(prefix="/api/v1", tags=["meetings"], route_class=GuardedRoute)

ResolutionId = Annotated[int, Path(ge=1, le=MAX_ID, description="议定事项编号 / its number")]


class ResolutionQuery(BaseModel):
    """Which resolutions to list."""

    model_config = ConfigDict(extra="forbid")

    state: ResolutionState | None = None
    department: Department | None = None
    overdue: bool = False
    before: int | None = Field(default=None, ge=1, le=MAX_ID)
    limit: int = Field(default=50, ge=1, le=reading.MAX_PAGE)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ActionForm(_Form):
    """The action, or none."""

    action: AnyAction | None = None


class Approving(_Form):
    """A second person's yes."""

    because: Line | None = None


class Reporting(_Form):
    """What the department did."""

    text: Words


class Extending(_Form):
    """More time, as a meeting that sits decided."""

    due_on: Day
    because: Line


@router.get("/resolutions", response_model=ResolutionList, responses=problems(422))
async def list_resolutions(query: Annotated[ResolutionQuery, Query()], house: TheHouse) -> ResolutionList:
    """List resolutions, the newest first."""
    found = await reading.list_resolutions(
        house, query.state, department=query.department, overdue=query.overdue, before=query.before, limit=query.limit
    )
    return ResolutionList(items=[ResolutionItem.model_validate(one) for one in found])


@router.get("/resolutions/{resolution}", response_model=ResolutionFile, responses=problems(404, 422))
async def show_resolution(resolution: ResolutionId, house: TheHouse) -> records.ResolutionFile:
    """Show a resolution with its action, its evidence and its cases."""
    return await reading.show_resolution(house, resolution)


@router.post("/resolutions/{resolution}/action", status_code=204, responses=problems(403, 404, 409, 422))
async def set_resolution_action(resolution: ResolutionId, form: ActionForm, house: TheHouse, caller: TheCaller) -> None:
    """Give a resolution another action, or none, before it is asked for."""
    action = form.action.model_dump(mode="json", exclude_none=True) if form.action is not None else None
    await resolutions.set_action(house, caller, resolution, action)


@router.get("/resolutions/{resolution}/preview", response_model=ActionPreview, responses=problems(404, 409, 422))
async def preview_resolution(resolution: ResolutionId, house: TheHouse) -> Preview:
    """Show what would come of the action now; nothing is done."""
    return await acting.preview_action(house, resolution)


@router.post("/resolutions/{resolution}/ask", response_model=ActionPreview, responses=problems(403, 404, 409, 422))
async def ask_resolution(resolution: ResolutionId, house: TheHouse, caller: TheCaller) -> Preview:
    """Ask for the action to be carried out; another person has to approve."""
    return await acting.ask_action(house, caller, resolution)


@router.post("/resolutions/{resolution}/approve", response_model=Done, responses=problems(403, 404, 409, 422))
async def approve_resolution(resolution: ResolutionId, form: Approving, doors: TheDoors, caller: TheCaller) -> Done:
    """Approve the action; it is carried out."""
    done = await acting.approve_action(doors.house, caller, resolution, form.because)
    doors.bell.ring()
    return Done(done=done)


@router.post("/resolutions/{resolution}/reject", status_code=204, responses=problems(403, 404, 409, 422))
async def reject_resolution(resolution: ResolutionId, given: Because, house: TheHouse, caller: TheCaller) -> None:
    """Turn the action down; nothing is done, and it may be changed."""
    await acting.reject_action(house, caller, resolution, given.because)


@router.post("/resolutions/{resolution}/report", status_code=204, responses=problems(403, 404, 409, 422))
async def report_resolution(resolution: ResolutionId, form: Reporting, house: TheHouse, caller: TheCaller) -> None:
    """Say what was done, as the department that owes it or helps. That alone closes nothing."""
    await resolutions.report(house, caller, resolution, form.text)


@router.post("/resolutions/{resolution}/confirm", status_code=204, responses=problems(403, 404, 409, 422))
async def confirm_resolution(resolution: ResolutionId, given: Because, house: TheHouse, caller: TheCaller) -> None:
    """Close a resolution on what was reported, where nothing in the ledger could tell."""
    await following.confirm(house, caller, resolution, given.because)


@router.post("/resolutions/{resolution}/extend", status_code=204, responses=problems(403, 404, 409, 422))
async def extend_resolution(resolution: ResolutionId, form: Extending, house: TheHouse, caller: TheCaller) -> None:
    """Give a resolution more time, while a meeting sits."""
    await resolutions.extend(house, caller, resolution, form.due_on, form.because)


@router.post("/resolutions/{resolution}/revoke", status_code=204, responses=problems(403, 404, 409, 422))
async def revoke_resolution(resolution: ResolutionId, given: Because, house: TheHouse, caller: TheCaller) -> None:
    """Take a resolution back of which nothing was carried out."""
    await resolutions.revoke(house, caller, resolution, given.because)


@router.post("/what-if", response_model=WhatIfAnswer, responses=problems(404, 422))
async def ask_what_if(change: Change, house: TheHouse) -> WhatIfAnswer:
    """Ask what a parameter or a clause changed would bring: counts by service, district, department and month."""
    return WhatIfAnswer.model_validate(tell_what_if(house, await what_if(house, change)))
