"""Amendments: small changes to a pack as data, each applied to the pack's content and checked like any pack.

A change that does not hold (an unknown service, an owner that is no department) is an InputError that names it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.errors import InputError
from services.policy.loading import pack_from
from services.policy.pack import Pack

_Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
_Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
_DAY = timedelta(days=1)
MAX_CHANGES = 50
Content = dict[str, Any]


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameter(_Change):
    """调整参数 / another value of a figure of the pack, such as an age in years."""

    kind: Literal["parameter"]
    parameter: _Code
    value: int = Field(ge=0, le=150)

    def apply(self, content: Content, from_on: date, basis: str) -> None:
        """Write the value, with its source."""
        del from_on
        entry = _entry(content, "parameters", "code", self.parameter)
        entry |= {"value": self.value, "law": False, "source": {"zh": basis, "en": f"settled by {basis}"}}


class Time(_Change):
    """调整承诺时限 / another length of a time limit, for applications received from the amendment's day on."""

    kind: Literal["time"]
    clock: _Code
    days: int = Field(ge=1, le=1_000)

    def apply(self, content: Content, from_on: date, basis: str) -> None:
        """End the limit that binds now on the day before, and add one that begins."""
        standing = [one for one in content["clocks"] if one["code"] == self.clock]
        open_ = [one for one in standing if one.get("until", "9999") >= from_on.isoformat()]
        if not open_:
            raise InputError(f"the pack has no time limit {self.clock} that binds from {from_on} on", place="clock")
        last = open_[-1]
        fresh = {**last, "days": self.days, "from": from_on.isoformat(), "law": False}
        fresh["source"] = {"zh": basis, "en": f"settled by {basis}"}
        if last["from"] >= from_on.isoformat():
            raise InputError(f"a later limit begins on {last['from']} already; give a day after it", place="from_on")
        last["until"] = (from_on - _DAY).isoformat()
        content["clocks"].append(fresh)


class Owner(_Change):
    """变更承办部门 / services, or facts, that belong to another department from the amendment's day on."""

    kind: Literal["owner"]
    services: tuple[_Code, ...] = Field(default=(), max_length=100)
    facts: tuple[_Code, ...] = Field(default=(), max_length=40)
    department: _Code

    def apply(self, content: Content, from_on: date, basis: str) -> None:
        """Add a dated line to each owner."""
        del basis
        if not self.services and not self.facts:
            raise InputError("say which services or facts are handed over", place="services")
        of_services = [_entry(content, "services", "id", one) for one in self.services]
        for entry in (*of_services, *(_entry(content, "facts", "name", one) for one in self.facts)):
            _add_line(entry["owner"], from_on, {"code": self.department})


class Ground(_Change):
    """认可申领情形 / facts that, all of them true, prove a ground for the 3-year permit (ZB87-2.5, A8)."""

    kind: Literal["ground"]
    ground: _Code = "other"
    facts: tuple[_Code, ...] = Field(min_length=1, max_length=10)

    def apply(self, content: Content, from_on: date, basis: str) -> None:
        """Add a way to prove the ground, under the clause that the ground has already."""
        del from_on, basis
        ground = _entry(content["permit"], "grounds", "code", self.ground)
        ground["routes"].append({"clause": ground["routes"][0]["clause"], "facts": list(self.facts)})


class Name(_Change):
    """部门更名 / what a department is called from the amendment's day on."""

    kind: Literal["name"]
    department: _Code
    zh: _Words
    en: _Words

    def apply(self, content: Content, from_on: date, basis: str) -> None:
        """Add a dated line to its names."""
        del basis
        entry = _entry(content, "departments", "code", self.department)
        _add_line(entry["names"], from_on, {"zh": self.zh, "en": self.en})


class LastDay(_Change):
    """调整有效期 / another last day of receipt that the pack covers: ended before its time, or prolonged (ZB87-5.1)."""

    kind: Literal["last-day"]
    last_day: date

    def apply(self, content: Content, from_on: date, basis: str) -> None:
        """Write the day."""
        del basis
        if self.last_day < from_on - _DAY:
            raise InputError(f"lies before the amendment's own day, {from_on}", place="last_day")
        content["in_force"]["until"] = self.last_day.isoformat()


Change = Parameter | Time | Owner | Ground | Name | LastDay
AnyChange = Annotated[Change, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[list[Change]] = TypeAdapter(
    Annotated[list[AnyChange], Field(min_length=1, max_length=MAX_CHANGES)]
)


def read_changes(content: object) -> list[Change]:
    """The changes that ``content``, a list of JSON objects, says; InputError with the first thing that is wrong."""
    try:
        return _ADAPTER.validate_python(content)
    except ValidationError as problem:
        first = problem.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "changes"
        raise InputError(str(first["msg"]), place=f"changes.{place}") from None


def amended(pack: Pack, changes: Sequence[Change], from_on: date, basis: str) -> Pack:
    """``pack`` with ``changes`` from ``from_on`` on; InputError that names the change, or what of it all is bad."""
    content: Content = copy.deepcopy(dict(pack.content))
    for place, change in enumerate(changes):
        try:
            change.apply(content, from_on, basis)
        except InputError as problem:
            raise InputError(problem.detail, place=f"changes.{place}.{problem.place}") from None
    return checked(content)


def checked(content: Mapping[str, Any]) -> Pack:
    """The pack that ``content`` is; InputError with the first of its problems."""
    try:
        return pack_from(content)
    except RecursionError:
        raise InputError("is nested too deeply", place="content") from None


def _entry(content: Content, section: str, key: str, name: str) -> Content:
    entries: list[Content] = content[section]
    for entry in entries:
        if entry[key] == name:
            return entry
    raise InputError(f"the pack has no {name} among its {section}", place=section)


def _add_line(lines: list[Content], from_on: date, values: Content) -> None:
    """Add a dated line to an owner or a name; what holds from a later day is not touched."""
    if lines[-1]["from"] > from_on.isoformat():
        raise InputError(f"a later change holds from {lines[-1]['from']} already; give a day after it", place="from_on")
    if lines[-1]["from"] == from_on.isoformat():
        lines.pop()
    lines.append({"from": from_on.isoformat(), **values})
