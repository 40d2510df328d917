"""Cards: which stand, for whom; contested by departments, lifted or upheld by coordinators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.state import TheCaller, TheHouse
from api.views.cards import CardItem, CardPage
from models import CardColour, CardState
from services.clock import day_bounds
from services.intake.fields import Day
from services.supervision import board

router = APIRouter(prefix="/api/v1/cards", tags=["supervision"], route_class=GuardedRoute)

MAX_ID = 2_147_483_647
CardId = Annotated[int, Path(ge=1, le=MAX_ID, description="牌号 / its number")]


class CardQuery(BaseModel):
    """Which cards: by colour, state, department, district, case, and day on which they were dealt."""

    model_config = ConfigDict(extra="forbid")

    colour: CardColour | None = None
    state: CardState | None = None
    department: str | None = Field(default=None, pattern="^[a-z-]{1,40}$")
    district: str | None = Field(default=None, pattern="^[0-9a-z-]{1,24}$")
    case: str | None = Field(default=None, pattern="^[0-9a-z-]{1,40}$")
    dealt_from: Day | None = None
    dealt_to: Day | None = None
    before: int | None = Field(default=None, ge=1, le=MAX_ID)
    limit: int = Field(default=50, ge=1, le=board.MAX_PAGE)

    def wanted(self) -> board.CardFilter:
        """The filter of the service."""
        return board.CardFilter(
            self.colour, self.state, self.department, self.district, self.case,
            dealt_from=day_bounds(self.dealt_from)[0] if self.dealt_from else None,
            dealt_to=day_bounds(self.dealt_to)[1] if self.dealt_to else None,
        )  # fmt: skip


class ReasonForm(BaseModel):
    """Why. No personal data: it stands in the log for ever."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    because: str = Field(min_length=1, max_length=board.LONGEST_REASON)


@router.get("", response_model=CardPage, responses=problems(422))
async def list_cards(query: Annotated[CardQuery, Query()], house: TheHouse, caller: TheCaller) -> board.CardPage:
    """List cards in the caller's sight, the newest first."""
    return await board.list_cards(house, caller.sight, query.wanted(), before=query.before, limit=query.limit)


@router.get("/{card}", response_model=CardItem, responses=problems(404, 422))
async def show_card(card: CardId, house: TheHouse, caller: TheCaller) -> board.CardView:
    """Show one card."""
    return await board.show_card(house, card, caller.sight)


@router.post("/{card}/contest", response_model=CardItem, responses=problems(404, 409, 422))
async def contest_card(card: CardId, form: ReasonForm, house: TheHouse, caller: TheCaller) -> board.CardView:
    """Give the department's reason against its card."""
    return await board.contest_card(house, caller, card, form.because)


@router.post("/{card}/lift", response_model=CardItem, responses=problems(404, 409, 422))
async def lift_card(card: CardId, form: ReasonForm, house: TheHouse, caller: TheCaller) -> board.CardView:
    """Lift a card: it counts no more."""
    return await board.lift_card(house, caller, card, form.because)


@router.post("/{card}/uphold", response_model=CardItem, responses=problems(404, 409, 422))
async def uphold_card(card: CardId, form: ReasonForm, house: TheHouse, caller: TheCaller) -> board.CardView:
    """Turn down what was said against a card."""
    return await board.uphold_card(house, caller, card, form.because)
