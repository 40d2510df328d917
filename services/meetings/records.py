"""Records of the joint meeting as readers get them: rows of lists, and one thing whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.lexicon import Named
from services.policy.text import Text


@dataclass(frozen=True, slots=True)
class MatterItem:
    """A matter in a list; figures are of the last look. ``meeting``: on whose agenda it stands, if on one to come."""

    id: int
    kind: Named
    state: Named
    title: Text
    department: Named | None
    opened_at: datetime
    answer_by: date | None
    answered: bool
    cases: int
    people: int
    overdue: int
    due_on: date | None
    returns: int
    meeting: int | None
    closed_at: datetime | None
    because: Text | None


@dataclass(frozen=True, slots=True)
class MatterFile:
    """A matter whole: its paper as it stands now, and what was settled about it."""

    matter: MatterItem
    paper: Mapping[str, Any]
    resolutions: tuple[ResolutionItem, ...]


@dataclass(frozen=True, slots=True)
class MeetingItem:
    """A meeting in a list."""

    id: int
    year: int
    ordinal: int
    held_on: date
    begins: str
    place: str
    regular: bool
    state: Named
    chair: str | None
    called_at: datetime | None


@dataclass(frozen=True, slots=True)
class Seat:
    """A department at a meeting; ``present`` None: nobody said yet."""

    department: Named
    standing: str
    present: bool | None
    delegate: str | None


@dataclass(frozen=True, slots=True)
class Point:
    """A matter on an agenda. ``paper`` is what members were sent, None before the meeting is called."""

    position: int
    matter: MatterItem
    state: Named
    because: Text | None
    current: bool
    paper: Mapping[str, Any] | None
    resolutions: tuple[ResolutionItem, ...]


@dataclass(frozen=True, slots=True)
class MinutesItem:
    """A version of the minutes."""

    version: int
    digest: str
    because: str | None
    signed_by: str | None
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class MeetingFile:
    """A meeting whole: seats, agenda, minutes."""

    meeting: MeetingItem
    seats: tuple[Seat, ...]
    agenda: tuple[Point, ...]
    minutes: tuple[MinutesItem, ...]


@dataclass(frozen=True, slots=True)
class ResolutionItem:
    """A resolution in a list. ``overdue``: it is past its time; ``reminders``: how often it was chased."""

    id: int
    number: str
    meeting: int
    matter: int
    title: Text
    text: str
    department: Named
    helpers: tuple[Named, ...]
    due_on: date
    state: Named
    action: Named | None
    overdue: bool
    reminders: int
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the meeting wants of one department: the meeting at hand with agenda and papers, the matters that it has to
    answer, the nearest day first, and what it owes, the overdue first.
    """

    meeting: MeetingFile | None
    to_answer: tuple[MatterItem, ...]
    owed: tuple[ResolutionItem, ...]


@dataclass(frozen=True, slots=True)
class ResolutionOutcome:
    """One case of a resolution's class: done, not done because of ``problem``, or None while it waits."""

    case_number: str
    done: bool | None
    remedy: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class ResolutionFile:
    """A resolution whole: its action with preview and approval, its evidence, its reminders, its cases."""

    resolution: ResolutionItem
    action: Mapping[str, Any] | None
    preview: Mapping[str, Any] | None
    asked_by: str | None
    asked_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    decided_because: str | None
    carried_out_at: datetime | None
    traces: Mapping[str, Any]
    report: str | None
    reported_by: str | None
    reported_at: datetime | None
    evidence: Mapping[str, Any] | None
    checked_at: datetime | None
    chased_on: tuple[date, ...]
    outcomes: tuple[ResolutionOutcome, ...]
