"""Retries: an administrator looks at what would be sent again, starts it, and watches it to its end."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.routes.incidents import MAX_ID
from api.state import TheCaller, TheDoors, TheHouse
from api.views.retries import Retry, RetryList
from models import IncidentKind
from services.access import WHOLE_CITY, Caller
from services.errors import AccessError
from services.operations import retries
from services.operations.retries import MAX_CANARY, RetryView
from services.operations.selection import Selection

router = APIRouter(prefix="/api/v1/retries", tags=["operations"], route_class=GuardedRoute)

RetryId = Annotated[int, Path(ge=1, le=MAX_ID, description="批次编号 / its number")]


class RetryForm(BaseModel):
    """What is to be sent again: one step, one case's steps, an incident, or all that fit the filters given."""

    model_config = ConfigDict(extra="forbid")

    step: str | None = Field(default=None, pattern="^[0-9a-z-]{1,80}$")
    case: str | None = Field(default=None, pattern="^[0-9a-z-]{1,40}$")
    incident: int | None = Field(default=None, ge=1, le=MAX_ID)
    department: str | None = Field(default=None, pattern="^[a-z-]{1,40}$")
    kind: IncidentKind | None = None
    reason: str | None = Field(default=None, pattern="^[0-9a-z:-]{1,200}$")
    district: str | None = Field(default=None, pattern="^[0-9a-z-]{1,24}$")
    canary: int = Field(default=1, ge=1, le=MAX_CANARY, description="每部门先试几项 / first steps of each department")

    def selection(self) -> Selection:
        """The selection that the services take."""
        return Selection(**self.model_dump(exclude={"canary"}))


class RetryQuery(BaseModel):
    """Which page: retries made before the one numbered ``before``."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(default=None, ge=1, le=MAX_ID)
    limit: int = Field(default=50, ge=1, le=200)


@router.post("", response_model=Retry, status_code=201, responses=problems(404, 409))
async def preview_retry(form: RetryForm, house: TheHouse, caller: TheCaller) -> RetryView:
    """Choose what is to be sent again and see what would come of it. Nothing is sent until it is started."""
    _whole_city(caller)
    return await retries.preview_retry(house, form.selection(), caller.actor, form.canary)


@router.get("", response_model=RetryList, responses=problems(422))
async def list_retries(query: Annotated[RetryQuery, Query()], house: TheHouse, caller: TheCaller) -> RetryList:
    """List retries, the newest first."""
    _whole_city(caller)
    found = await retries.list_retries(house, before=query.before, limit=query.limit)
    return RetryList(items=[Retry.model_validate(one) for one in found])


@router.get("/{retry}", response_model=Retry, responses=problems(404, 422))
async def show_retry(retry: RetryId, house: TheHouse, caller: TheCaller) -> RetryView:
    """Show how far a retry is."""
    _whole_city(caller)
    return await retries.show_retry(house, retry)


@router.post("/{retry}/start", response_model=Retry, responses=problems(404, 409))
async def start_retry(retry: RetryId, doors: TheDoors, caller: TheCaller) -> RetryView:
    """Start it: the first steps of each department go out; when they are confirmed, the rest."""
    _whole_city(caller)
    started = await retries.start_retry(doors.house, retry, caller.actor)
    doors.bell.ring()
    return started


@router.post("/{retry}/pause", response_model=Retry, responses=problems(404, 409))
async def pause_retry(retry: RetryId, house: TheHouse, caller: TheCaller) -> RetryView:
    """Send nothing more of it. Within 5 seconds: steps whose turn was fixed already still go."""
    _whole_city(caller)
    return await retries.pause_retry(house, retry, caller.actor)


@router.post("/{retry}/resume", response_model=Retry, responses=problems(404, 409))
async def resume_retry(retry: RetryId, doors: TheDoors, caller: TheCaller) -> RetryView:
    """Go on; where the first steps failed, others are tried first."""
    _whole_city(caller)
    resumed = await retries.resume_retry(doors.house, retry, caller.actor)
    doors.bell.ring()
    return resumed


@router.post("/{retry}/cancel", response_model=Retry, responses=problems(404, 409))
async def cancel_retry(retry: RetryId, house: TheHouse, caller: TheCaller) -> RetryView:
    """End it; what was not sent again is left as it is."""
    _whole_city(caller)
    return await retries.cancel_retry(house, retry, caller.actor)


def _whole_city(caller: Caller) -> None:
    """A retry may reach over districts, so that its counts are for the whole city's staff."""
    if caller.sight != WHOLE_CITY:
        raise AccessError("retries are for the whole city's staff; your key is for a part of it", place="authorization")
