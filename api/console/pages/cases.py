"""Cases: the list with its filters, and finding a person by name or ID number."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from api.access import WORKBOOK, GuardedPage
from api.console.catalogue import said
from api.console.frame import language_of, page
from api.console.queries import Entered, Form, ListQuery, Query
from api.cursors import read_cursor, write_cursor
from api.state import TheCaller, TheHouse
from models import CaseState
from services.access import Caller
from services.access.purposes import PURPOSE_WORDS, Purpose
from services.dossiers.export import export_cases
from services.dossiers.listing import CaseFilter, Order, find_person, list_cases
from services.house import House
from services.intake.fields import Day
from services.intake.identity import IdNumberError, parse_id
from services.lexicon import Lexicon, Named
from services.saved_views import LONGEST_QUERY, LONGEST_TITLE, list_views, remove_view, save_view
from services.words import CASE_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

# Groups of states that people ask for in one word.
STAGES = (("open", said("在办")), ("aside", said("待人工处置")))


_NUMBER = re.compile(r"[0-9]{4}[0-9a-z-]{0,20}-[0-9-]{0,20}", re.ASCII)
# What can only be meant as a citizen ID number, right or wrong.
_DIGITS = re.compile(r"[0-9]{15,17}[0-9Xx]", re.ASCII)


_PAGE = "cases"
_PURPOSES = tuple(Named.of(one.value, words) for one, words in PURPOSE_WORDS.items())
_TYPES = {"xlsx": WORKBOOK, "csv": "text/csv; charset=utf-8"}


class Titled(Entered):
    """A view to keep."""

    title: str = Field(max_length=LONGEST_TITLE)
    query: str = Field(default="", max_length=LONGEST_QUERY)


class Wanted(Entered):
    """Whom or what to look for: a case's number, a name, or a citizen ID number. It stands in no address."""

    who: str = Field(max_length=60, repr=False)
    purpose: Purpose = Purpose.HANDLING


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
    failed: bool = False
    cursor: str | None = Field(default=None, pattern="^[A-Za-z0-9_-]{1,120}$")

    @property
    def narrowed(self) -> bool:
        """Whether a filter is set that the form keeps folded away."""
        folded = (self.stage, self.term, self.received_from, self.received_to, self.closed_from, self.closed_to)
        return self.late or self.failed or any(value is not None for value in folded)

    def address(self) -> str:
        """The filter as it stands in an address, without the place in the list."""
        given = self.model_dump(mode="json", exclude_defaults=True, exclude={"cursor", "limit"})
        return urlencode({name: str(value).lower() if value is True else value for name, value in given.items()})

    @property
    def order(self) -> Order:
        """In which order; the newest first for what is no order of this list."""
        return Order(self.sort) if self.sort in set(Order) else Order.NEWEST

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
            failed=self.failed,
            under_way=self.stage == "open",
            aside=self.stage == "aside",
        )


@router.get("/cases", name="page_cases")
async def page_cases(request: Request, query: Query[CaseListQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """List cases, page by page, by receipt or by deadline."""
    after = read_cursor(query.cursor) if query.cursor is not None else None
    found = await list_cases(house, caller.sight, query.filter(), after=after, limit=query.limit, order=query.order)
    return page(
        request, "cases.html", query=query, rows=found.items, first=query.cursor is None,
        next=write_cursor(found.next) if found.next is not None else None, sort=query.order.value,
        views=await list_views(house, caller, _PAGE), own_query=query.address(), **_choices(house, caller),
    )  # fmt: skip


@router.post("/cases/search", name="page_search_cases")
async def page_search_cases(request: Request, form: Form[Wanted], house: TheHouse, caller: TheCaller) -> Response:
    """Find the cases of a person. Who searched and to what purpose is logged, whom for is not."""
    who = "".join(form.who.split())
    if _NUMBER.fullmatch(who):
        return RedirectResponse(f"/console/cases?q={who}", 303)
    by_id = bool(_DIGITS.fullmatch(who))
    asked: dict[str, Any] = {"by_id": by_id, "purposes": _PURPOSES, "purpose": form.purpose.value}
    name = None if by_id else form.who
    try:
        number = parse_id(who).number if by_id else None
        rows, more = await find_person(house, caller, id_number=number, name=name, purpose=form.purpose)
    except IdNumberError as problem:
        return page(request, "cases_found.html", rows=(), more=False, problem=problem.reason, **asked)
    return page(request, "cases_found.html", rows=rows, more=more, problem=None, **asked)


@router.get("/cases/export.{kind}", name="page_export_cases")
async def page_export_cases(
    request: Request, kind: Literal["xlsx", "csv"], query: Query[CaseListQuery], house: TheHouse, caller: TheCaller
) -> Response:
    """Give the list as a file, masked as on the page."""
    content = await export_cases(house, caller, query.filter(), kind, language_of(request), order=query.order)
    name = f"cases-{house.database.clock.today()}.{kind}"
    return Response(content, media_type=_TYPES[kind], headers={"content-disposition": f'attachment; filename="{name}"'})


@router.post("/cases/views", name="page_save_view")
async def page_save_view(form: Form[Titled], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Keep the filters under a title of the reader's own."""
    query = CaseListQuery.model_validate(dict(parse_qsl(form.query)))
    await save_view(house, caller, _PAGE, form.title, query.address())
    return RedirectResponse(f"/console/cases?{query.address()}", 303)


@router.post("/cases/views/{view}/remove", name="page_remove_view")
async def page_remove_view(
    view: Annotated[int, Path(ge=1, le=2**31 - 1)], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Forget a view."""
    await remove_view(house, caller, view)
    return RedirectResponse("/console/cases", 303)


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
        "purposes": _PURPOSES,
    }
