"""Time limits (办理时限): departments' own days, and the calendar of working days that every deadline is counted by.

A change of the calendar is looked at first: which deadlines move, from what day to what day. Nothing moves before.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query, sorted_rows
from api.routes.clocks import for_whole_city
from api.state import TheCaller, TheHouse
from services.access import WHOLE_CITY, Caller
from services.errors import InputError
from services.house import House
from services.intake.fields import Day
from services.lexicon import Lexicon
from services.supervision import calendar
from services.supervision.limits import MAX_DAYS, list_limits, set_limit
from services.supervision.words import CAUSE_WORDS
from services.words import CLOCK_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

_SHOWN = 100
_CLOCKS = {**CLOCK_WORDS, "own": CAUSE_WORDS["own"]}
_BY = {
    "days": lambda one: one.days,
    "from": lambda one: one.from_on or date.min,
}


class LimitEntered(Entered):
    """A department's days from a day on; from today where none is given."""

    department: str = Field(pattern="^[a-z-]{1,40}$")
    days: int = Field(ge=1, le=MAX_DAYS)
    from_on: Day | None = None


class DaysEntered(Entered):
    """Days in a row on which offices are open, or shut; one day where no last is given."""

    first: Day
    last: Day | None = None
    working: bool
    note: str | None = Field(default=None, max_length=120)

    def days(self) -> dict[date, bool]:
        """Each of the days; InputError for a last before the first, or for too many."""
        last = self.last or self.first
        count = (last - self.first).days + 1
        if not 1 <= count <= calendar.MAX_DAYS:
            raise InputError(f"give 1 to {calendar.MAX_DAYS} days", place="days")
        return {self.first + timedelta(days=passed): self.working for passed in range(count)}


@router.get("/limits", name="page_limits")
async def page_limits(request: Request, query: Query[ListQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show departments' days and the days set otherwise than published."""
    return await _show(request, house, caller, sort=query.sort or "")


@router.post("/limits", name="page_set_limit")
async def page_set_limit(form: Form[LimitEntered], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Give a department days of its own; what is under way keeps those it was asked with."""
    for_whole_city(caller)
    await set_limit(house, caller.actor, form.department, form.days, form.from_on)
    return RedirectResponse("/console/limits", 303)


@router.post("/limits/calendar/preview", name="page_preview_calendar")
async def page_preview_calendar(
    request: Request, form: Form[DaysEntered], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Show which deadlines a change of the calendar would move. Nothing is changed."""
    for_whole_city(caller)
    seen = await calendar.preview_calendar(house, form.days())
    return await _show(request, house, caller, seen=seen, form=form)


@router.post("/limits/calendar", name="page_set_calendar")
async def page_set_calendar(form: Form[DaysEntered], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Set the days, and move the deadlines in flight."""
    for_whole_city(caller)
    await calendar.set_calendar(house, caller.actor, form.days(), form.note)
    return RedirectResponse("/console/limits#calendar", 303)


async def _show(request: Request, house: House, caller: Caller, *, sort: str = "", **more: Any) -> HTMLResponse:
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    shown: dict[str, Any] = {"seen": None, "form": None} | more
    return page(
        request, "limits.html", limits=sorted_rows(await list_limits(house), sort, _BY), sort=sort,
        days=await calendar.list_calendar(house), clocks=_CLOCKS, shown=_SHOWN, most=MAX_DAYS,
        departments=[words.department(code, today) for code in words.book.departments],
        whole_city=caller.sight == WHOLE_CITY, entered=shown["form"], seen=shown["seen"],
    )  # fmt: skip
