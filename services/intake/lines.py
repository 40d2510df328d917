"""Applications in a .jsonl: one JSON object a line, in the form of the HTTP door or flat under a sheet's headings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from services.intake.columns import column_of, is_fixture, is_sample
from services.intake.entries import WHOLE_ROW, Desk, Row
from services.intake.problems import Problem
from services.intake.values import as_text

MAX_LINE: Final = 64 * 1024

_TOO_LONG = Problem(WHOLE_ROW, "该行超过 64 KB", "the line is longer than 64 KB")
_NO_TEXT = Problem(WHOLE_ROW, "该行不是 UTF-8 文本", "the line is not UTF-8")
_NO_JSON = Problem(
    WHOLE_ROW,
    "该行不是一个有效的 JSON 对象，或有重复的字段",
    "the line is not one valid JSON object, or a key stands twice",
)
_UNKNOWN = Problem(
    WHOLE_ROW,
    "有无法识别或重复的字段，或字段的值不是文本、数字、是否",
    "a key is unknown or stands twice, or a value is neither text, number nor true or false",
)
_NESTED = frozenset({"person", "residence", "declared"})


class _LineError(Exception):
    """A line holds no application at all."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.en)


def read_lines(path: Path, desk: Desk) -> Iterator[Row]:
    """The rows of a .jsonl (UTF-8), numbered by line; blank lines and samples are passed over."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            bare = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if not bare:
                continue
            try:
                row = _judge(number, _entry(bare), desk)
            except _LineError as error:
                row = Row(number, None, (error.problem,))
            if row is not None:
                yield row


def _entry(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise _LineError(_TOO_LONG)
    try:
        entry = json.loads(line.decode(), object_pairs_hook=_unrepeated, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise _LineError(_NO_TEXT) from None
    except (ValueError, RecursionError):
        raise _LineError(_NO_JSON) from None
    if not isinstance(entry, dict):
        raise _LineError(_NO_JSON)
    return entry


def _judge(number: int, entry: dict[str, Any], desk: Desk) -> Row | None:
    """The row that ``entry`` makes, None for the sample. It is nested like the model, or flat like a sheet."""
    told = [entry.pop(key) for key in list(entry) if is_fixture(key)]
    fixture_text = told[0] if told and isinstance(told[0], str) else None
    if _NESTED & entry.keys():
        sample = is_sample(entry.get("application_number"))
        return None if sample else desk.judge_object(number, entry, fixture_text)
    cells = _cells(entry)
    sample = is_sample(cells.get("application_number"))
    return None if sample else desk.judge_cells(number, cells, fixture_text)


def _cells(entry: Mapping[str, Any]) -> dict[str, str]:
    """A flat object's values as texts by the path of their column."""
    cells: dict[str, str] = {}
    for key, value in entry.items():
        column = column_of(key)
        if column is None or column.path in cells or not isinstance(value, str | int | float | bool | None):
            raise _LineError(_UNKNOWN)
        cells[column.path] = as_text(value)
    return cells


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) != len(pairs):
        # Which of the two counts, nobody can tell.
        raise ValueError("a key stands twice")
    return entry


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")
