"""Cards (红黄牌): which were dealt, to whom, for what; contested by a department, lifted or upheld by a coordinator."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query
from api.state import TheCaller, TheHouse
from models import CardColour, CardState, Holder
from services.lexicon import Lexicon, Named
from services.supervision.board import LONGEST_REASON, CardFilter, contest_card, lift_card, list_cards, uphold_card
from services.supervision.periods import read_period
from services.supervision.words import CARD_STATE_WORDS, COLOUR_WORDS, HOLDER_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

_LAST = 2**31 - 1
CardId = Annotated[int, Path(ge=1, le=_LAST)]


class CardListQuery(ListQuery):
    """Which cards: of a colour, a state, a department, a district, dealt in a month, to whom; ``counting``: those that
    were not lifted, as the figures count them.
    """

    colour: CardColour | None = None
    state: CardState | None = None
    department: str | None = Field(default=None, pattern="^[a-z-]{1,40}$")
    district: str | None = Field(default=None, pattern="^[0-9a-z-]{1,24}$")
    holder: Holder | None = None
    counting: bool = False
    month: str | None = Field(default=None, pattern="^[0-9]{4}-[0-9]{2}$")
    before: int | None = Field(default=None, ge=1, le=_LAST)

    def filter(self) -> CardFilter:
        """The filter that the services take."""
        first, end = read_period(self.month).bounds if self.month else (None, None)
        return CardFilter(
            colour=self.colour, state=self.state, department=self.department, district=self.district,
            holder=self.holder, counting=self.counting, dealt_from=first, dealt_to=end,
        )  # fmt: skip


class Because(Entered):
    """Why a card is contested, lifted or upheld."""

    because: str = Field(max_length=LONGEST_REASON)


@router.get("/cards", name="page_cards")
async def page_cards(request: Request, query: Query[CardListQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """List cards, the newest first."""
    found = await list_cards(house, caller.sight, query.filter(), before=query.before, limit=query.limit)
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    return page(
        request, "cards.html", rows=found.items, next=found.next, first=query.before is None, query=query,
        colours=[Named.of(code, COLOUR_WORDS[code]) for code in ("red", "yellow")],
        states=[Named.of(state.value, CARD_STATE_WORDS[state.value]) for state in CardState],
        holders=[Named.of(holder.value, HOLDER_WORDS[holder.value]) for holder in Holder],
        departments=[] if caller.sight.department else [words.department(one, today) for one in words.book.departments],
        districts=[] if caller.sight.district else [words.district(one) for one in words.book.districts],
    )  # fmt: skip


@router.post("/cards/{card}/contest", name="page_contest_card")
async def page_contest_card(card: CardId, form: Form[Because], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Say what speaks against a card of one's own department."""
    await contest_card(house, caller, card, form.because)
    return RedirectResponse("/console/cards", 303)


@router.post("/cards/{card}/decision/{move}", name="page_decide_card")
async def page_decide_card(
    card: CardId, move: Literal["lift", "uphold"], form: Form[Because], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Lift a card, or uphold a contested one."""
    await (lift_card if move == "lift" else uphold_card)(house, caller, card, form.because)
    return RedirectResponse("/console/cards", 303)
