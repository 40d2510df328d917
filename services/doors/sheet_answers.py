"""Reading a sheet that came back: each row judged by itself, the good ones put together into outcomes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from services.doors import sheet_form as form
from services.errors import InputError
from services.exchange.masking import NOTE as MAX_NOTE
from services.exchange.masking import mask
from services.exchange.outcomes import MAX_AUTHORITY, Declined, Outcome, ServiceOutcome
from services.exchange.reasons import REASONS
from services.intake.problems import Problem
from services.intake.workbooks import read_workbook

MAX_ROWS = 20_000
_PLACE = "sheet"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One filled row: its number in the file, the step and the item it answers, and the cells to fill, as text."""

    number: int
    step: str
    code: str
    cells: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row."""

    row: int
    problem: Problem


def read_rows(content: bytes) -> list[SheetRow]:
    """The rows with a result in the workbook ``content``; InputError if it is not the sheet that was handed out."""
    with tempfile.TemporaryDirectory(prefix="lianban-sheet-") as folder:
        path = Path(folder) / f"{_PLACE}.xlsx"
        path.write_bytes(content)
        return list(_filled(path))


def _filled(path: Path) -> Iterator[SheetRow]:
    columns: dict[str, int] = {}
    for number, cells in read_workbook(path):
        texts = [_text(cell) for cell in cells]
        if not columns:
            columns = {title: position for position, title in enumerate(texts) if title in form.COLUMNS}
            missing = [title for title in form.NEEDED if title not in columns]
            if missing:
                raise InputError(
                    f"首行缺少列：{'、'.join(missing)}；请用下载的表格填写 / columns are missing; fill in the sheet "
                    "as downloaded",
                    place=_PLACE,
                )
            continue
        if number > MAX_ROWS + 1:
            raise InputError(
                f"超过{MAX_ROWS}行，请分批上传 / more than {MAX_ROWS} rows; hand it in in parts", place=_PLACE
            )
        row = {title: texts[position] for title, position in columns.items() if position < len(texts)}
        if row.get(form.RESULT):
            yield SheetRow(number, row.get(form.STEP, ""), row.get(form.CODE, ""), row)
    if not columns:
        raise InputError("工作表是空的 / the sheet is empty", place=_PLACE)


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return " ".join(str(cell if cell is not None else "").split())


def weigh_rows(
    rows: list[SheetRow], asked: Mapping[str, Mapping[str, str]]
) -> tuple[tuple[Outcome, ...], list[RowProblem]]:
    """The outcomes that the good rows amount to, and what is wrong with the others.

    ``asked``: for each step of the department, its items by code with the kind of row each is (``sheet_form.ASKED``).
    """
    outcomes: dict[str, Outcome] = {}
    problems: list[RowProblem] = []
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        try:
            _check_place(row, asked, seen)
            outcomes[row.step] = _with(outcomes.get(row.step, Outcome(row.step)), row, asked[row.step][row.code])
            seen[row.step, row.code] = row.number
        except _RowError as error:
            problems.append(RowProblem(row.number, error.problem))
    return tuple(outcomes.values()), problems


class _RowError(Exception):
    def __init__(self, field: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.problem = Problem(field, zh, en)


def _check_place(row: SheetRow, asked: Mapping[str, Mapping[str, str]], seen: Mapping[tuple[str, str], int]) -> None:
    if row.step not in asked:
        raise _RowError(form.STEP, "不是本部门的协办事项", "is no step of this department")
    if row.code not in asked[row.step]:
        raise _RowError(form.CODE, "该协办事项中没有此项", "is not asked by this step")
    if (row.step, row.code) in seen:
        first = seen[row.step, row.code]
        raise _RowError(form.STEP, f"与第{first}行重复", f"answers the same as row {first}")


def _with(outcome: Outcome, row: SheetRow, ask: str) -> Outcome:
    """``outcome`` with what ``row`` says besides."""
    answers = form.ASKED[ask].answers
    told = answers.get(row.cells[form.RESULT])
    if told is None:
        choices = "、".join(answers)
        raise _RowError(form.RESULT, f"应为：{choices}", f"must be one of {choices}")
    note, authority = _bounded(row, form.NOTE, MAX_NOTE), _bounded(row, form.AUTHORITY, MAX_AUTHORITY)
    outcome = replace(outcome, authority=outcome.authority or authority)
    if ask == form.NOTICE:
        return replace(outcome, received=True)
    if ask == form.FACT:
        if told == form.DECLINED:
            return replace(outcome, declined=Declined(_reason(row, "facts"), note))
        return replace(outcome, facts={**outcome.facts, row.code: told == "yes"})
    if told == form.DECLINED:
        said = ServiceOutcome("declined", None, _reason(row, "services"), note)
    elif told == "in_force":
        said = ServiceOutcome("in_force", _day(row), None, note)
    else:
        said = ServiceOutcome("ended", None, None, note)
    return replace(outcome, services={**outcome.services, row.code: said})


def _bounded(row: SheetRow, title: str, limit: int) -> str | None:
    text = row.cells.get(title, "")
    if len(text) > limit:
        raise _RowError(title, f"超过{limit}字", f"is longer than {limit} characters")
    return mask(text) or None


def _reason(row: SheetRow, concern: str) -> str:
    code = form.REASON_CODES.get(row.cells.get(form.REASON, ""))
    fitting = {known: its.zh for known, its in REASONS.items() if concern in its.concerns}
    if code not in fitting:
        choices = "、".join(fitting.values())
        raise _RowError(form.REASON, f"应为：{choices}", f"must be one of {', '.join(fitting)}")
    return code


def _day(row: SheetRow) -> date | None:
    text = row.cells.get(form.IN_FORCE_FROM, "")
    if not text:
        return None
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise _RowError(form.IN_FORCE_FROM, "应为日期，如 2014-11-03", "must be a day as 2014-11-03") from None
