"""Endpoints: how each department takes its messages, what was sent and came back, and what it can do itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query, sorted_rows
from api.routes.callbacks import Department
from api.state import TheCaller, TheDoors, TheHouse, caller_of
from models import Door, StepState
from services.access import for_department, own_department
from services.clock import CHINA
from services.doors import messages, registration, replay
from services.doors.trial import try_endpoint
from services.doors.viewing import standing_registration, view_endpoint, view_endpoints
from services.endpoints.preview import held_steps
from services.errors import NotFoundError
from services.exchange.addresses import MAX_URL
from services.exchange.credentials import HMAC
from services.house import House
from services.lexicon import Lexicon, Named
from services.supervision.outages import declare_outage, end_outage
from services.words import DOOR_WORDS, ENDPOINT_WORDS, STEP_WORDS

router = APIRouter(prefix="/console/endpoints", route_class=GuardedPage, include_in_schema=False)

MessageId = Annotated[str, Path(pattern="^[0-9A-Za-z-]{1,80}$")]
_OVERLAP = timedelta(hours=24)


# A row: the department, its endpoint if it has one, what is held there if anything is.
_BY = {
    "department": lambda row: row[0].zh,
    "door": lambda row: DOOR_WORDS[row[1]["door"].value].zh if row[1] else "",
    "state": lambda row: ENDPOINT_WORDS[row[1]["state"].value].zh if row[1] else "",
    "held": lambda row: row[2].count if row[2] else 0,
}


class MessagesQuery(ListQuery):
    """The filter of the messages."""

    state: StepState | None = None
    case: str | None = Field(default=None, pattern="^[0-9a-z-]{1,40}$")
    answer: str | None = Field(default=None, pattern="^([1-5][0-9]{2}|[a-z][a-z-]{1,23})$")
    cursor: str | None = Field(default=None, pattern="^[A-Za-z0-9_-]{1,200}$")


class RegistrationForm(Entered):
    """How the department wants its steps. What the form does not show (certificates, OAuth2, filters) stays."""

    door: Door = Door.PUSH
    url: str | None = Field(default=None, max_length=MAX_URL)
    batch_size: int = Field(default=1, ge=1, le=500)
    concurrency: int = Field(default=8, ge=1, le=64)
    rate_per_second: float | None = Field(default=None, ge=0.01, le=1000, allow_inf_nan=False)
    drain_per_second: float = Field(default=20.0, ge=0.1, le=1000, allow_inf_nan=False)
    fallback: Door | None = None
    fallback_hours: int = Field(default=24, ge=1, le=240)


class ClosingForm(Entered):
    """Why the endpoint is closed."""

    reason: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")


class MaintenanceForm(Entered):
    """From when until when the department takes nothing, in its own time."""

    from_at: datetime | None = None
    until_at: datetime | None = None
    note: str | None = Field(default=None, max_length=200)
    end: bool = False


class ReplayForm(Entered):
    """Messages made on which days are sent again; ``expected`` is the count that the preview gave, if there was one."""

    from_on: datetime
    until_on: datetime
    expected: int | None = Field(default=None, ge=0, le=replay.MAX_REPLAY)

    def range(self) -> replay.Range:
        """The range that the services take: whole days in Zibo, both included."""
        states = frozenset({StepState.FAILED, StepState.RECEIVED})
        return replay.Range(_in_zibo(self.from_on), _in_zibo(self.until_on) + timedelta(days=1), states)


@router.get("", name="page_endpoints")
async def page_endpoints(request: Request, query: Query[ListQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """List the endpoints, and the departments that have none."""
    connected = {view["department"].code: view for view in await view_endpoints(house, caller.sight.department)}
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    own = caller.sight.department
    departments = [words.department(code, today) for code in words.book.departments if own in (None, code)]
    async with house.database.read() as connection:
        held = {one.department: one for one in await held_steps(connection, house.database.clock.now())}
    rows = [(name, connected.get(name.code), held.get(name.code)) for name in departments]
    rows = sorted_rows(rows, query.sort or "", _BY)
    return page(
        request,
        "endpoints.html",
        rows=rows,
        sort=query.sort or "",
        reason=words.reason,
        doors=DOOR_WORDS,
        states=ENDPOINT_WORDS,
    )


@router.get("/{department}", name="page_endpoint")
async def page_endpoint(
    request: Request, department: Department, query: Query[MessagesQuery], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Show one department's endpoint, its health, and the messages to it."""
    own_department(caller, department)
    return await _show(request, house, department, query)


@router.post("/{department}/registration", name="page_register_endpoint")
async def page_register_endpoint(
    request: Request, department: Department, form: Form[RegistrationForm], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Register the endpoint, or change it; new secrets are shown this once."""
    for_department(caller, department)
    wanted = replace(
        await standing_registration(house, department),
        door=form.door, url=form.url if form.door is Door.PUSH else None, batch_size=form.batch_size,
        concurrency=form.concurrency, rate_per_second=form.rate_per_second, fallback=form.fallback,
        fallback_hours=form.fallback_hours, drain_per_second=form.drain_per_second,
    )  # fmt: skip
    registered = await registration.register(house, wanted, caller.actor)
    return await _show(request, house, department, MessagesQuery(), shown=registered.shown)


@router.post("/{department}/trial", name="page_try_endpoint")
async def page_try_endpoint(
    request: Request, department: Department, house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Send a good and a forged test event; passed, the endpoint goes live."""
    for_department(caller, department)
    trial = await try_endpoint(house, department, caller.actor)
    return await _show(request, house, department, MessagesQuery(), trial=trial)


@router.post("/{department}/keys", name="page_rotate_key")
async def page_rotate_key(request: Request, department: Department, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Make a fresh shared secret, shown this once; both sign for a day."""
    for_department(caller, department)
    fresh = await registration.rotate(house, department, caller.actor, scheme=HMAC, overlap=_OVERLAP)
    return await _show(request, house, department, MessagesQuery(), shown={fresh.scheme: fresh.shown})


@router.post("/{department}/closing", name="page_close_endpoint")
async def page_close_endpoint(
    department: Department, form: Form[ClosingForm], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Close the endpoint: its steps wait until a trial is passed again."""
    for_department(caller, department)
    await registration.close(house, department, caller.actor, form.reason)
    return _back(department)


@router.post("/{department}/maintenance", name="page_announce_maintenance")
async def page_announce_maintenance(
    department: Department, form: Form[MaintenanceForm], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Announce a window in which nothing is sent, or end it."""
    for_department(caller, department)
    now = house.database.clock.now()
    if form.end:
        await end_outage(house, caller.actor, department)
    else:
        first, last = _in_zibo(form.from_at or now), _in_zibo(form.until_at or now)
        await declare_outage(house, caller.actor, department, first, last, form.note)
    return _back(department)


@router.post("/{department}/replay", name="page_replay_messages")
async def page_replay_messages(
    request: Request, department: Department, form: Form[ReplayForm], doors: TheDoors, caller: TheCaller
) -> HTMLResponse:
    """Preview what would be sent again; with the count of the preview, send it."""
    for_department(caller, department)
    house = doors.house
    if form.expected is None:
        seen = await replay.preview(house, department, form.range())
        return await _show(request, house, department, MessagesQuery(), replay=seen, range=form)
    done = await replay.replay(house, department, form.range(), form.expected, caller.actor)
    doors.bell.ring()
    return await _show(request, house, department, MessagesQuery(), replayed=done)


@router.get("/{department}/messages/{message}", name="page_message")
async def page_message(
    request: Request, department: Department, message: MessageId, house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Show one message with every try and the bounded answer to it."""
    own_department(caller, department)
    sent = await messages.show_message(house, department, message, caller.sight)
    name = Lexicon(house.packs, None).department(department, house.database.clock.today())
    return page(request, "message.html", message=sent, name=name, doors=DOOR_WORDS)


@router.post("/{department}/messages/{message}/resend", name="page_resend_message")
async def page_resend_message(
    department: Department, message: MessageId, doors: TheDoors, caller: TheCaller
) -> RedirectResponse:
    """Send one message again."""
    for_department(caller, department)
    await replay.resend(doors.house, department, message, caller.actor)
    doors.bell.ring()
    return RedirectResponse(f"/console/endpoints/{department}/messages/{message}", 303)


async def _show(request: Request, house: House, department: str, query: MessagesQuery, **more: Any) -> HTMLResponse:
    clock = house.database.clock
    words = Lexicon(house.packs, None)
    if department not in words.book.departments:
        raise NotFoundError("there is no such department", place="department")
    async with house.database.read() as connection:
        held = await held_steps(connection, clock.now(), department)
    view = await _standing(house, department)
    wanted = messages.MessageFilter(
        None if query.state is None else (query.state,), case_number=query.case, answer=query.answer
    )
    shown: dict[str, Any] = {"shown": {}, "trial": None, "replay": None, "range": None, "replayed": None}
    return page(
        request, "endpoint.html", query=query, first=query.cursor is None,
        name=words.department(department, clock.today()), view=view,
        because=words.reason(view["because"]) if view else None,
        held=held[0] if held else None,
        messages=await messages.list_messages(
            house, department, wanted, sight=caller_of(request).sight, cursor=query.cursor, limit=query.limit
        ),
        doors=DOOR_WORDS, words=ENDPOINT_WORDS,
        states=[Named.of(state.value, STEP_WORDS[state.value]) for state in StepState], **{**shown, **more},
    )  # fmt: skip


async def _standing(house: House, department: str) -> Any:
    """The endpoint as it stands, None where there is none yet."""
    try:
        return await view_endpoint(house, department)
    except NotFoundError:
        return None


def _back(department: str) -> RedirectResponse:
    return RedirectResponse(f"/console/endpoints/{department}", 303)


def _in_zibo(moment: datetime) -> datetime:
    """An instant as a form brings it, without a zone: the time on the wall in Zibo."""
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=CHINA)).astimezone(UTC)
