"""Bringing in a file of applications: good rows go in, each bad one comes back with its row, field and reason.

The file goes in by parts of 200 rows, each whole or not at all; the same file again adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from services.intake.columns import BY_PATH
from services.intake.divisions import Districts
from services.intake.problems import Problem
from services.intake.register import Registry
from services.intake.rejects import Reject, write_rejects
from services.intake.rows import Row, read_applications

_PART = 200


@dataclass(slots=True)
class ImportReport:
    """What became of a file: rows read, cases new and known already, and rows sent back, by row number."""

    rows: int = 0
    new: list[str] = field(default_factory=list)
    known: int = 0
    rejects: list[Reject] = field(default_factory=list)
    rejects_file: Path | None = None

    @property
    def rejected_rows(self) -> int:
        """How many rows were sent back."""
        return len({reject.row for reject in self.rejects})


async def import_file(
    registry: Registry,
    path: Path,
    districts: Districts,
    actor: str,
    told: Callable[[ImportReport], None] = lambda _report: None,
) -> ImportReport:
    """Read ``path`` and register what is good. InputError if the file as a whole cannot be read.

    ``told`` is called after every part, to show progress.
    """
    report = ImportReport()
    seen: dict[str, str] = {}
    rows = read_applications(path, districts=districts, today=registry.database.clock.today())
    for part in _parts(rows):
        report.rows += len(part)
        good = [row for row in part if row.application is not None]
        report.rejects += [Reject(row.number, problem) for row in part for problem in row.problems]
        applications = [row.application for row in good if row.application is not None]
        answers = await registry.register(applications, actor, seen)
        for row, answer in zip(good, answers, strict=True):
            if answer.problem is not None:
                report.rejects.append(Reject(row.number, _as_column(answer.problem)))
            elif answer.new and answer.number is not None:
                report.new.append(answer.number)
            else:
                report.known += 1
        told(report)
    report.rejects.sort(key=lambda reject: reject.row)
    # Also without any: a list left by an earlier import of the same file would mislead.
    report.rejects_file = write_rejects(path, report.rejects)
    return report


def _as_column(problem: Problem) -> Problem:
    """The problem under the heading of its column, as the file names it."""
    column = BY_PATH.get(problem.field)
    return problem if column is None else replace(problem, field=column.title)


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    every = iter(rows)
    while part := list(islice(every, _PART)):
        yield part
