"""Matters (议题): what comes before the joint meeting, with the paper of each; put forward, answered, commented on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query
from api.state import TheCaller, TheHouse
from models import MatterState, Role
from services.access import Caller
from services.house import House
from services.lexicon import Named
from services.meetings import handling, reading
from services.meetings.matters import gather
from services.meetings.members import members_on
from services.meetings.words import MATTER_STATE_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

MatterId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class MatterQuery(ListQuery):
    """Which matters to list; those that wait, if nothing is said."""

    state: MatterState | None = None
    every: bool = False
    before: int | None = Field(default=None, ge=1, le=2**31 - 1)


class Proposal(Entered):
    """What a member puts forward."""

    department: str = Field(max_length=40)
    text: str = Field(max_length=1_000)
    about: str | None = Field(default=None, max_length=40)


class Remark(Entered):
    """What a department says to a matter; ``answer``: as the one that has to."""

    department: str = Field(max_length=40)
    text: str = Field(max_length=1_000)
    answer: bool = False


class Because(Entered):
    """A reason."""

    because: str = Field(max_length=400)


def speakers(house: House, caller: Caller) -> list[Named]:
    """For whom the reader may speak: an officer for the own department, the office for each."""
    seats = members_on(house, house.database.clock.today())
    return [
        Named(one.code, one.zh, one.en) for one in seats if caller.role is not Role.OFFICER or one.code == caller.scope
    ]


@router.get("/matters", name="page_matters")
async def page_matters(request: Request, query: Query[MatterQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """List matters; what came up since is gathered first."""
    await gather(house)
    found = await reading.list_matters(house, query.state, before=query.before, limit=query.limit)
    return page(
        request, "matters.html", rows=found, query=query, first=query.before is None,
        next=found[-1].id if len(found) == query.limit else None, speakers=speakers(house, caller),
        states=[Named.of(state.value, MATTER_STATE_WORDS[state]) for state in MatterState],
    )  # fmt: skip


@router.get("/matters/{matter}", name="page_matter")
async def page_matter(request: Request, matter: MatterId, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show a matter with its paper as it stands now."""
    found = await reading.show_matter(house, matter)
    return page(
        request, "matter.html", one=found.matter, paper=found.paper, resolutions=found.resolutions,
        speakers=speakers(house, caller),
    )  # fmt: skip


@router.post("/matters", name="page_propose_matter")
async def page_propose_matter(form: Form[Proposal], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Put a matter forward."""
    return _to(await handling.put_forward(house, caller, form.department, form.text, form.about))


@router.post("/matters/{matter}/remarks", name="page_remark_on_matter")
async def page_remark_on_matter(
    matter: MatterId, form: Form[Remark], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Answer a matter, or comment on it."""
    await handling.remark(house, caller, matter, form.department, form.text, answer=form.answer)
    return _to(matter)


@router.post("/matters/{matter}/off", name="page_take_matter_off")
async def page_take_matter_off(
    matter: MatterId, form: Form[Because], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Take a matter off."""
    await handling.take_off(house, caller, matter, form.because)
    return _to(matter)


def _to(matter: int) -> RedirectResponse:
    return RedirectResponse(f"/console/matters/{matter}", 303)
