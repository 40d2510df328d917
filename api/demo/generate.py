"""Makes the demonstration's file anew, the same to the byte: ``python -m api.demo.generate [FILE]``.

192 applications, among them the edges of every age and about the shares of every turn that a case takes, and eight
rows that cannot be registered, each for another reason.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from api.demo.knowledge import Turn, what_is_known
from api.demo.people import Population
from api.demo.places import DISTRICTS
from api.demo.sheet import cells_of, write_sheet
from services.intake.identity import check_digit
from services.policy.registry import default_registry

FILE: Final = Path(__file__).with_name("applications.csv")
GOOD: Final = 192

_SEED = 201487
_FIRST_DAY, _LAST_DAY = date(2014, 10, 8), date(2014, 11, 3)
_FIRST_REGISTERED = date(2012, 1, 9)
# The day by which the ages of those at an edge are meant.
_DAY: Final = date(2014, 10, 20)
_TURNS: Final[tuple[tuple[Turn, int], ...]] = (("fall-back", 23), ("refused", 8), ("later", 16), ("waiting", 3))

_PROVABLE: Final = (("employment",), ("business",), ("housing",), ("employment", "housing"))

# Who stands at the edge of an age (reading, sections 三(一) and 三(二)), on the day or a few days before it.
_EDGES: Final[tuple[dict[str, Any], ...]] = (
    {"born_on": date(1998, 10, 20)},  # 16 on the day
    {"born_on": date(1998, 10, 24)},  # 15, soon 16
    {"born_on": date(1996, 10, 20)},  # 18 on the day
    {"born_on": date(1996, 10, 27)},  # 17, soon 18
    {"born_on": date(1964, 10, 20), "sex": "female"},  # 50 on the day
    {"born_on": date(1964, 10, 21), "sex": "female"},  # 49, 50 tomorrow
    {"born_on": date(1949, 10, 20), "sex": "female"},  # 65 on the day
    {"born_on": date(1949, 11, 5), "sex": "male"},  # 64, soon 65
    {"born_on": date(1988, 2, 29), "registered_on": date(2012, 2, 29)},  # no such day in most years
    {"children": [date(2011, 10, 20)]},  # 3 on the day
    {"children": [date(2011, 11, 2)]},  # 2, soon 3
    {"children": [date(2008, 8, 31)]},  # 6 by 31 August: school this year
    {"children": [date(2008, 9, 1)]},  # 6 a day too late: school next year
    {"children": [date(2009, 6, 15), date(2011, 12, 1)]},  # 5 and 2
    {"children": [date(2007, 10, 20)]},  # 7 on the day
    {"children": [date(2007, 10, 25)]},  # 6, soon 7
    {"children": [date(1999, 8, 31)]},  # school ended in July 2014
    {"children": [date(1999, 9, 1)]},  # last year of school
    {"children": [date(2000, 10, 20), date(2008, 3, 1)]},  # 14 and 6
    {"children": [date(1996, 10, 20)]},  # 18 on the day
    {"children": [date(1996, 10, 30)]},  # 17, soon 18
    {"grounds": ("other",)},
    {"grounds": ("employment", "business", "housing", "settlement")},
    {"grounds": ("settlement",)},
)


Cells = dict[str, str]


def _numbered(first_seventeen: str) -> Cells:
    return {"公民身份号码": first_seventeen + check_digit(first_seventeen)}


def _wrong_check(row: Cells, _other: Cells) -> Cells:
    number = row["公民身份号码"]
    return {"公民身份号码": number[:17] + ("1" if number[17] == "0" else "0")}


def _same_person(_row: Cells, other: Cells) -> Cells:
    return {title: other[title] for title in ("姓名", "公民身份号码", "手机号码")}


# Which row of the sheet (1 is the first application) is spoilt, and how; ``other`` is the row before it.
_SPOILT: Final[Mapping[int, Callable[[Cells, Cells], Cells]]] = {
    17: _wrong_check,
    42: lambda row, _: _numbered(row["公民身份号码"][:6] + "19850230" + row["公民身份号码"][14:17]),
    68: lambda row, _: _numbered("999999" + row["公民身份号码"][6:17]),
    93: lambda _row, _: {"申领期限": "3年", "申领情形": ""},
    118: lambda _row, _: {"受理日期": "2114-10-20"},
    141: lambda _row, _: {"区县": "历下区"},
    166: _same_person,
    189: lambda _row, _: {"姓名": ""},
}


def rows() -> list[Cells]:
    """The sheet's rows, in the order of receipt."""
    population = Population(_SEED)
    cases: list[tuple[date, dict[str, Any], Turn]] = [(_DAY, _edge(edge), "pass") for edge in _EDGES]
    turns: list[Turn] = [turn for turn, count in _TURNS for _ in range(count)]
    turns += ["pass"] * (GOOD - len(_EDGES) - len(turns))
    cases += [(_received_on(population), _asked(population, turn), turn) for turn in turns]
    cases.sort(key=lambda case: case[0])
    for place in _SPOILT:
        cases.insert(place - 1, (cases[place - 2][0], {"term_years": 3}, "pass"))
    districts = tuple(DISTRICTS)
    names = {code: name.zh for code, name in default_registry().packs[-1].districts.items()}
    made: list[Cells] = []
    for serial, (day, told, turn) in enumerate(cases, start=1):
        details = {"registered_on": _registered_on(population, day), "district": districts[serial % 10], **told}
        application = population.application(f"居申2014-{serial:04d}", day, **details)
        made.append(cells_of(application, what_is_known(application, population.draw, turn), names))
    for place, spoil in _SPOILT.items():
        made[place - 1] |= spoil(made[place - 1], made[place - 2])
    return made


def _edge(edge: dict[str, Any]) -> dict[str, Any]:
    """An edge with a ground that is proven, of a parent of the right age where it is about children."""
    parent = {"born_on": date(1973, 6, 15)} if "children" in edge else {}
    return {"term_years": 3, "grounds": ("employment",), **parent, **edge}


def _asked(population: Population, turn: Turn) -> dict[str, Any]:
    """What is asked for where a case is to take that turn: only 3 years can fall back, or hang on a ground."""
    if turn in {"pass", "refused"}:
        return {}
    return {"term_years": 3, "grounds": population.draw.choice(_PROVABLE)}


def _received_on(population: Population) -> date:
    """A working day of the weeks in which the file's applications came in."""
    while True:
        day = _FIRST_DAY + timedelta(days=population.draw.randrange((_LAST_DAY - _FIRST_DAY).days + 1))
        if day.weekday() < 5:
            return day


def _registered_on(population: Population, received_on: date) -> date:
    return received_on - timedelta(days=population.draw.randrange((received_on - _FIRST_REGISTERED).days + 1))


if __name__ == "__main__":
    write_sheet(Path(sys.argv[1]) if len(sys.argv) > 1 else FILE, rows())
