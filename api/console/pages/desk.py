"""A department's desk: what is asked by deadline; opened and answered one by one, or all together as a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, File, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from api.access import WORKBOOK, GuardedPage
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query
from api.state import TheCaller, TheDoors, TheHouse
from models import StepKind
from services.access import Caller
from services.doors import sheet_form as sheet
from services.doors.desk import answer_step, count_desk, list_desk, open_step
from services.doors.inbox import download_work, upload_answers
from services.doors.sheet_answers import RowProblem
from services.errors import AccessError
from services.lexicon import Named
from services.meetings.reading import wanted_of
from services.supervision.board import CardFilter, list_cards
from services.words import KIND_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

StepId = Annotated[str, Path(pattern="^[0-9a-z-]{1,80}$")]
_UNPROCESSABLE = 422
_CARDS_SHOWN = 5
# The columns of the sheet that the fields of an item stand for.
_CELLS = {"result": sheet.RESULT, "from_on": sheet.IN_FORCE_FROM, "reason": sheet.REASON, "note": sheet.NOTE}


class DeskQuery(ListQuery):
    """The filter of the desk."""

    kind: StepKind | None = None
    cursor: str | None = Field(default=None, pattern="^[A-Za-z0-9_-]{1,200}$")


class AnswerForm(Entered):
    """One line an item: its code with what was chosen and written."""

    code: list[str] = Field(default_factory=list, max_length=200)
    result: list[str] = Field(default_factory=list, max_length=200)
    from_on: list[str] = Field(default_factory=list, max_length=200)
    reason: list[str] = Field(default_factory=list, max_length=200)
    note: list[str] = Field(default_factory=list, max_length=200)
    authority: str = Field(default="", max_length=400)

    def lines(self) -> dict[str, dict[str, str]]:
        """What was chosen and written, by the code of the item and the name of the field."""
        columns = {"result": self.result, "from_on": self.from_on, "reason": self.reason, "note": self.note}
        return {
            code: {name: column[place].strip() if place < len(column) else "" for name, column in columns.items()}
            for place, code in enumerate(self.code)
        }

    def answers(self) -> dict[str, dict[str, str]]:
        """The same as cells of the sheet."""
        return {
            code: {_CELLS[name]: value for name, value in line.items()} | {sheet.AUTHORITY: self.authority}
            for code, line in self.lines().items()
        }


@router.get("/desk", name="page_desk")
async def page_desk(request: Request, query: Query[DeskQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show what is asked of the officer's department, the closest deadline first."""
    department = _department(caller)
    return page(
        request, "desk.html", query=query, first=query.cursor is None,
        name=house.department_name(department, house.database.clock.today()),
        counts=await count_desk(house, department),
        steps=await list_desk(house, department, kind=query.kind, cursor=query.cursor, limit=query.limit),
        kinds=[Named.of(kind.value, KIND_WORDS[kind.value]) for kind in StepKind],
        wanted=await wanted_of(house, department), department=department,
        cards=(await list_cards(house, caller.sight, CardFilter(counting=True), limit=_CARDS_SHOWN)).items,
    )  # fmt: skip


# The sheet comes before the steps: its address looks like that of a step.
@router.post("/desk/sheet", name="page_download_work")
async def page_download_work(doors: TheDoors, caller: TheCaller) -> Response:
    """Take all that waits as a sheet; with this the department has received it."""
    department = _department(caller)
    work = await download_work(doors.house, caller, department)
    if work.fresh:
        doors.bell.ring()
    day = doors.house.database.clock.today().isoformat()
    headers = {"content-disposition": f'attachment; filename="lianban-{department}-{day}.xlsx"'}
    return Response(work.content, media_type=WORKBOOK, headers=headers | {"cache-control": "no-store"})


@router.post("/desk/sheet/outcomes", name="page_upload_work")
async def page_upload_work(
    request: Request, sheet_file: Annotated[UploadFile, File(alias="sheet")], doors: TheDoors, caller: TheCaller
) -> HTMLResponse:
    """Take the filled sheet; show what was taken and what is wrong, row by row."""
    done = await upload_answers(doors.house, caller, _department(caller), await sheet_file.read())
    if done.taken.settled or done.taken.unchanged:
        doors.bell.ring()
    return page(request, "desk_sheet.html", done=done)


@router.post("/desk/{step}/open", name="page_open_step")
async def page_open_step(request: Request, step: StepId, doors: TheDoors, caller: TheCaller) -> HTMLResponse:
    """Open one step; with this the department has received it. By POST, since it is logged and starts the clock."""
    opened = await open_step(doors.house, caller, _department(caller), step)
    doors.bell.ring()
    return page(request, "desk_step.html", opened=opened, form=AnswerForm(), wrong={})


@router.post("/desk/{step}", name="page_answer_step")
async def page_answer_step(
    request: Request, step: StepId, form: Form[AnswerForm], doors: TheDoors, caller: TheCaller
) -> Response:
    """Take the answer, or show the step again with what is wrong at each item."""
    house, department = doors.house, _department(caller)
    taken, problems = await answer_step(house, caller, department, step, form.answers())
    if taken is None:
        opened = await open_step(house, caller, department, step)
        return page(
            request, "desk_step.html", status=_UNPROCESSABLE, opened=opened, form=form, wrong=_by_code(form, problems)
        )
    doors.bell.ring()
    return RedirectResponse("/console/desk", 303)


def _department(caller: Caller) -> str:
    if caller.sight.department is None:
        raise AccessError("a desk is a department's; sign in as one of its officers", place="account")
    return caller.sight.department


def _by_code(form: AnswerForm, problems: Sequence[RowProblem]) -> dict[str, RowProblem]:
    return {form.code[one.row]: one for one in problems}
