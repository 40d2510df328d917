"""Retries (重新推送): looked at first, tried on a few, then followed live to their end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query
from api.routes.incidents import MAX_ID
from api.routes.retries import RetryId
from api.state import TheCaller, TheDoors, TheHouse
from models import IncidentKind
from services.access import WHOLE_CITY, Caller
from services.errors import AccessError
from services.house import House
from services.lexicon import Lexicon, Named
from services.operations import retries
from services.operations.selection import Selection
from services.operations.words import KIND_WORDS, RETRY_COUNT_WORDS, RETRY_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

_TONES = {
    "confirmed": "good", "sent": "busy", "failed": "bad", "declined": "bad", "waiting": "plain", "superseded": "plain",
    "elsewhere": "plain", "left": "plain",
}  # fmt: skip
_MOVES: Mapping[str, Callable[[House, int, str], Awaitable[retries.RetryView]]] = {
    "start": retries.start_retry,
    "pause": retries.pause_retry,
    "resume": retries.resume_retry,
    "cancel": retries.cancel_retry,
}
_PAUSED_BY_CANARY = "canary-failed:"


class RetryListQuery(ListQuery):
    """Which page of retries."""

    before: int | None = Field(default=None, ge=1, le=MAX_ID)


class Chosen(Entered):
    """What is to be sent again."""

    step: str | None = Field(default=None, pattern="^[0-9a-z-]{1,80}$")
    case: str | None = Field(default=None, pattern="^[0-9a-z-]{1,40}$")
    incident: int | None = Field(default=None, ge=1, le=MAX_ID)
    department: str | None = Field(default=None, pattern="^[a-z-]{1,40}$")
    kind: IncidentKind | None = None
    district: str | None = Field(default=None, pattern="^[0-9a-z-]{1,24}$")
    canary: int = Field(default=1, ge=1, le=retries.MAX_CANARY)


@router.get("/retries", name="page_retries")
async def page_retries(
    request: Request, query: Query[RetryListQuery], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """List retries, and offer a new one by filter to who may start it."""
    _whole_city(caller)
    found = await retries.list_retries(house, before=query.before, limit=query.limit)
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    return page(
        request, "retries.html", query=query, first=query.before is None,
        rows=[(one, _state(one), _wanted(house, one)) for one in found], tones=_TONES, count_words=RETRY_COUNT_WORDS,
        next=found[-1].id if len(found) == query.limit else None,
        departments=[words.department(code, today) for code in words.book.departments],
        districts=[words.district(code) for code in words.book.districts],
        kinds=[Named.of(code, KIND_WORDS[code]) for code in ("failed", "stuck", "retrying")],
    )  # fmt: skip


@router.get("/retries/{retry}", name="page_retry")
async def page_retry(request: Request, retry: RetryId, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show what a retry would do, or how far it is."""
    _whole_city(caller)
    one = await retries.show_retry(house, retry)
    words = Lexicon(house.packs, None)
    failed = None
    if one.because and one.because.startswith(_PAUSED_BY_CANARY):
        code = one.because.removeprefix(_PAUSED_BY_CANARY)
        failed = words.department(code, house.database.clock.today())
    return page(
        request, "retry.html", one=one, state=_state(one), wanted=_wanted(house, one), failed=failed,
        tones=_TONES, count_words=RETRY_COUNT_WORDS,
    )  # fmt: skip


@router.post("/retries", name="page_preview_retry")
async def page_preview_retry(form: Form[Chosen], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Choose what is to be sent again. Nothing is sent until it is started."""
    _whole_city(caller)
    wanted = Selection(**form.model_dump(exclude={"canary"}))
    made = await retries.preview_retry(house, wanted, caller.actor, form.canary)
    return RedirectResponse(f"/console/retries/{made.id}", 303)


@router.post("/retries/{retry}/{move}", name="page_move_retry")
async def page_move_retry(
    retry: RetryId, move: Literal["start", "pause", "resume", "cancel"], doors: TheDoors, caller: TheCaller
) -> RedirectResponse:
    """Start, pause, resume or cancel a retry."""
    _whole_city(caller)
    await _MOVES[move](doors.house, retry, caller.actor)
    if move in ("start", "resume"):
        doors.bell.ring()
    return RedirectResponse(f"/console/retries/{retry}", 303)


def _whole_city(caller: Caller) -> None:
    if caller.sight != WHOLE_CITY:
        raise AccessError("retries are for the whole city's staff; your key is for a part of it", place="authorization")


def _state(one: retries.RetryView) -> Named:
    return Named.of(one.state.value, RETRY_WORDS[one.state.value])


def _wanted(house: House, one: retries.RetryView) -> list[tuple[str, Any]]:
    """What was chosen, each part with the name of the filter: codes become words where they have any."""
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    told: Mapping[str, Callable[[str], Any]] = {
        "department": lambda code: words.department(code, today),
        "district": words.district,
        "kind": lambda code: Named.of(code, KIND_WORDS[code]),
        "reason": words.reason,
    }
    return [(name, told[name](value) if name in told else value) for name, value in one.wanted.items()]
