"""The coordinator's overview: today's picture in one screen, every number leading to the list behind it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import GuardedPage
from api.console.frame import page
from api.console.navigation import home_of
from api.console.queries import ListQuery, Query, sorted_rows
from api.state import TheCaller, TheDoors
from models import CardColour
from services.dossiers.picture import DepartmentBoard, DistrictBoard, draw_picture
from services.operations.watching import list_incidents
from services.supervision.appraisal import Scorecard, appraise
from services.supervision.board import CardFilter, list_cards
from services.supervision.periods import month_of

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

# Seconds for which the picture and the month's figures are kept.
_FRESH, _SLOW = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    """A department's board beside its scorecard of the month; None where it had nothing to do."""

    board: DepartmentBoard
    score: Scorecard | None

    @property
    def idle(self) -> bool:
        """Whether it has nothing before it, owes nothing, and no figures: its name says all there is to say."""
        board = self.board
        return not (board.open or board.owes or board.endpoint or self.score is not None)

    @property
    def on_time(self) -> float | None:
        """Which share of what it answered this month came in time."""
        return self.score.on_time / self.score.judged if self.score is not None and self.score.judged else None


_DEPARTMENTS = {
    "open": lambda row: row.board.open,
    "overdue": lambda row: row.board.overdue,
    "failed": lambda row: row.board.failed,
    "oldest": lambda row: -row.board.oldest.timestamp() if row.board.oldest else 0,
    "rate": lambda row: row.on_time if row.on_time is not None else 2,
    "cards": lambda row: (row.score.red, row.score.yellow) if row.score else (0, 0),
}
_DISTRICTS = {
    "under_way": lambda row: row.under_way,
    "came": lambda row: row.came,
    "closed": lambda row: row.closed,
    "awaiting": lambda row: row.awaiting,
}
_INCIDENTS_SHOWN = 5
_CARDS_SHOWN = 4


@router.get("", name="page_home")
async def page_home(caller: TheCaller) -> RedirectResponse:
    """Lead everybody to the first page of the own navigation."""
    return RedirectResponse(home_of(caller), 303)


@router.get("/overview", name="page_overview")
async def page_overview(request: Request, query: Query[ListQuery], doors: TheDoors, caller: TheCaller) -> HTMLResponse:
    """Show the city, or the district of the reader, as it stands this moment."""
    house, sight, kept = doors.house, caller.sight, doors.kept
    today = house.database.clock.today()
    picture = await kept.get(("picture", sight, today), _FRESH, lambda: draw_picture(house, sight))
    incidents = await kept.get(("incidents", sight, today), _FRESH, lambda: list_incidents(house, sight))
    month = month_of(today)
    # The month's figures go through every step of it: worked out once a minute for all who look.
    appraisal = await kept.get(("appraisal", sight, month.code), _SLOW, lambda: appraise(house, month, sight))
    scores = {one.department.code: one for one in appraisal.cards if one.district is None or sight.district}
    rows = [DepartmentRow(board, scores.get(board.department.code)) for board in picture.departments]
    busy = [row for row in rows if not row.idle]
    departments: list[DepartmentRow] = sorted_rows(busy, query.sort or "-open", _DEPARTMENTS)
    red_cards = await list_cards(house, sight, CardFilter(CardColour.RED, counting=True), limit=_CARDS_SHOWN)
    districts: list[DistrictBoard] = sorted_rows(picture.districts, query.sort or "-under_way", _DISTRICTS)
    return page(
        request, "overview.html", picture=picture, departments=departments, districts=districts, month=month,
        idle=[row.board.department for row in rows if row.idle],
        incidents=sorted(incidents, key=lambda one: -one.people)[:_INCIDENTS_SHOWN],
        incident_count=len(incidents), sort=query.sort or "", red_cards=red_cards.items,
        yellow=sum(one.yellow for one in scores.values()), red=sum(one.red for one in scores.values()),
    )  # fmt: skip
