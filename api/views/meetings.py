"""The joint meeting as it is answered: matters, meetings, resolutions, minutes, what-if. Nothing of a person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from api.views.words import Code, View, Words


class MatterItem(View):
    """议题 / one thing for the meeting; figures are of the last look."""

    id: int
    kind: Code
    state: Code
    title: Words
    department: Code | None = Field(description="应作说明的部门 / who has to answer")
    opened_at: datetime
    answer_by: date | None = Field(description="说明期限 / until when it answers")
    answered: bool
    cases: int
    people: int
    overdue: int
    due_on: date | None = Field(description="最早期限 / the first deadline")
    returns: int = Field(description="因未落实再次上会的次数 / how often it came back")
    meeting: int | None = Field(description="列入哪次会议 / on whose agenda it stands")
    closed_at: datetime | None
    because: Words | None


class MatterList(View):
    """Matters, newest first; the last id is where the next page begins (``before``)."""

    items: list[MatterItem]


class ResolutionItem(View):
    """议定事项 / what a meeting settled, for whom, until when."""

    id: int
    number: str
    meeting: int
    matter: int
    title: Words
    text: str
    department: Code
    helpers: list[Code]
    due_on: date
    state: Code
    action: Code | None = Field(description="系统执行的措施 / what the system carries out")
    overdue: bool
    reminders: int = Field(description="督办次数 / how often it was chased")
    closed_at: datetime | None


class ResolutionList(View):
    """Resolutions, newest first."""

    items: list[ResolutionItem]


class MatterFile(View):
    """A matter whole: its paper as it stands now, and what was settled about it."""

    matter: MatterItem
    paper: dict[str, Any] = Field(description="议题材料 / facts, figures, cases by number, remarks, what can be done")
    resolutions: list[ResolutionItem]


class MeetingItem(View):
    """会议 / a meeting."""

    id: int
    year: int
    ordinal: int
    held_on: date
    begins: str
    place: str
    regular: bool
    state: Code
    chair: str | None
    called_at: datetime | None


class MeetingList(View):
    """Meetings, newest first."""

    items: list[MeetingItem]


class Seat(View):
    """A department at a meeting; ``present`` null: nobody said yet."""

    department: Code
    standing: str
    present: bool | None
    delegate: str | None


class Point(View):
    """A matter on an agenda; ``current``: it is being discussed."""

    position: int
    matter: MatterItem
    state: Code
    because: Words | None
    current: bool
    paper: dict[str, Any] | None
    resolutions: list[ResolutionItem]


class MinutesItem(View):
    """A version of the minutes."""

    version: int
    digest: str
    because: str | None
    signed_by: str | None
    signed_at: datetime | None


class MeetingFile(View):
    """A meeting whole: seats, agenda with papers, minutes."""

    meeting: MeetingItem
    seats: list[Seat]
    agenda: list[Point]
    minutes: list[MinutesItem]


class ResolutionCase(View):
    """One case of a resolution's class: done, not done because of a problem, or null while it waits."""

    case_number: str
    done: bool | None
    remedy: int | None
    problem: str | None


class ResolutionFile(View):
    """A resolution whole: action, preview, approval, evidence, reminders, cases."""

    resolution: ResolutionItem
    action: dict[str, Any] | None
    preview: dict[str, Any] | None
    asked_by: str | None
    asked_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    decided_because: str | None
    carried_out_at: datetime | None
    traces: dict[str, Any]
    report: str | None
    reported_by: str | None
    reported_at: datetime | None
    evidence: dict[str, Any] | None
    checked_at: datetime | None
    chased_on: list[date]
    outcomes: list[ResolutionCase]


class ActionPreview(View):
    """What would come of an action; nothing was done."""

    told: list[Words]
    figures: dict[str, Any]


class Made(View):
    """The number of what was made."""

    id: int


class Done(View):
    """``done`` false: it waits for one more person, or goes on by itself."""

    done: bool


class Minutes(View):
    """纪要 / a version of the minutes. ``holds``: its content is what its digest says."""

    meeting: int
    version: int
    content: dict[str, Any]
    digest: str
    holds: bool
    because: str | None
    drafted_by: str
    drafted_at: datetime
    signed_by: str | None
    signed_at: datetime | None


class Rule(View):
    """会议规则 / when and how the meeting comes together; days are working days."""

    first_on: date
    every_weeks: int
    begins: str
    place: str
    papers_days: int
    answer_days: int
    beyond_days: int
    remind_days: int
    agenda_limit: int


class ShiftCount(View):
    """So many permits of one district for which one service changes in one way, in one month."""

    change: str = Field(description="gains、loses、waits、dates、owner")
    service: Code
    department: Code
    district: Code
    month: str
    why: list[str]
    permits: int


class LoadCount(View):
    """So many services to open, withdraw or date anew."""

    department: Code
    month: str
    services: int


class DistrictCount(View):
    """Of the live permits of a district: how many were looked at, and how many change."""

    district: Code
    seen: int
    affected: int


class WhatIfAnswer(View):
    """方案测算 / counts only. ``whole`` false: the time was up before every permit was looked at."""

    pack: str
    on: date
    permits: int
    seen: int
    affected: int
    whole: bool
    districts: list[DistrictCount]
    shifts: list[ShiftCount]
    load: list[LoadCount]
