"""One case: its way through the departments, its story, its services, what was sent, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import GuardedPage
from api.console.frame import page
from api.console.pages.remedies import offered
from api.console.queries import ListQuery, Query, sorted_rows
from api.console.way import draw_way
from api.routes.cases import CaseNumber
from api.state import TheCaller, TheDoors, TheHouse
from services.doors.replay import resend
from services.dossiers.prospects import Prospect, read_prospects
from services.dossiers.reading import read_case
from services.dossiers.stories import StoryEvent, tell_story
from services.policy.text import Text
from services.supervision.board import CardFilter, list_cards
from services.supervision.clocks import read_clocks

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

StepId = Annotated[str, Path(pattern="^[0-9a-z-]{1,80}$")]
# How a kind of event looks in the timeline; the others are plain.
_TONES = {
    "issued": "good", "closed": "good", "answered": "good", "opened": "good",
    "refused": "bad", "attempt": "bad", "declined": "bad", "failed": "bad", "set-aside": "bad", "contradicted": "bad",
    "correction": "warn", "waived": "warn", "cancelled": "warn",
}  # fmt: skip
# Services by what the engine says of them, as the reader may want them first.
_ORDER = ("granted", "unknown", "upcoming", "unmet", "public")
_SERVICES = {
    "service": lambda row: row.service.zh,
    "department": lambda row: row.department.zh,
    "from": lambda row: str(row.from_on or "9999"),
}


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as the timeline shows it."""

    at: datetime
    who: Text
    words: StoryEvent
    details: tuple[Text, ...]
    tone: str


@router.get("/cases/{number}", name="page_case")
async def page_case(
    request: Request, number: CaseNumber, query: Query[ListQuery], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Show a case as far as it is the reader's to see."""
    case = await read_case(house, number, caller.sight)
    story = await tell_story(house, number, caller.sight)
    services: list[Prospect] = sorted_rows(
        await read_prospects(house, number, caller.sight), query.sort or "", _SERVICES
    )
    times = await read_clocks(house, number, caller.sight)
    cards = await list_cards(house, caller.sight, CardFilter(case=number))
    events = [
        Happened(event.at, event.actor_words, event, event.details, _TONES.get(event.kind, "plain"))
        for event in reversed(story.events)
    ]
    clocks = [one for one in times.clocks if one.subject == number]
    return page(
        request, "case.html", case=case, story=story, stages=draw_way(case), events=events, services=services,
        groups=_groups(services), clocks=clocks, times=times, cards=cards.items, sort=query.sort or "",
        remedies=offered(house, case), about=number,
    )  # fmt: skip


@router.post("/cases/{number}/steps/{step}/resend", name="page_resend_step")
async def page_resend_step(number: CaseNumber, step: StepId, doors: TheDoors, caller: TheCaller) -> RedirectResponse:
    """Send one message of the case again."""
    case = await read_case(doors.house, number, caller.sight)
    department = next((one.department.code for one in case.steps if one.id == step), "")
    await resend(doors.house, department, step, caller.actor)
    doors.bell.ring()
    return RedirectResponse(f"/console/cases/{number}#messages", 303)


def _groups(services: list[Prospect]) -> list[tuple[Prospect, list[Prospect]]]:
    """Services by what the engine says of them, each group with its first for its words."""
    found = ([one for one in services if one.answer.code == code] for code in _ORDER)
    return [(group[0], group) for group in found if group]
