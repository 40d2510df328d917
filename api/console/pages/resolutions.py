"""Resolutions (议定事项): what is overdue, the second person's approval, the evidence; and what-if (方案测算)."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.pages.matters import Because
from api.console.queries import Entered, Form, ListQuery, Query
from api.state import TheCaller, TheDoors, TheHouse
from models import ResolutionState
from services.intake.fields import Day
from services.lexicon import Lexicon, Named
from services.meetings import acting, following, reading, resolutions
from services.meetings.telling import CHANGE_WORDS, ToldWhatIf, tell_what_if
from services.meetings.whatif import read_change, what_if
from services.meetings.words import RESOLUTION_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

ResolutionId = Annotated[int, Path(ge=1, le=2**31 - 1)]
_ROWS = 200


class ResolutionQuery(ListQuery):
    """Which resolutions to list."""

    state: ResolutionState | None = None
    overdue: bool = False
    before: int | None = Field(default=None, ge=1, le=2**31 - 1)


class Word(Entered):
    """A second person's word on it."""

    because: str | None = Field(default=None, max_length=400)


class Reporting(Entered):
    """What was done."""

    text: str = Field(max_length=1_000)


class Extending(Entered):
    """More time."""

    due_on: Day
    because: str = Field(max_length=400)


class ChangeQuery(ListQuery):
    """A change on paper: another value of a parameter, another owner of a service, a service that falls away."""

    parameter: str | None = Field(default=None, max_length=40)
    value: int | None = Field(default=None, ge=0, le=150)
    service: str | None = Field(default=None, max_length=40)
    owner: str | None = Field(default=None, max_length=40)
    without: bool = False

    def content(self) -> dict[str, object]:
        """The change's JSON."""
        change: dict[str, object] = {}
        if self.parameter and self.value is not None:
            change["parameters"] = {self.parameter: self.value}
        if self.service and self.owner:
            change["owners"] = {self.service: self.owner}
        if self.service and self.without:
            change["without"] = [self.service]
        return change


@router.get("/resolutions", name="page_resolutions")
async def page_resolutions(request: Request, query: Query[ResolutionQuery], house: TheHouse) -> HTMLResponse:
    """List resolutions, the newest first."""
    found = await reading.list_resolutions(
        house, query.state, overdue=query.overdue, before=query.before, limit=query.limit
    )
    return page(
        request, "resolutions.html", rows=found, query=query, first=query.before is None,
        next=found[-1].id if len(found) == query.limit else None,
        states=[Named.of(state.value, RESOLUTION_WORDS[state]) for state in ResolutionState],
    )  # fmt: skip


@router.get("/resolutions/{resolution}", name="page_resolution")
async def page_resolution(
    request: Request, resolution: ResolutionId, house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Show a resolution: its action, its evidence, its chase."""
    found = await reading.show_resolution(house, resolution)
    return page(request, "resolution.html", one=found.resolution, whole=found, mine=found.asked_by == caller.actor)


@router.post("/resolutions/{resolution}/ask", name="page_ask_resolution")
async def page_ask_resolution(resolution: ResolutionId, house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Ask for the action; its preview is kept for the second person."""
    await acting.ask_action(house, caller, resolution)
    return _to(resolution)


@router.post("/resolutions/{resolution}/approve", name="page_approve_resolution")
async def page_approve_resolution(
    resolution: ResolutionId, form: Form[Word], doors: TheDoors, caller: TheCaller
) -> RedirectResponse:
    """Approve the action; it is carried out."""
    await acting.approve_action(doors.house, caller, resolution, form.because)
    doors.bell.ring()
    return _to(resolution)


@router.post("/resolutions/{resolution}/reject", name="page_reject_resolution")
async def page_reject_resolution(
    resolution: ResolutionId, form: Form[Because], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Turn the action down."""
    await acting.reject_action(house, caller, resolution, form.because)
    return _to(resolution)


@router.post("/resolutions/{resolution}/report", name="page_report_resolution")
async def page_report_resolution(
    resolution: ResolutionId, form: Form[Reporting], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Say what was done."""
    await resolutions.report(house, caller, resolution, form.text)
    return _to(resolution)


@router.post("/resolutions/{resolution}/confirm", name="page_confirm_resolution")
async def page_confirm_resolution(
    resolution: ResolutionId, form: Form[Because], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Close it on what was reported."""
    await following.confirm(house, caller, resolution, form.because)
    return _to(resolution)


@router.post("/resolutions/{resolution}/extend", name="page_extend_resolution")
async def page_extend_resolution(
    resolution: ResolutionId, form: Form[Extending], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Give it more time, while a meeting sits."""
    await resolutions.extend(house, caller, resolution, form.due_on, form.because)
    return _to(resolution)


@router.post("/resolutions/{resolution}/revoke", name="page_revoke_resolution")
async def page_revoke_resolution(
    resolution: ResolutionId, form: Form[Because], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Take it back, as long as nothing was carried out."""
    await resolutions.revoke(house, caller, resolution, form.because)
    return _to(resolution)


@router.get("/what-if", name="page_what_if")
async def page_what_if(request: Request, query: Query[ChangeQuery], house: TheHouse) -> HTMLResponse:
    """Ask what a change would bring; an address can be passed on, since it names nobody."""
    change = query.content()
    told = tell_what_if(house, await what_if(house, read_change(change))) if change else None
    changed = _by_service(told) if told else []
    words, book, today = Lexicon(house.packs, None), house.packs.packs[-1], house.database.clock.today()
    return page(
        request, "what_if.html", told=told, query=query, kinds=CHANGE_WORDS, rows=told.shifts[:_ROWS] if told else (),
        services_changed=changed, most=max((row[-1] for row in changed), default=0),
        parameters=[Named(one.code, one.source.zh, one.source.en) for one in book.parameters.values()],
        services=[words.service(code) for code in book.services],
        departments=[words.department(code, today) for code in book.departments],
    )  # fmt: skip


def _by_service(told: ToldWhatIf) -> list[tuple[Named, str, Named, int]]:
    """How many permits change in each service, by kind of change and department, the most first."""
    counts: Counter[tuple[Named, str, Named]] = Counter()
    for row in told.shifts:
        counts[row.service, row.change, row.department] += row.permits
    return [(*key, count) for key, count in counts.most_common()]


def _to(resolution: int) -> RedirectResponse:
    return RedirectResponse(f"/console/resolutions/{resolution}", 303)
