"""Cards and clocks as they are answered: codes with their words, days and hours, nothing of a person."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.views.words import Code, View, Words


class CardItem(View):
    """黄牌或红牌 / one card, with what was said against it and what was decided."""

    id: int
    colour: Code
    cause: Code
    state: Code
    holder: Code = Field(description="由谁承担 / who answers for it")
    department: Code | None
    district: Code
    case_number: str
    step: str | None = Field(description="空：整个办件 / null: the case as a whole")
    due_on: date | None
    dealt_at: datetime
    contested_by: str | None
    contested_at: datetime | None
    contested_because: str | None
    decided_by: str | None
    decided_at: datetime | None
    decided_because: str | None
    told: Words


class CardPage(View):
    """Cards, the newest first."""

    items: list[CardItem]
    next: int | None = Field(description="下页起点 / `before` of the next page")


class ClockItem(View):
    """时限 / one clock of the case or of a step."""

    subject: str
    clock: Code
    department: Code | None
    started_on: date
    days: int
    unit: str = Field(description="working 工作日、calendar 自然日")
    state: Code
    due_on: date | None = Field(description="空：停止计时 / null while it stands still")
    days_left: int | None = Field(description="剩余工作日，负数为逾期 / working days left, below 0 when past")
    ended_at: datetime | None
    official: bool = Field(description="截止日在已公布的放假安排内 / the published calendar covers the deadline")


class StopItem(View):
    """停止计时 / a time in which clocks stood still."""

    why: Code
    department: Code | None
    from_at: datetime
    until_at: datetime | None


class ShareItem(View):
    """计时归责 / what one is charged of the case's time, in hours."""

    holder: Code
    department: Code | None
    hours: float
    working_hours: float


class SegmentItem(View):
    """A stretch of the case's time, and who had it."""

    from_at: datetime
    until_at: datetime
    holders: list[Code]
    deciding: bool


class CaseTimes(View):
    """A case's clocks, stops and charged time; the shares add up to the time under way."""

    number: str
    clocks: list[ClockItem]
    stops: list[StopItem]
    elapsed_hours: float
    shares: list[ShareItem]
    segments: list[SegmentItem]


class LimitItem(View):
    """部门办理时限 / how many working days a department has for a step."""

    department: Code
    days: int
    from_on: date | None = Field(description="空：按承诺时限 / null where the promised days hold")


class LimitList(View):
    """Every department's limit today, and those to come."""

    items: list[LimitItem]


class MovedItem(View):
    """One deadline that moves."""

    case_number: str
    subject: str
    clock: str
    before: date | None
    after: date | None


class CalendarDayItem(View):
    """A day set otherwise than published."""

    on: date
    working: bool
    published: bool
    note: str | None
    set_by: str


class CalendarList(View):
    """The days set otherwise than published, in order."""

    items: list[CalendarDayItem]


class CalendarChange(View):
    """What a change of the calendar does to deadlines in flight; of those that move at most the first 200 are given."""

    cases: int
    by_clock: dict[str, int]
    moved: list[MovedItem]
