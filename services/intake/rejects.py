"""The file of rejected rows that stands beside an imported one: which row, which field, why. Nothing personal."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from services.errors import InputError
from services.intake.problems import Problem

_HEADINGS = ("行号", "字段", "原因", "reason")
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Reject:
    """One problem of one row; a row with several has several."""

    row: int
    problem: Problem


def rejected_path(path: Path) -> Path:
    """Where the rejected rows of ``path`` are told of: ``applications.csv`` gives ``applications.rejected.csv``."""
    return path.with_name(f"{path.stem}.rejected.csv")


def write_rejects(path: Path, rejects: Iterable[Reject]) -> Path | None:
    """Write what was rejected of the file ``path`` beside it (UTF-8 with its mark, which Excel looks for).

    Gives the file's path, or None where nothing was rejected; what an earlier import left there is then removed.
    Raises InputError, naming the file, if it cannot be written.
    """
    target = rejected_path(path)
    lines = [(reject.row, reject.problem.field, reject.problem.zh, reject.problem.en) for reject in rejects]
    try:
        if not lines:
            target.unlink(missing_ok=True)
            return None
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_HEADINGS)
            writer.writerows([row, *map(harmless, words)] for row, *words in lines)
    except OSError:
        raise InputError("文件无法写入 / the file cannot be written", place=target.name) from None
    return target


def harmless(text: str) -> str:
    """``text`` as a spreadsheet shows it and never runs it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
