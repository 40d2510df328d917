"""Incidents as they are answered: causes, counts and steps, nothing of a person."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.views.words import Code, View, Words


class IncidentItem(View):
    """异常 / failures with one cause, however many steps share it; counts are of what the caller sees."""

    id: int
    state: str = Field(description="open、closing（正在重新推送 / being sent again）、closed")
    department: Code
    kind: Code
    reason: Code
    owner: Code = Field(description="由谁处理 / who must act")
    since: datetime
    opened_at: datetime
    closed_at: datetime | None
    steps: int
    cases: int
    people: int
    due_today: int = Field(description="今天到期的办件 / cases with a deadline today")
    overdue: int = Field(description="已逾期的办件 / cases with a deadline missed")
    tries: int
    most_cases: int | None = Field(description="最多时的办件数 / the most cases there ever were")
    told: Words = Field(description="一句话说明 / the whole in one sentence")


class IncidentList(View):
    """Incidents, the most pressing first; those that are over, the newest first."""

    items: list[IncidentItem]


class IncidentStep(View):
    """One step that shares the cause."""

    id: str
    case_number: str
    state: Code
    answer_by: date | None
    attempts: int
    tried_at: datetime | None
    status: int | None


class IncidentFile(View):
    """An incident with one page of its steps."""

    incident: IncidentItem
    steps: list[IncidentStep]
    next: str | None = Field(description="下页起点 / `after` of the next page")


class ContradictionSeen(View):
    """How many contradictions of the step were put away."""

    seen: int
