"""Looking at cases: lists, one case, its timeline; and finding a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.access import GuardedRoute
from api.cursors import read_cursor, write_cursor
from api.openapi import problems
from api.state import TheCaller, TheHouse
from api.views.access_log import AccessLog as AccessLogView
from api.views.cases import Case, CaseItem, CaseList, PersonFound, Timeline
from models import CaseState
from services.access.purposes import Purpose
from services.dossiers.access_log import AccessLog, read_access_log
from services.dossiers.listing import MAX_PAGE, CaseFilter, find_person
from services.dossiers.listing import list_cases as page_of_cases
from services.dossiers.reading import CaseFile, read_case
from services.dossiers.stories import Story, tell_story
from services.intake.fields import Citizen, Day, Line
from services.intake.problems import Reason, refusal

router = APIRouter(prefix="/api/v1", tags=["cases"], route_class=GuardedRoute)

CaseNumber = Annotated[
    str,
    Path(pattern="^[0-9a-z-]{1,40}$", description="办件编号 / the case's number", examples=["370303-2014-000123"]),
]
_ONE_OF_TWO = Reason("one-of-two", "姓名和公民身份号码须填且只填一项", "give a name or an ID number, one of the two")


class CaseQuery(BaseModel):
    """What to list, and how much of it."""

    model_config = ConfigDict(extra="forbid")

    state: CaseState | None = None
    district: str | None = Field(default=None, pattern="^[0-9a-z-]{1,24}$", description="区县代码 / code of a district")
    department: str | None = Field(
        default=None,
        pattern="^[a-z-]{1,40}$",
        description="有未办结事项的部门 / a department with an unfinished step",
    )
    term: int | None = Field(default=None, ge=1, le=3, description="申领年限 / years asked for")
    received_from: Day | None = Field(default=None, description="受理日期不早于 / first day of receipt")
    received_to: Day | None = Field(default=None, description="受理日期不晚于 / last day of receipt")
    q: str | None = Field(default=None, pattern="^[0-9a-z-]{1,40}$", description="编号开头 / how the number begins")
    cursor: str | None = Field(
        default=None, pattern="^[A-Za-z0-9_-]{1,120}$", description="上页的 next / a page's `next`"
    )
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)

    def filter(self) -> CaseFilter:
        """The filter that the services take."""
        return CaseFilter(
            state=self.state,
            district=self.district,
            department=self.department,
            term=self.term,
            received_from=self.received_from,
            received_to=self.received_to,
            number_prefix=self.q,
        )


class PersonQuery(BaseModel):
    """Whom to look for: by name or by citizen ID number, in the body so that it stands in no address and no log."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Line | None = Field(default=None, max_length=60, repr=False)
    id_number: Citizen | None = Field(default=None, repr=False)
    purpose: Purpose = Field(default=Purpose.HANDLING, description="用途，记入审计日志 / what for, as it is logged")

    @model_validator(mode="after")
    def _one_of_two(self) -> PersonQuery:
        if (self.name is None) == (self.id_number is None):
            raise refusal(_ONE_OF_TWO)
        return self


@router.get("/cases", response_model=CaseList, responses=problems(422))
async def list_cases(query: Annotated[CaseQuery, Query()], house: TheHouse, caller: TheCaller) -> CaseList:
    """List cases, the newest first, page by page."""
    after = read_cursor(query.cursor) if query.cursor is not None else None
    page = await page_of_cases(house, caller.sight, query.filter(), after=after, limit=query.limit)
    items = [CaseItem.model_validate(item) for item in page.items]
    return CaseList(items=items, next=write_cursor(page.next) if page.next is not None else None)


@router.post("/cases/search", response_model=PersonFound)
async def search_cases(query: PersonQuery, house: TheHouse, caller: TheCaller) -> PersonFound:
    """Find a person's cases by name or ID number. Who searched, and to what purpose, is logged; whom for is not."""
    rows, more = await find_person(house, caller, name=query.name, id_number=query.id_number, purpose=query.purpose)
    return PersonFound(items=[CaseItem.model_validate(row) for row in rows], more=more)


@router.get("/cases/{number}", response_model=Case, responses=problems(404, 422))
async def show_case(number: CaseNumber, house: TheHouse, caller: TheCaller) -> CaseFile:
    """Show where a case stands, what it waits for, and what every department did."""
    return await read_case(house, number, caller.sight)


@router.get("/cases/{number}/timeline", response_model=Timeline, responses=problems(404, 422))
async def show_timeline(number: CaseNumber, house: TheHouse, caller: TheCaller) -> Story:
    """Tell the whole story of a case, in order."""
    return await tell_story(house, number, caller.sight)


@router.get("/cases/{number}/access-log", response_model=AccessLogView, responses=problems(404, 422))
async def show_access_log(number: CaseNumber, house: TheHouse, caller: TheCaller) -> AccessLog:
    """Show who was sent what about the person of a case, when, what for, and on what clause."""
    return await read_access_log(house, number, caller.sight)
