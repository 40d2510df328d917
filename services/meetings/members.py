"""Who belongs to the meeting on a day: the 22 members of 四（二）, the associates (A12) and the office.

All by the pack's dated registry, under the names that they bear on that day.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from services.errors import NotFoundError
from services.house import House
from services.policy.pack import Pack

_SEATED = ("member", "associate", "office")


@dataclass(frozen=True, slots=True)
class Member:
    """A department at the table. ``standing``: member, associate (heard, without a vote), office (which convenes)."""

    code: str
    standing: str
    zh: str
    en: str

    def to_json(self) -> dict[str, Any]:
        """As it is kept with a meeting."""
        return asdict(self)


def registry_on(house: House, day: date) -> Pack:
    """The pack whose registry of departments holds on ``day``: the one in force, else the last that began before."""
    covering = house.packs.covering(day)
    if covering is not None:
        return covering
    begun = [pack for pack in house.packs.packs if pack.first_day <= day]
    return begun[-1] if begun else house.packs.packs[0]


def members_on(house: House, day: date) -> tuple[Member, ...]:
    """Everybody at the table on ``day``, in the order of the text."""
    found = []
    for department in registry_on(house, day).departments.values():
        if department.standing in _SEATED:
            words = department.name_on(day)
            found.append(Member(department.code, department.standing, words.zh, words.en))
    return tuple(found)


def seated(house: House, code: str, day: date) -> Member:
    """The department ``code`` at the table of ``day``; NotFoundError if it has no seat."""
    for member in members_on(house, day):
        if member.code == code:
            return member
    raise NotFoundError("has no seat in the joint meeting; give the code of a member or associate", place=code)
