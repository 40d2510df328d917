"""Meetings (会议): the agenda with its papers, the sitting as it goes on, and the minutes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.pages.matters import Because, MatterId, speakers
from api.console.queries import Entered, Form, ListQuery, Query
from api.state import TheCaller, TheHouse
from services.house import House
from services.intake.fields import Day
from services.lexicon import Lexicon, Named
from services.meetings import agenda, minutes, reading, sitting
from services.meetings.orders import KINDS
from services.meetings.resolutions import Agreed, record_resolution
from services.meetings.words import ACTION_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

MeetingId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
# What the form offers; a change of another kind is written as JSON over HTTP or at the command line.
_OFFERED = tuple(kind for kind in KINDS if kind != "amend")


class MeetingQuery(ListQuery):
    """Which meetings to list."""

    before: int | None = Field(default=None, ge=1, le=2**31 - 1)


class Convening(Entered):
    """A meeting beside the regular ones."""

    held_on: Day


class Opening(Entered):
    """Who leads the sitting."""

    chair: str = Field(max_length=80)


class Presence(Entered):
    """Whether a department is there."""

    department: str = Field(max_length=40)
    present: bool = False
    delegate: str | None = Field(default=None, max_length=80)


class ResolutionEntered(Entered):
    """What was agreed; which fields the action asks for, its kind says."""

    matter: int = Field(ge=1, le=2**31 - 1)
    text: str = Field(max_length=1_000)
    department: str = Field(max_length=40)
    helpers: list[str] = Field(default=[], max_length=30)
    due_on: Day
    action: str | None = None
    yes: bool = True
    fact: str | None = None
    clause: str | None = None
    services: str | None = Field(default=None, max_length=4_000)
    owner: str | None = None
    parameter: str | None = None
    number: int | None = None
    from_on: Day | None = None
    until_on: Day | None = None

    def content(self) -> dict[str, Any] | None:
        """The action's JSON, with what its kind asks for and nothing else; None without one."""
        first = self.from_on.isoformat() if self.from_on is not None else None
        last = self.until_on.isoformat() if self.until_on is not None else None
        asked: dict[str, dict[str, Any]] = {
            "accept-ground": {"value": self.yes},
            "decide-fact": {"fact": self.fact, "value": self.yes, "department": self.owner or self.department},
            "waive": {"clause": self.clause},
            "hand-over": {"services": (self.services or "").split(), "to": self.owner, "from_on": first},
            "set-parameter": {"parameter": self.parameter, "value": self.number, "from_on": first},
            "retry": {},
            "outage": {
                "department": self.owner or self.department,
                "from_at": f"{first}T00:00:00+08:00",
                "until_at": f"{last}T23:59:00+08:00",
                "note": self.text[:200],
            },
        }
        return None if self.action is None else {"kind": self.action} | asked.get(self.action, {})


class Drafting(Entered):
    """What a new version corrects."""

    because: str | None = Field(default=None, max_length=400)


class Signing(Entered):
    """The digest of the version that was looked at."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


def _choices(house: House) -> dict[str, Any]:
    """What the form of a resolution offers."""
    words, book = Lexicon(house.packs, None), house.packs.packs[-1]
    return {
        "actions": [Named.of(kind, ACTION_WORDS[kind]) for kind in _OFFERED],
        "facts": [words.fact(code) for code in book.facts],
        "parameters": [Named(one.code, one.source.zh, one.source.en) for one in book.parameters.values()],
    }


@router.get("/meetings", name="page_meetings")
async def page_meetings(request: Request, query: Query[MeetingQuery], house: TheHouse) -> HTMLResponse:
    """List meetings; the one at hand first to be seen."""
    found = await reading.list_meetings(house, before=query.before, limit=query.limit)
    at_hand = await reading.meeting_at_hand(house)
    return page(
        request, "meetings.html", rows=found, query=query, first=query.before is None,
        next=found[-1].id if len(found) == query.limit else None,
        at_hand=await reading.show_meeting(house, at_hand) if at_hand is not None else None,
    )  # fmt: skip


@router.get("/meetings/{meeting}", name="page_meeting")
async def page_meeting(request: Request, meeting: MeetingId, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show a meeting: before it the papers, while it sits what happens, after it what was settled."""
    found = await reading.show_meeting(house, meeting)
    return page(
        request, "meeting.html", one=found.meeting, seats=found.seats, agenda=found.agenda, minutes=found.minutes,
        speakers=speakers(house, caller), **_choices(house),
    )  # fmt: skip


@router.get("/meetings/{meeting}/minutes/{version}", name="page_minutes")
async def page_minutes(request: Request, meeting: MeetingId, version: Version, house: TheHouse) -> HTMLResponse:
    """Show a version of the minutes."""
    found = await minutes.read_minutes(house, meeting, version)
    return page(request, "minutes.html", one=found, content=found.content)


@router.post("/meetings", name="page_convene_meeting")
async def page_convene_meeting(form: Form[Convening], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Plan a meeting beside the regular ones."""
    return _to(await agenda.convene(house, caller, form.held_on))


@router.post("/meetings/{meeting}/call", name="page_call_meeting")
async def page_call_meeting(meeting: MeetingId, house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Call a meeting before its day to be called."""
    await agenda.call_meeting(house, caller, meeting)
    return _to(meeting)


@router.post("/meetings/{meeting}/call-off", name="page_call_meeting_off")
async def page_call_meeting_off(
    meeting: MeetingId, form: Form[Because], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Call a meeting off."""
    await sitting.call_off(house, caller, meeting, form.because)
    return _to(meeting)


@router.post("/meetings/{meeting}/open", name="page_open_meeting")
async def page_open_meeting(
    meeting: MeetingId, form: Form[Opening], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Open the sitting."""
    await sitting.open_sitting(house, caller, meeting, form.chair)
    return _to(meeting)


@router.post("/meetings/{meeting}/attendance", name="page_attend_meeting")
async def page_attend_meeting(
    meeting: MeetingId, form: Form[Presence], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Write down whether a department is there."""
    await sitting.attend(house, caller, meeting, form.department, present=form.present, delegate=form.delegate)
    return RedirectResponse(f"/console/meetings/{meeting}#seats", 303)


@router.post("/meetings/{meeting}/matters/{matter}/take-up", name="page_take_up_matter")
async def page_take_up_matter(
    meeting: MeetingId, matter: MatterId, house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """This matter is discussed from now on."""
    await sitting.take_up(house, caller, meeting, matter)
    return _to(meeting)


@router.post("/meetings/{meeting}/matters/{matter}/defer", name="page_defer_matter")
async def page_defer_matter(
    meeting: MeetingId, matter: MatterId, form: Form[Because], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Put a matter off."""
    await sitting.defer(house, caller, meeting, matter, form.because)
    return _to(meeting)


@router.post("/meetings/{meeting}/resolutions", name="page_resolve_matter")
async def page_resolve_matter(
    meeting: MeetingId, form: Form[ResolutionEntered], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Write down what was agreed."""
    agreed = Agreed(form.text, form.department, form.due_on, form.helpers, form.content())
    await record_resolution(house, caller, meeting, form.matter, agreed)
    return _to(meeting)


@router.post("/meetings/{meeting}/close", name="page_close_meeting")
async def page_close_meeting(meeting: MeetingId, house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Close the sitting."""
    await sitting.close_sitting(house, caller, meeting)
    return _to(meeting)


@router.post("/meetings/{meeting}/minutes", name="page_draft_minutes")
async def page_draft_minutes(
    meeting: MeetingId, form: Form[Drafting], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Draft the minutes anew."""
    version = await minutes.draft_minutes(house, caller, meeting, form.because)
    return RedirectResponse(f"/console/meetings/{meeting}/minutes/{version}", 303)


@router.post("/meetings/{meeting}/minutes/{version}/sign", name="page_sign_minutes")
async def page_sign_minutes(
    meeting: MeetingId, version: Version, form: Form[Signing], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Sign a version off."""
    await minutes.sign_minutes(house, caller, meeting, version, form.digest)
    return RedirectResponse(f"/console/meetings/{meeting}/minutes/{version}", 303)


def _to(meeting: int) -> RedirectResponse:
    return RedirectResponse(f"/console/meetings/{meeting}", 303)
