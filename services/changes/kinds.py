"""What of an audit entry is told to those who follow changes, and to whom. A table: what is in it is told.

An entry of another kind is told to the whole city's administrators and auditors only, by its kind and subject alone.
Readings are no changes: telling them would have every follower read again, which is a reading once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from models import Role


class Reach(Enum):
    """Which part of the city a change concerns.

    ``CASE``: the district of its case. ``STEPS``: that, and the departments of its steps. ``HOLDER``: the district of
    its case, and the department that has custody. ``DEPARTMENT``: its subject. ``INCIDENT``: that, and the districts of
    its cases. ``CITY``: the whole city's staff alone. ``SEATS``: they and the departments, who sit in the joint
    meeting. ``ALL``: everybody.
    """

    CASE = "case"
    STEPS = "steps"
    HOLDER = "holder"
    DEPARTMENT = "department"
    INCIDENT = "incident"
    CITY = "city"
    SEATS = "seats"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Told:
    """How one kind of change is told: how far, to which roles, and which figures of its detail go with it."""

    reach: Reach
    roles: frozenset[Role]
    figures: tuple[str, ...] = ()


_ANY: Final = frozenset(Role)
_OVERSIGHT: Final = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
_OFFICE: Final = _OVERSIGHT | {Role.COORDINATOR}
_WATCH: Final = _OFFICE | {Role.OFFICER}

_CASE: Final = Told(Reach.CASE, _ANY)
_STEPS: Final = Told(Reach.STEPS, _ANY)
_MEETING: Final = Told(Reach.SEATS, _WATCH, ("matter", "meeting", "resolution"))
_RETRY: Final = Told(Reach.CITY, _OFFICE, ("retry", "steps", "counts", "because"))

BY_FAMILY: Final[Mapping[str, Told]] = {
    "case": Told(Reach.CASE, _ANY, ("to",)),
    "permit": _CASE,
    "correction": _CASE,
    "fact": _CASE,
    "steps": _STEPS,
    "step": _STEPS,
    "contradiction": Told(Reach.STEPS, _WATCH),
    # A card is told to who answers for it, never to a department whose time it was not.
    "card": Told(Reach.HOLDER, _WATCH, ("card", "colour", "cause")),
    "deadlines": _STEPS,
    "calendar": Told(Reach.ALL, _ANY),
    "limit": Told(Reach.DEPARTMENT, _WATCH),
    "appraisal": Told(Reach.CITY, _OFFICE),
    "forecast": Told(Reach.ALL, _WATCH),
    "figure": Told(Reach.DEPARTMENT, _WATCH),
    "incident": Told(Reach.INCIDENT, _WATCH, ("incident", "cases", "steps")),
    "endpoint": Told(Reach.DEPARTMENT, _WATCH),
    "maintenance": Told(Reach.DEPARTMENT, _WATCH),
    "messages": Told(Reach.DEPARTMENT, _WATCH),
    "retry": _RETRY,
    "remedy": Told(Reach.CITY, _OFFICE, ("cases",)),
    "policy": Told(Reach.CITY, _OFFICE, ("pack", "version", "from_on", "cases")),
    # Every seat of the joint meeting follows all of it.
    "matter": _MEETING,
    "meeting": _MEETING,
    "resolution": _MEETING,
    "minutes": _MEETING,
}
"""By the beginning of an action, up to its dot."""

BY_ACTION: Final[Mapping[str, Told]] = {
    # Its subject is a department, not a case.
    "steps.released": Told(Reach.DEPARTMENT, _WATCH),
    "clock.moved": Told(Reach.ALL, _ANY),
}
"""Actions that are told otherwise than the rest of their family."""

OTHERS: Final = Told(Reach.CITY, _OVERSIGHT)

READINGS: Final = frozenset(
    {
        "audit.exported",
        "audit.read",
        "case.opened",
        "cases.exported",
        "case.seen",
        "decision.opened",
        "evidence.written",
        "key.first_used",
        "key.moved",
        "key.refused",
        "notice.printed",
        "person.searched",
        "view.removed",
        "view.saved",
        "work.downloaded",
        "work.opened",
    }
)


def told_of(action: str) -> Told | None:
    """How a change of the kind ``action`` is told; None for a reading."""
    if action in READINGS:
        return None
    return BY_ACTION.get(action) or BY_FAMILY.get(action.partition(".")[0], OTHERS)
