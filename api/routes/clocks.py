"""Clocks of cases and steps, departments' own time limits, and the calendar they are counted by."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.state import TheCaller, TheHouse
from api.views.cards import CalendarChange, CalendarDayItem, CalendarList, CaseTimes, LimitItem, LimitList, MovedItem
from services.access import WHOLE_CITY, Caller
from services.errors import AccessError
from services.intake.fields import Day
from services.supervision import calendar, clocks, limits

router = APIRouter(prefix="/api/v1", tags=["supervision"], route_class=GuardedRoute)

_SHOWN = 200
CaseNumber = Annotated[str, Path(pattern="^[0-9a-z-]{1,40}$", description="办件编号 / the case's number")]


class LimitForm(BaseModel):
    """How many working days a department has for steps asked from a day on (today, if left out)."""

    model_config = ConfigDict(extra="forbid")

    department: str = Field(pattern="^[a-z-]{1,40}$")
    days: int = Field(ge=1, le=limits.MAX_DAYS)
    from_on: Day | None = None


class CalendarForm(BaseModel):
    """Days, and whether offices are open on each."""

    model_config = ConfigDict(extra="forbid")

    days: dict[Day, bool] = Field(min_length=1, max_length=calendar.MAX_DAYS)
    note: str | None = Field(default=None, max_length=120)


@router.get("/cases/{number}/clocks", response_model=CaseTimes, responses=problems(404, 422))
async def show_clocks(number: CaseNumber, house: TheHouse, caller: TheCaller) -> clocks.CaseTimes:
    """Show a case's clocks, what stopped them, and to whom its time is charged."""
    return await clocks.read_clocks(house, number, caller.sight)


@router.get("/limits", response_model=LimitList)
async def list_limits(house: TheHouse) -> LimitList:
    """List how many working days each department has for a step."""
    return LimitList(items=[LimitItem.model_validate(one) for one in await limits.list_limits(house)])


@router.post("/limits", response_model=LimitItem, responses=problems(403, 404, 422))
async def set_limit(form: LimitForm, house: TheHouse, caller: TheCaller) -> limits.Limit:
    """Give a department days of its own; what is under way keeps those it was asked with."""
    for_whole_city(caller)
    return await limits.set_limit(house, caller.actor, form.department, form.days, form.from_on)


@router.get("/calendar", response_model=CalendarList)
async def list_calendar(house: TheHouse) -> CalendarList:
    """List the days set otherwise than published."""
    return CalendarList(items=[CalendarDayItem.model_validate(one) for one in await calendar.list_calendar(house)])


@router.post("/calendar/preview", response_model=CalendarChange, responses=problems(422))
async def preview_calendar(form: CalendarForm, house: TheHouse) -> CalendarChange:
    """Show which deadlines in flight a change would move. Nothing is changed."""
    return _change(await calendar.preview_calendar(house, form.days))


@router.post("/calendar", response_model=CalendarChange, responses=problems(403, 422))
async def set_calendar(form: CalendarForm, house: TheHouse, caller: TheCaller) -> CalendarChange:
    """Set days open or shut, and move the deadlines in flight."""
    for_whole_city(caller)
    return _change(await calendar.set_calendar(house, caller.actor, form.days, form.note))


def _change(made: calendar.CalendarChange) -> CalendarChange:
    shown = [MovedItem.model_validate(one) for one in made.moved[:_SHOWN]]
    return CalendarChange(cases=made.cases, by_clock=made.by_clock, moved=shown)


def for_whole_city(caller: Caller) -> None:
    """Limits and the calendar hold for the whole city: AccessError for who works for a part of it."""
    if caller.sight != WHOLE_CITY:
        raise AccessError("this is for the whole city's coordinators and administrators", place="authorization")
