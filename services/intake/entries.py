"""One row of a file made into an application, or into what is wrong with it. Every problem of a row is told at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from services.intake.application import NO_DISTRICT, Application
from services.intake.columns import BY_PATH, COLUMNS
from services.intake.divisions import Districts
from services.intake.problems import Problem, problems
from services.intake.values import CellError

WHOLE_ROW: Final = "整行"

_INDEXED = re.compile(r"(\w+)\[(\d+)\].*")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``number`` is the row as the sheet shows it (headings are row 1), or the line of a .jsonl.

    Either ``application`` is there or ``problems`` are. ``fixture_text`` is the column 演示核验, not looked at.
    """

    number: int
    application: Application | None
    problems: tuple[Problem, ...] = ()
    fixture_text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Desk:
    """What an application is judged by beside itself: the city's districts, and the day (Asia/Shanghai)."""

    districts: Districts
    today: date

    def judge_cells(self, number: int, cells: Mapping[str, str], fixture_text: str | None = None) -> Row:
        """The row whose texts are given by the path of their column. Problems bear the columns' headings."""
        values: dict[str, Any] = {"person": {}, "residence": {}, "declared": {}}
        found: list[Problem] = []
        for column in COLUMNS:
            text = cells.get(column.path, "")
            if not text:
                if not column.may_be_blank:
                    found.append(Problem(column.title, "不能为空", "must not be empty"))
                continue
            try:
                _put(values, column.path, self._district(text) if column.path == "district" else column.read(text))
            except CellError as error:
                found.append(Problem(column.title, error.reason.zh, error.reason.en))
        told = {problem.field for problem in found}
        judged = self._judge(number, values, fixture_text)
        # What could not be read is missing from the application too: it is told once.
        found += [problem for problem in map(_by_heading, judged.problems) if problem.field not in told]
        return Row(number, None if found else judged.application, _in_order(found), fixture_text)

    def judge_object(self, number: int, values: Mapping[str, Any], fixture_text: str | None = None) -> Row:
        """The row given as the application's own JSON object. Problems bear the paths of its fields."""
        district = values.get("district")
        if isinstance(district, str):
            values = {**values, "district": self.districts.find(district) or district}
        return self._judge(number, values, fixture_text)

    def _judge(self, number: int, values: Mapping[str, Any], fixture_text: str | None) -> Row:
        try:
            application = Application.model_validate(values)
        except ValidationError as error:
            return Row(number, None, problems(error), fixture_text)
        found = application.problems_at(self.today, self.districts)
        return Row(number, None if found else application, found, fixture_text)

    def _district(self, text: str) -> str:
        code = self.districts.find(text)
        if code is None:
            raise CellError(NO_DISTRICT)
        return code


def _put(values: dict[str, Any], path: str, value: object) -> None:
    part, _, name = path.rpartition(".")
    (values[part] if part else values)[name] = value


def _by_heading(problem: Problem) -> Problem:
    """The problem under its column's heading; one of several children or grounds says which."""
    indexed = _INDEXED.fullmatch(problem.field)
    if indexed is None:
        column = BY_PATH.get(problem.field)
        return replace(problem, field=column.title) if column else problem
    which = int(indexed[2]) + 1
    return Problem(BY_PATH[indexed[1]].title, f"第{which}项：{problem.zh}", f"item {which}: {problem.en}")


def _in_order(found: Iterable[Problem]) -> tuple[Problem, ...]:
    order = {column.title: position for position, column in enumerate(COLUMNS)}
    return tuple(sorted(found, key=lambda problem: order.get(problem.field, len(order))))
