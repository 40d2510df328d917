"""Cases: the list with its filters, and finding a person by name or ID number."""

from __future__ import annotations

import re
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from api.access import GuardedPage
from api.console.catalogue import said
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query
from api.cursors import read_cursor, write_cursor
from api.state import TheCaller, TheHouse
from models import CaseState
from services.access import Caller
from services.casework.lexicon import Lexicon, Named
from services.casework.listing import CaseFilter, find_person, list_cases
from services.house import House
from services.intake.fields import Day
from services.intake.identity import IdNumberError, parse_id
from services.words import CASE_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

# Groups of states that people ask for in one word.
STAGES = (("open", said("在办")), ("aside", said("待人工处置")))


_NUMBER = re.compile(r"[0-9]{4}[0-9a-z-]{0,20}-[0-9-]{0,20}", re.ASCII)
# What can only be meant as a citizen ID number, right or wrong.
_DIGITS = re.compile(r"[0-9]{15,17}[0-9Xx]", re.ASCII)


class Wanted(Entered):
    """Whom or what to look for: a case's number, a name, or a citizen ID number. It stands in no address."""

    who: str = Field(max_length=60, repr=False)


class CaseListQuery(ListQuery):
    """The filters of the list, as they stand in its address."""

    q: str | None = Field(default=None, pattern="^[0-9A-Za-z-]{1,40}$")
    stage: Literal["open", "aside"] | None = None
    state: CaseState | None = None
    district: str | None = Field(default=None, pattern="^[0-9a-z-]{1,24}$")
    department: str | None = Field(default=None, pattern="^[a-z-]{1,40}$")
    term: int | None = Field(default=None, ge=1, le=3)
    received_from: Day | None = None
    received_to: Day | None = None
    closed_from: Day | None = None
    closed_to: Day | None = None
    late: bool = False
    cursor: str | None = Field(default=None, pattern="^[A-Za-z0-9_-]{1,120}$")

    @property
    def narrowed(self) -> bool:
        """Whether a filter is set that the form keeps folded away."""
        folded = (self.stage, self.term, self.received_from, self.received_to, self.closed_from, self.closed_to)
        return self.late or any(value is not None for value in folded)

    def filter(self) -> CaseFilter:
        """The filter that the services take."""
        return CaseFilter(
            state=self.state,
            district=self.district,
            department=self.department,
            term=self.term,
            received_from=self.received_from,
            received_to=self.received_to,
            number_prefix=self.q.lower() if self.q else None,
            closed_from=self.closed_from,
            closed_to=self.closed_to,
            late=self.late,
            under_way=self.stage == "open",
            aside=self.stage == "aside",
        )


@router.get("/cases", name="page_cases")
async def page_cases(request: Request, query: Query[CaseListQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """List cases, page by page, the newest first or the oldest."""
    after = read_cursor(query.cursor) if query.cursor is not None else None
    found = await list_cases(
        house, caller.sight, query.filter(), after=after, limit=query.limit, oldest_first=query.sort == "received"
    )
    return page(
        request, "cases.html", query=query, rows=found.items, first=query.cursor is None,
        next=write_cursor(found.next) if found.next is not None else None, sort=query.sort or "-received",
        **_choices(house, caller),
    )  # fmt: skip


@router.post("/cases/search", name="page_search_cases")
async def page_search_cases(request: Request, form: Form[Wanted], house: TheHouse, caller: TheCaller) -> Response:
    """Find the cases of a person. Who searched is logged, what for is not."""
    who = "".join(form.who.split())
    if _NUMBER.fullmatch(who):
        return RedirectResponse(f"/console/cases?q={who}", 303)
    by_id = bool(_DIGITS.fullmatch(who))
    try:
        rows, more = await find_person(
            house, caller, id_number=parse_id(who).number if by_id else None, name=None if by_id else form.who
        )
    except IdNumberError as problem:
        return page(request, "cases_found.html", rows=(), more=False, by_id=True, problem=problem.reason)
    return page(request, "cases_found.html", rows=rows, more=more, by_id=by_id, problem=None)


def _choices(house: House, caller: Caller) -> dict[str, Any]:
    """What the filters offer; a district's staff and a department's officers have no choice of their own."""
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    sight = caller.sight
    departments: list[Named] = (
        [] if sight.department else [words.department(one, today) for one in words.book.departments]
    )
    return {
        "states": [Named.of(state.value, CASE_WORDS[state.value]) for state in CaseState],
        "districts": [] if sight.district else [words.district(code) for code in words.book.districts],
        "departments": departments,
        "stages": STAGES,
    }
