"""Matters of the joint meeting: what comes before it by itself, what members put forward, answers and comments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.state import TheCaller, TheHouse
from api.views.meetings import Made, MatterFile, MatterItem, MatterList
from models import MatterState
from services.meetings import handling, reading, records
from services.meetings.matters import gather
from services.remedies.orders import Line

router = APIRouter(prefix="/api/v1/matters", tags=["meetings"], route_class=GuardedRoute)

MAX_ID = 2_147_483_647
MatterId = Annotated[int, Path(ge=1, le=MAX_ID, description="议题编号 / its number")]
Department = Annotated[str, Field(pattern=r"^[a-z-]{1,40}$", description="部门代码 / code of a department")]
Words = Annotated[str, Field(min_length=1, max_length=1_000, description="不得含个人信息 / nothing personal")]


class MatterQuery(BaseModel):
    """Which matters to list."""

    model_config = ConfigDict(extra="forbid")

    state: MatterState | None = None
    before: int | None = Field(default=None, ge=1, le=MAX_ID)
    limit: int = Field(default=50, ge=1, le=reading.MAX_PAGE)


class Proposal(BaseModel):
    """What a member puts forward. ``about``: the service, fact, clause or parameter that it is about."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    department: Department
    text: Words
    about: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,40}$")


class Remark(BaseModel):
    """What a department says to a matter."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    department: Department
    text: Words


class Because(BaseModel):
    """A reason."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    because: Line


@router.get("", response_model=MatterList, responses=problems(422))
async def list_matters(query: Annotated[MatterQuery, Query()], house: TheHouse) -> MatterList:
    """List matters, the newest first. What came up since is gathered first."""
    await gather(house)
    found = await reading.list_matters(house, query.state, before=query.before, limit=query.limit)
    return MatterList(items=[MatterItem.model_validate(one) for one in found])


@router.get("/{matter}", response_model=MatterFile, responses=problems(404, 422))
async def show_matter(matter: MatterId, house: TheHouse) -> records.MatterFile:
    """Show a matter with its paper as it stands now."""
    return await reading.show_matter(house, matter)


@router.post("", status_code=201, response_model=Made, responses=problems(403, 404))
async def put_matter_forward(proposal: Proposal, house: TheHouse, caller: TheCaller) -> Made:
    """Put a matter forward. The same text of the same department again is the same matter."""
    return Made(id=await handling.put_forward(house, caller, proposal.department, proposal.text, proposal.about))


@router.post("/{matter}/answer", status_code=204, responses=problems(403, 404, 409, 422))
async def answer_matter(matter: MatterId, remark: Remark, house: TheHouse, caller: TheCaller) -> None:
    """Answer a matter, as the department that has to."""
    await handling.remark(house, caller, matter, remark.department, remark.text, answer=True)


@router.post("/{matter}/comments", status_code=204, responses=problems(403, 404, 409, 422))
async def comment_on_matter(matter: MatterId, remark: Remark, house: TheHouse, caller: TheCaller) -> None:
    """Comment on a matter, as a member or an associate."""
    await handling.remark(house, caller, matter, remark.department, remark.text, answer=False)


@router.post("/{matter}/off", status_code=204, responses=problems(403, 404, 409, 422))
async def take_matter_off(matter: MatterId, given: Because, house: TheHouse, caller: TheCaller) -> None:
    """Take a matter off that is not to come before the meeting; a department takes back only what is its own."""
    await handling.take_off(house, caller, matter, given.because)
