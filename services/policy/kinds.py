"""The kinds of condition by the names a pack gives them, and how each is read from its entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.policy.conditions import (
    ChildAge,
    ChildBeforeSchool,
    ChildInSchool,
    Condition,
    Declared,
    FactHolds,
    HolderAge,
    HolderSex,
)
from services.policy.pack import Fact, Parameter
from services.policy.question import DECLARATIONS, SEXES
from services.policy.reading import Entry
from services.policy.text import Text


@dataclass(frozen=True, slots=True)
class Defined:
    """What a condition may name: the parameters, facts and settlements of its pack, and the school year's start."""

    parameters: Mapping[str, Parameter]
    facts: Mapping[str, Fact]
    settlements: Mapping[str, Text]
    year_starts: tuple[int, int]

    def years(self, entry: Entry, key: str) -> int:
        """Return the value of the parameter (in years) that a field names."""
        code = entry.one_of(key, self.parameters, "parameter")
        parameter = self.parameters.get(code)
        if parameter is not None and parameter.unit != "years":
            entry.note(key, f"{code!r} is not in years")
        return parameter.value if parameter is not None else 0


def read_condition(entry: Entry, defined: Defined) -> Condition:
    """Read one condition by its ``kind``."""
    kind = entry.one_of("kind", KINDS, f"kind of condition ({', '.join(KINDS)})")
    named: dict[str, Any] = {
        "code": entry.text("code"),
        "title": entry.words("title"),
        "settlements": entry.names("settlements", defined.settlements, "settlement"),
    }
    if kind not in KINDS:
        return FactHolds(**named, fact="")  # noted already; its other fields belong to no kind
    condition = KINDS[kind](entry, defined, named)
    entry.done()
    return condition


def _fact(entry: Entry, defined: Defined, named: dict[str, Any]) -> Condition:
    return FactHolds(**named, fact=entry.one_of("fact", defined.facts, "fact"))


def _declared(entry: Entry, _: Defined, named: dict[str, Any]) -> Condition:
    return Declared(**named, declaration=entry.one_of("declaration", DECLARATIONS, "declaration"))


def _holder_sex(entry: Entry, _: Defined, named: dict[str, Any]) -> Condition:
    return HolderSex(**named, sex=entry.one_of("sex", SEXES, "sex"))


def _holder_age(entry: Entry, defined: Defined, named: dict[str, Any]) -> Condition:
    first = defined.years(entry, "from") if entry.has("from") else 0
    below = defined.years(entry, "below") if entry.has("below") else None
    _check_range(entry, first, below)
    return HolderAge(**named, first=first, below=below)


def _child_age(entry: Entry, defined: Defined, named: dict[str, Any]) -> Condition:
    first = defined.years(entry, "from") if entry.has("from") else 0
    below = defined.years(entry, "below")
    _check_range(entry, first, below)
    return ChildAge(**named, first=first, below=below)


def _child_before_school(entry: Entry, defined: Defined, named: dict[str, Any]) -> Condition:
    first, school_age = defined.years(entry, "from"), defined.years(entry, "school_age")
    _check_range(entry, first, school_age)
    return ChildBeforeSchool(**named, first=first, school_age=school_age, year_starts=defined.year_starts)


def _child_in_school(entry: Entry, defined: Defined, named: dict[str, Any]) -> Condition:
    return ChildInSchool(
        **named,
        school_age=defined.years(entry, "school_age"),
        school_years=defined.years(entry, "school_years"),
        year_starts=defined.year_starts,
    )


def _check_range(entry: Entry, first: int, below: int | None) -> None:
    if below is not None and first >= below:
        entry.note("", f"leaves no age between {first} and {below}")


KINDS: Final[Mapping[str, Callable[[Entry, Defined, dict[str, Any]], Condition]]] = {
    "fact": _fact,
    "declared": _declared,
    "holder-sex": _holder_sex,
    "holder-age": _holder_age,
    "child-age": _child_age,
    "child-before-school": _child_before_school,
    "child-in-school": _child_in_school,
}
"""Every kind. A new one is a class in `conditions` and a line here."""
