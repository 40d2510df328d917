"""Appraisal, public figures and forecast as they are answered: counts and shares, nothing of a person."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.views.words import Code, View, Words


class PeriodView(Words):
    """A month or a quarter."""

    code: str
    first_day: date
    last_day: date


class ScorecardItem(View):
    """部门考核 / one department in one period; district null: the whole city."""

    department: Code
    district: Code | None
    received: int
    closed: int
    judged: int = Field(description="按期率的分母 / what on_time is a share of")
    on_time: int
    first_judged: int
    first_right: int
    declined: int
    refusals: int = Field(description="说明理由率的分母 / what reasoned is a share of")
    reasoned: int
    yellow: int
    red: int
    warned: int = Field(description="督办黄牌 / yellow cards on resolutions; of no district")
    chased: int = Field(description="督办红牌 / red cards on resolutions; of no district")
    median_hours: float | None
    p90_hours: float | None
    satisfaction: float | None
    answers: int
    score: float | None


class AppraisalView(View):
    """The scorecards of a period, and what each figure weighs."""

    period: PeriodView
    weights: dict[str, int]
    cards: list[ScorecardItem]


class MeasureItem(View):
    """One step behind a figure; what does not apply is null."""

    step: str
    case_number: str
    department: str
    district: str
    received: bool
    closed: bool
    on_time: bool | None
    first_right: bool | None
    declined: bool
    reasoned: bool | None
    hours: float | None
    at: datetime


class MeasurePage(View):
    """The steps behind a figure."""

    figure: Code
    items: list[MeasureItem]
    total: int
    next: str | None = Field(description="下页起点 / `after` of the next page")


class ServiceItem(View):
    """权益事项 / one service: holders entitled, opened, taken up; money in fen."""

    service: Code
    department: Code
    district: Code | None
    entitled: int
    opened: int
    taken_up: int | None
    unit_fen: int | None
    cost_fen: int | None


class ServiceList(View):
    """Services in figures."""

    items: list[ServiceItem]


class DisputeItem(View):
    """申诉 / what a department said against a figure; left_out is null until it is decided."""

    id: int
    department: Code
    period: str
    figure: Code
    step: str | None
    because: str
    asked_by: str
    asked_at: datetime
    left_out: bool | None
    decided_by: str | None
    decided_at: datetime | None
    decided_because: str | None


class DisputeList(View):
    """Disputes, the newest first."""

    items: list[DisputeItem]


class Weights(View):
    """What each figure weighs."""

    weights: dict[str, int]


class Taken(View):
    """How many entries were taken in."""

    taken: int


class PublicDepartment(View):
    """公示 / one department; null: too few to be shown."""

    department: Code
    closed: dict[str, int | None]
    closed_in_all: int | None
    on_time_share: float | None
    median_hours: float | None


class PublicService(View):
    """公示 / one service: holders for whom it is open; null: too few to be shown."""

    service: Code
    opened: dict[str, int | None]
    opened_in_all: int | None


class PublicFiguresView(View):
    """Figures for the public; numbers below the threshold are hidden, and others with them where a total would tell."""

    period: PeriodView
    threshold: int
    districts: list[Code]
    departments: list[PublicDepartment]
    services: list[PublicService]


class LineItem(View):
    """One row of a forecast: how many in each of the months."""

    name: Code
    numbers: list[int]


class PlacesItem(View):
    """入学 / school places on the first of September; catchment null: not known."""

    district: Code
    catchment: str | None
    children: int
    beginning: int


class ForecastAnswer(View):
    """预测 / what is coming, as it was last made; made_at null: not made yet."""

    made_at: datetime | None
    permits: int
    months: list[date]
    september: date
    tier2: list[LineItem]
    expiries: list[LineItem]
    load: list[LineItem]
    places: list[PlacesItem]
