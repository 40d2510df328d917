"""Incidents (异常): what is wrong, grouped by cause, with the steps that share it and what can be done at once."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query, sorted_rows
from api.routes.incidents import MAX_ID, IncidentId, StepId
from api.state import TheCaller, TheHouse
from models import IncidentKind
from services.access import WHOLE_CITY
from services.errors import AccessError
from services.lexicon import Lexicon, Named
from services.operations.contradictions import Found, see_contradictions
from services.operations.watching import IncidentView, list_incidents, past_incidents, show_incident
from services.operations.words import KIND_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

_BY = {
    "told": lambda one: (one.department.zh, one.reason.zh),
    "kind": lambda one: one.kind.zh,
    "owner": lambda one: one.owner.zh,
    "people": lambda one: one.people,
    "steps": lambda one: one.steps,
    "today": lambda one: one.due_today,
    "overdue": lambda one: one.overdue,
    "since": lambda one: one.since,
}


class IncidentListQuery(ListQuery):
    """Which incidents: open or over, of one department, of one kind."""

    state: Literal["open", "closed"] = "open"
    department: str | None = Field(default=None, pattern="^[a-z-]{1,40}$")
    kind: IncidentKind | None = None
    before: int | None = Field(default=None, ge=1, le=MAX_ID)


class StepListQuery(ListQuery):
    """Which page of an incident's steps."""

    after: str | None = Field(default=None, pattern="^[0-9a-z-]{1,80}$")


class Seen(Entered):
    """Which of two answers is right."""

    found: Found
    incident: Annotated[int, Field(ge=1, le=MAX_ID)]


@router.get("/incidents", name="page_incidents")
async def page_incidents(
    request: Request, query: Query[IncidentListQuery], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """List what is wrong, the most pressing first, or what is over."""
    over = query.state == "closed"
    if over:
        found = await past_incidents(
            house, caller.sight, department=query.department, kind=query.kind, before=query.before, limit=query.limit
        )
        words, today = Lexicon(house.packs, None), house.database.clock.today()
        departments = [words.department(code, today) for code in words.book.departments]
    else:
        found = await list_incidents(house, caller.sight)
        departments = list({one.department.code: one.department for one in found}.values())
    rows: list[IncidentView] = sorted_rows(
        [
            one for one in found
            if query.department in (None, one.department.code) and query.kind in (None, one.kind.code)
        ],
        query.sort or "", _BY,
    )  # fmt: skip
    return page(
        request, "incidents.html", rows=rows, query=query, over=over, sort=query.sort or "",
        next=found[-1].id if over and len(found) == query.limit else None, first=query.before is None,
        departments=departments, kinds=[Named.of(code, words) for code, words in KIND_WORDS.items()],
    )  # fmt: skip


@router.get("/incidents/{incident}", name="page_incident")
async def page_incident(
    request: Request, incident: IncidentId, query: Query[StepListQuery], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Show one incident with its steps, page by page."""
    found = await show_incident(house, incident, caller.sight, after=query.after, limit=query.limit)
    return page(
        request, "incident.html", one=found.incident, steps=found.steps, next=found.next, query=query,
        first=query.after is None, whole_city=caller.sight == WHOLE_CITY,
    )  # fmt: skip


@router.post("/incidents/contradictions/{step}", name="page_see_contradiction")
async def page_see_contradiction(
    step: StepId, form: Form[Seen], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Say which of a department's two answers is right."""
    if caller.sight != WHOLE_CITY:
        raise AccessError("this is for the whole city's administrators and coordinators", place="authorization")
    async with house.database.write(caller.actor) as transaction:
        await see_contradictions(transaction, step, form.found)
    return RedirectResponse("/console/incidents", 303)
