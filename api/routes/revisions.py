"""Revisions of the policy: tried first, asked for by one person, decided by another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.state import TheCaller, TheHouse
from api.views.revisions import AskedRevision, RevisionList, RevisionPreview, preview_view
from api.views.revisions import RevisionFile as RevisionView
from models import RevisionState
from services.access import WHOLE_CITY, Caller
from services.errors import AccessError
from services.remedies.orders import Line
from services.revisions.proposing import (
    AmendmentDraft,
    Asked,
    PackDraft,
    propose_revision,
)
from services.revisions.proposing import (
    approve_revision as adopt,
)
from services.revisions.proposing import (
    reject_revision as turn_down,
)
from services.revisions.proposing import (
    withdraw_revision as take_back,
)
from services.revisions.reading import (
    LOOK_SECONDS,
    MAX_PAGE,
    RevisionFile,
    preview_revision,
    read_revision,
)
from services.revisions.reading import (
    list_revisions as page_of_revisions,
)

router = APIRouter(prefix="/api/v1", tags=["policy"], route_class=GuardedRoute)

# As far as both databases count.
_LAST = 2**31 - 1
RevisionId = Annotated[int, Path(ge=1, le=_LAST, description="修订编号 / number of the revision")]


class RevisionQuery(BaseModel):
    """Which revisions to list."""

    model_config = ConfigDict(extra="forbid")

    state: RevisionState | None = None
    pack: str | None = Field(default=None, pattern="^[a-z0-9-]{1,64}$", description="政策代码 / code of the pack")
    before: int | None = Field(default=None, ge=1, le=_LAST, description="上页的 before / a page's `before`")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


class Assent(BaseModel):
    """A second person's yes."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    because: Line | None = None


class Dissent(BaseModel):
    """A no, or a taking back, with its reason."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    because: Line


@router.get("/revisions", response_model=RevisionList, responses=problems(422))
async def list_revisions(query: Annotated[RevisionQuery, Query()], house: TheHouse, caller: TheCaller) -> RevisionList:
    """List revisions of the policy, the newest first."""
    _whole_city(caller)
    rows = await page_of_revisions(
        house, state=query.state, pack=query.pack, before=query.before, limit=query.limit + 1
    )
    shown = rows[: query.limit]
    return RevisionList.model_validate(
        {"items": shown, "before": shown[-1].id if len(rows) > query.limit else None}, from_attributes=True
    )


@router.post("/amendments", status_code=201, response_model=AskedRevision, responses=problems(404, 409))
async def propose_amendment(draft: AmendmentDraft, house: TheHouse, caller: TheCaller) -> Asked:
    """Ask for an amendment: a few changes to a pack from a day to come. A second person decides."""
    return await propose_revision(house, caller, draft)


@router.post("/amendments/preview", response_model=RevisionPreview, responses=problems(404, 409))
async def preview_amendment(draft: AmendmentDraft, house: TheHouse, caller: TheCaller) -> RevisionPreview:
    """Try an amendment over all live permits: what differs, who gains, who loses. Nothing is kept or touched."""
    _whole_city(caller)
    return preview_view(await preview_revision(house, draft, seconds=LOOK_SECONDS))


@router.post("/adoptions", status_code=201, response_model=AskedRevision, responses=problems(404, 409))
async def propose_pack(draft: PackDraft, house: TheHouse, caller: TheCaller) -> Asked:
    """Ask for a whole pack to be adopted. A second person decides."""
    return await propose_revision(house, caller, draft)


@router.post("/adoptions/preview", response_model=RevisionPreview, responses=problems(404, 409))
async def preview_pack(draft: PackDraft, house: TheHouse, caller: TheCaller) -> RevisionPreview:
    """Try a whole pack over all live permits. Nothing is kept or touched."""
    _whole_city(caller)
    return preview_view(await preview_revision(house, draft, seconds=LOOK_SECONDS))


@router.get("/revisions/{revision}", response_model=RevisionView, responses=problems(404, 422))
async def show_revision(revision: RevisionId, house: TheHouse, caller: TheCaller) -> RevisionFile:
    """Show a revision with what it changes."""
    _whole_city(caller)
    return await read_revision(house, revision)


@router.post("/revisions/{revision}/approve", response_model=AskedRevision, responses=problems(404, 409))
async def approve_revision(revision: RevisionId, assent: Assent, house: TheHouse, caller: TheCaller) -> Asked:
    """Adopt what another person asked for. It holds from its day on, for every process."""
    return await adopt(house, caller, revision, assent.because)


@router.post("/revisions/{revision}/reject", response_model=AskedRevision, responses=problems(404, 409))
async def reject_revision(revision: RevisionId, dissent: Dissent, house: TheHouse, caller: TheCaller) -> Asked:
    """Turn down what was asked for."""
    return await turn_down(house, caller, revision, dissent.because)


@router.post("/revisions/{revision}/withdraw", response_model=AskedRevision, responses=problems(404, 409))
async def withdraw_revision(revision: RevisionId, dissent: Dissent, house: TheHouse, caller: TheCaller) -> Asked:
    """Take back what was adopted, before its day has come."""
    return await take_back(house, caller, revision, dissent.because)


def _whole_city(caller: Caller) -> None:
    if caller.sight != WHOLE_CITY:
        raise AccessError("rules hold for the whole city; you work for a part of it", place="authorization")
