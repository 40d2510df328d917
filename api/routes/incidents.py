"""Incidents: what went wrong, told once a cause, with what hangs on it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.state import TheCaller, TheHouse
from api.views.incidents import ContradictionSeen, IncidentFile, IncidentItem, IncidentList
from services.access import WHOLE_CITY
from services.errors import AccessError
from services.operations import watching
from services.operations.contradictions import Found, see_contradictions

router = APIRouter(prefix="/api/v1/incidents", tags=["operations"], route_class=GuardedRoute)

MAX_ID = 2_147_483_647
IncidentId = Annotated[int, Path(ge=1, le=MAX_ID, description="异常编号 / its number")]
StepId = Annotated[str, Path(pattern="^[0-9a-z-]{1,80}$", description="协办事项编号 / the step's id")]


class IncidentQuery(BaseModel):
    """Which incidents: open ones, or those that are over, opened before the one numbered ``before``."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "closed"] = "open"
    before: int | None = Field(default=None, ge=1, le=MAX_ID)
    limit: int = Field(default=50, ge=1, le=watching.MAX_PAGE)


class StepQuery(BaseModel):
    """Which page of an incident's steps: those after the id ``after``."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(default=None, pattern="^[0-9a-z-]{1,80}$")
    limit: int = Field(default=50, ge=1, le=watching.MAX_PAGE)


class ContradictionForm(BaseModel):
    """What somebody who looked found: which of the two answers is right."""

    model_config = ConfigDict(extra="forbid")

    found: Found


@router.get("", response_model=IncidentList, responses=problems(422))
async def list_incidents(query: Annotated[IncidentQuery, Query()], house: TheHouse, caller: TheCaller) -> IncidentList:
    """List what is wrong in the caller's sight. All open incidents are given at once: there are few causes."""
    if query.state == "open":
        found = await watching.list_incidents(house, caller.sight)
    else:
        found = await watching.past_incidents(house, caller.sight, before=query.before, limit=query.limit)
    return IncidentList(items=[IncidentItem.model_validate(one) for one in found])


@router.get("/{incident}", response_model=IncidentFile, responses=problems(404, 422))
async def show_incident(
    incident: IncidentId, query: Annotated[StepQuery, Query()], house: TheHouse, caller: TheCaller
) -> watching.IncidentFile:
    """Show an incident with its steps, page by page."""
    return await watching.show_incident(house, incident, caller.sight, after=query.after, limit=query.limit)


@router.post("/contradictions/{step}/seen", response_model=ContradictionSeen, responses=problems(403, 409))
async def see_contradiction(
    step: StepId, form: ContradictionForm, house: TheHouse, caller: TheCaller
) -> ContradictionSeen:
    """Say that somebody has looked at a department's contradictory answers, and which is right. What was said first
    stands; where it is wrong, putting it right is a remedy of its own.
    """
    if caller.sight != WHOLE_CITY:
        raise AccessError("this is for the whole city's administrators and coordinators", place="authorization")
    async with house.database.write(caller.actor) as transaction:
        return ContradictionSeen(seen=await see_contradictions(transaction, step, form.found))
