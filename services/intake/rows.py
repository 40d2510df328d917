"""Files of applications, row by row: each row an application, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from services.errors import InputError
from services.intake.columns import Column, is_sample, place_columns
from services.intake.divisions import Districts
from services.intake.entries import WHOLE_ROW, Desk, Row
from services.intake.lines import read_lines
from services.intake.problems import Problem
from services.intake.sheets import Record, kind_of, read_table
from services.intake.values import as_text

__all__ = ["WHOLE_ROW", "Row", "read_applications"]

_TOO_WIDE = Problem(
    WHOLE_ROW,
    "有内容超出列名的范围，请检查分隔符和引号",
    "there is more in the row than there are headings; check commas and quotation marks",
)


def read_applications(path: Path, *, districts: Districts, today: date) -> Iterator[Row]:
    """Read a file of applications (.xlsx, .csv in UTF-8 or GB 18030, .jsonl), one row after the other.

    Blank rows and the template's sample are passed over. ``today`` is the day in Asia/Shanghai. Raises InputError for
    what is wrong with the file as a whole: at once for its kind and its headings, later where it breaks off.
    """
    kind = kind_of(path)
    desk = Desk(districts, today)
    if kind == ".jsonl":
        return read_lines(path, desk)
    records = (record for record in read_table(path, kind) if any(as_text(cell) for cell in record[1]))
    headings = next(records, None)
    if headings is None:
        raise InputError("文件中没有内容 / the file has nothing in it", place=path.name)
    placed = place_columns([as_text(cell) for cell in headings[1]])
    return _read_records(records, placed, desk)


def _read_records(records: Iterator[Record], placed: Mapping[int, Column | None], desk: Desk) -> Iterator[Row]:
    for number, record in records:
        cells: dict[str, str] = {}
        fixture_text: str | None = None
        too_wide = False
        for position, cell in enumerate(record):
            text = as_text(cell)
            if position not in placed:
                too_wide = too_wide or bool(text)
            elif (column := placed[position]) is None:
                fixture_text = text or None
            else:
                cells[column.path] = text
        if is_sample(cells.get("application_number")):
            continue
        row = desk.judge_cells(number, cells, fixture_text)
        yield Row(number, None, (_TOO_WIDE,), fixture_text) if too_wide else row
