"""The file door: the sheet says what the message says, and a filled one takes effect row by row."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import select

from models import AuditEntry, Door, Role, StepState
from services.access import Caller
from services.database import table
from services.doors import sheet_form as form
from services.doors.inbox import download_work, upload_answers
from services.doors.sheet_answers import read_rows
from services.dossiers.reading import read_case
from services.errors import InputError
from services.house import House
from services.intake.workbooks import read_workbook
from tests.services.doors.conftest import Open, attempts_of, steps_of
from tests.testing.departments import Departments, work

OFFICER = Caller("li", Role.OFFICER, "hrss")


@pytest.fixture
async def inbox(departments: Departments, change: Any) -> None:
    """hrss works from the inbox."""
    del departments
    await change("hrss", door=Door.INBOX, url=None)


def rows_of(content: bytes, tmp_path: Path) -> list[dict[str, str]]:
    path = tmp_path / "work.xlsx"
    path.write_bytes(content)
    head, *rows = [[str(cell) for cell in row] for _, row in read_workbook(path)]
    return [dict(zip(head, row, strict=True)) for row in rows]


def sheet_of(rows: list[dict[str, Any]]) -> bytes:
    """A workbook with the rows as somebody filled them in."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet(form.SHEET)
        for position, title in enumerate(form.COLUMNS):
            sheet.write_string(0, position, title)
            for line, row in enumerate(rows, start=1):
                if title in row:
                    sheet.write(line, position, row[title])
    return target.getvalue()


def filled(rows: list[dict[str, str]], fill: Callable[[dict[str, str]], dict[str, Any]]) -> bytes:
    return sheet_of([row | fill(row) for row in rows])


async def audited(house: House, action: str) -> list[Any]:
    entries = table(AuditEntry)
    async with house.database.read() as connection:
        return list((await connection.execute(select(entries).where(entries.c.action == action))).all())


@pytest.mark.usefixtures("inbox")
async def test_down_and_up_again(house: House, open_case: Open, tmp_path: Path) -> None:
    number = await open_case()
    step = f"{number}-v-hrss-1"
    taken = await download_work(house, OFFICER, "hrss")
    assert (taken.steps, taken.fresh) == (1, 1)
    rows = rows_of(taken.content, tmp_path)
    assert {row[form.CODE] for row in rows} == {"labour_contract", "social_insurance"}
    assert {row[form.STEP] for row in rows} == {step}
    (standing,) = await steps_of(house, "hrss")
    assert standing.state is StepState.RECEIVED
    (attempt,) = await attempts_of(house, step)
    assert (attempt.door, attempt.number) == (Door.INBOX, 1)
    done = await upload_answers(
        house, OFFICER, "hrss", filled(rows, lambda _: {form.RESULT: "属实", form.AUTHORITY: "参保登记"})
    )
    assert (done.taken.settled, done.rejected) == ((step,), ())
    await work(house, number)
    case = await read_case(house, number)
    assert case.permit is not None
    assert {fact.authority for fact in case.facts if fact.department.code == "hrss"} == {"参保登记"}
    assert "officer:li" in {entry.actor for entry in await audited(house, "steps.answered")}
    assert [entry.detail["steps"] for entry in await audited(house, "work.downloaded")] == [[step]]


@pytest.mark.usefixtures("inbox")
async def test_the_sheet_bears_no_field_that_the_message_does_not(
    house: House, open_case: Open, tmp_path: Path
) -> None:
    number = await open_case()
    content = (await download_work(house, OFFICER, "hrss")).content
    (attempt,) = await attempts_of(house, f"{number}-v-hrss-1")
    allowed = {form.PERSON[name] for name in attempt.fields.split()}
    for row in rows_of(content, tmp_path):
        assert {title for title in form.PERSON.values() if row[title]} == allowed


@pytest.mark.usefixtures("inbox")
async def test_what_is_not_answered_stands_in_the_next_sheet(house: House, open_case: Open) -> None:
    await open_case()
    await download_work(house, OFFICER, "hrss")
    await open_case()
    again = await download_work(house, OFFICER, "hrss")
    assert (again.steps, again.fresh) == (2, 1)
    third = await download_work(house, OFFICER, "hrss")
    assert (third.steps, third.fresh) == (2, 0)


@pytest.mark.usefixtures("inbox")
async def test_a_bad_row_is_told_and_holds_up_no_other(house: House, open_case: Open, tmp_path: Path) -> None:
    numbers = [await open_case(), await open_case()]
    rows = rows_of((await download_work(house, OFFICER, "hrss")).content, tmp_path)
    bad = {
        2: {form.RESULT: "也许"},
        3: {form.RESULT: "无法核验", form.REASON: "名额已满，已列入轮候"},
    }
    rows = [row | bad.get(line, {form.RESULT: "属实"}) for line, row in enumerate(rows, start=2)]
    rows += [
        rows[-1],
        rows[-1] | {form.STEP: "370303-2014-999999-v-hrss-1"},
        rows[-1] | {form.CODE: "home_owned"},
        rows[-1] | {form.RESULT: ""},
    ]
    done = await upload_answers(house, OFFICER, "hrss", sheet_of(rows))
    assert [(one.row, one.problem.field) for one in done.rejected] == [
        (2, form.RESULT),
        (3, form.REASON),
        (6, form.STEP),
        (7, form.STEP),
        (8, form.CODE),
    ]
    assert done.rows == 7
    settled = set(done.taken.settled)
    assert len(settled) == 1
    assert settled < {f"{number}-v-hrss-1" for number in numbers}


@pytest.mark.usefixtures("inbox")
async def test_the_same_file_again_changes_nothing(house: House, open_case: Open, tmp_path: Path) -> None:
    await open_case()
    rows = rows_of((await download_work(house, OFFICER, "hrss")).content, tmp_path)
    content = filled(rows, lambda _: {form.RESULT: "属实"})
    assert not (await upload_answers(house, OFFICER, "hrss", content)).taken.repeated
    assert (await upload_answers(house, OFFICER, "hrss", content)).taken.repeated
    other = filled(rows, lambda _: {form.RESULT: "不属实"})
    assert (await upload_answers(house, OFFICER, "hrss", other)).taken.contradicted


@pytest.mark.usefixtures("departments")
async def test_services_are_opened_and_declined_by_sheet(
    house: House, open_case: Open, change: Any, tmp_path: Path
) -> None:
    await change("housing-fund", door=Door.INBOX, url=None)
    number = await open_case()
    officer = Caller("wang", Role.OFFICER, "housing-fund")
    rows = rows_of((await download_work(house, officer, "housing-fund")).content, tmp_path)
    asked = [row for row in rows if row[form.ASKS] == "开通"]
    while not asked:
        await upload_answers(
            house,
            officer,
            "housing-fund",
            filled(rows, lambda row: {form.RESULT: {"核验": "属实"}.get(row[form.ASKS], "已登记")}),
        )
        await work(house, number)
        rows = rows_of((await download_work(house, officer, "housing-fund")).content, tmp_path)
        asked = [row for row in rows if row[form.ASKS] == "开通"]
    content = filled(asked, lambda _: {form.RESULT: "不予办理", form.REASON: "缺少所需材料", form.NOTE: "补齐后再办"})
    done = await upload_answers(house, officer, "housing-fund", content)
    assert (len(done.taken.settled), done.rejected) == (1, ())
    mine = [one for one in (await read_case(house, number)).entitlements if one.department.code == "housing-fund"]
    assert {(one.state.code, one.reason.code) for one in mine if one.reason} == {("declined", "document-missing")}


async def test_what_the_endpoint_does_not_take_waits_in_the_inbox(
    house: House, departments: Departments, open_case: Open, change: Any
) -> None:
    await change("hrss", districts=["370302"])
    await open_case()
    assert (await download_work(house, OFFICER, "hrss")).fresh == 1
    assert not any(event["id"].endswith("-hrss-1") for event in departments.sent)


async def test_a_department_that_is_pushed_to_can_answer_by_sheet_too(
    house: House, departments: Departments, open_case: Open, tmp_path: Path
) -> None:
    departments.silent.add("hrss")
    number = await open_case()
    taken = await download_work(house, OFFICER, "hrss")
    assert (taken.steps, taken.fresh) == (1, 0)
    rows = rows_of(taken.content, tmp_path)
    done = await upload_answers(house, OFFICER, "hrss", filled(rows, lambda _: {form.RESULT: "属实"}))
    assert done.taken.settled == (f"{number}-v-hrss-1",)


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize("content", [b"", b"PK", b"{}", json.dumps({"a": 1}).encode()])
async def test_what_is_no_sheet_is_refused(house: House, content: bytes) -> None:
    with pytest.raises(InputError, match="sheet"):
        await upload_answers(house, OFFICER, "hrss", content)


def test_a_sheet_without_its_columns_is_refused() -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        book.add_worksheet("x").write_row(0, 0, [form.STEP, form.CODE])
    with pytest.raises(InputError, match="办理结果"):
        read_rows(target.getvalue())
