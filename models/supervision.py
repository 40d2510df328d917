"""Supervision (督办): cards, departments' own time limits, changed holidays, and what the appraisal needs beside.

Deadlines themselves stand on cases and steps; nothing here counts what the ledger can tell.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.base import UtcDateTime, state_type


class Holder(StrEnum):
    """To whom time is charged and cards are dealt. ``channel``: our endpoint to a department was down, held or being
    tried again, or its outage was declared: neither the department's time nor ours.
    """

    DEPARTMENT = "department"
    APPLICANT = "applicant"
    CHANNEL = "channel"
    US = "us"


class CardColour(StrEnum):
    """``yellow``: a clock is close to its end. ``red``: it is past, or a refusal bears no reason."""

    YELLOW = "yellow"
    RED = "red"


class CardCause(StrEnum):
    """Which clock a card was dealt for, or that a refusal bears no reason."""

    OWN = "own"
    PROMISED = "promised"
    STATUTORY = "statutory"
    UNEXPLAINED = "unexplained"


class CardState(StrEnum):
    """Where a card stands. ``contested``: the department gave a reason against it; ``upheld``: it stands all the same;
    ``lifted``: it counts no more.
    """

    STANDING = "standing"
    CONTESTED = "contested"
    UPHELD = "upheld"
    LIFTED = "lifted"


class Card(SQLModel, table=True):
    """One card (黄牌 / 红牌). ``cause_key`` says what it was dealt for, so that it is dealt once. ``step_id`` is None
    for a card on the case as a whole; ``due_on`` the deadline that it is about.
    """

    __tablename__ = "cards"
    __table_args__ = (
        UniqueConstraint("cause_key"),
        Index("ix_cards_dealt_at_id", "dealt_at", "id"),
        Index("ix_cards_department_dealt_at", "department", "dealt_at"),
        Index("ix_cards_case_number", "case_number"),
    )

    id: int | None = Field(default=None, primary_key=True)
    cause_key: str = Field(max_length=160)
    colour: CardColour = Field(sa_column=Column(state_type(CardColour), nullable=False))
    cause: CardCause = Field(sa_column=Column(state_type(CardCause), nullable=False))
    state: CardState = Field(sa_column=Column(state_type(CardState), nullable=False))
    holder: Holder = Field(sa_column=Column(state_type(Holder), nullable=False))
    department: str | None = Field(default=None, max_length=40)
    district: str = Field(max_length=24)
    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), nullable=False))
    step_id: str | None = Field(default=None, sa_column=Column(ForeignKey("steps.id"), nullable=True))
    due_on: date | None = None
    dealt_at: datetime = Field(sa_type=UtcDateTime)
    contested_by: str | None = Field(default=None, max_length=80)
    contested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    contested_because: str | None = Field(default=None, max_length=400)
    decided_by: str | None = Field(default=None, max_length=80)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_because: str | None = Field(default=None, max_length=400)


class StepFailure(SQLModel, table=True):
    """A time in which a step had failed and nobody had it: it waited for an administrator. ``until_at``: when it was
    sent again; None while it waits, and where the department answered all the same.
    """

    __tablename__ = "step_failures"

    step_id: str = Field(sa_column=Column(ForeignKey("steps.id"), primary_key=True))
    failed_at: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    until_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DepartmentTerm(SQLModel, table=True):
    """How many working days a department has for a step of its own, from a day on; without a row, the promised days."""

    __tablename__ = "department_terms"

    department: str = Field(primary_key=True, max_length=40)
    from_on: date = Field(primary_key=True)
    days: int
    set_by: str = Field(max_length=80)
    set_at: datetime = Field(sa_type=UtcDateTime)


class CalendarDay(SQLModel, table=True):
    """A day on which offices are open or shut otherwise than the published calendar says."""

    __tablename__ = "calendar_days"

    on: date = Field(primary_key=True)
    working: bool
    note: str | None = Field(default=None, max_length=120)
    set_by: str = Field(max_length=80)
    set_at: datetime = Field(sa_type=UtcDateTime)


class Satisfaction(SQLModel, table=True):
    """How one holder found a department's share of one case, from 1 (bad) to 5 (good)."""

    __tablename__ = "satisfaction"
    __table_args__ = (
        UniqueConstraint("case_number", "department"),
        Index("ix_satisfaction_given_on", "given_on"),
    )

    id: int | None = Field(default=None, primary_key=True)
    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), nullable=False))
    department: str = Field(max_length=40)
    score: int
    given_on: date
    entered_by: str = Field(max_length=80)


class ServiceCost(SQLModel, table=True):
    """What one unit of a service costs the budget, in fen, from a day on; and how many units were taken up is told by
    departments (``ServiceUse``).
    """

    __tablename__ = "service_costs"

    service: str = Field(primary_key=True, max_length=24)
    from_on: date = Field(primary_key=True)
    fen: int
    set_by: str = Field(max_length=80)


class ServiceUse(SQLModel, table=True):
    """How many holders took a service up in one month (its first day), as the department that owes it reports."""

    __tablename__ = "service_uses"

    service: str = Field(primary_key=True, max_length=24)
    district: str = Field(primary_key=True, max_length=24)
    month: date = Field(primary_key=True)
    holders: int
    told_by: str = Field(max_length=80)


class FigureDispute(SQLModel, table=True):
    """A department contests one figure of its appraisal, with a reason, and what the coordinator found."""

    __tablename__ = "figure_disputes"
    __table_args__ = (Index("ix_figure_disputes_department_id", "department", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    department: str = Field(max_length=40)
    period: str = Field(max_length=10)
    figure: str = Field(max_length=40)
    step_id: str | None = Field(default=None, max_length=80)
    because: str = Field(max_length=400)
    asked_by: str = Field(max_length=80)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    left_out: bool | None = None
    decided_by: str | None = Field(default=None, max_length=80)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_because: str | None = Field(default=None, max_length=400)


class AppraisalWeight(SQLModel, table=True):
    """What one figure weighs in a department's score, in hundredths; without a row, the default of the house."""

    __tablename__ = "appraisal_weights"

    figure: str = Field(primary_key=True, max_length=40)
    weight: int
    set_by: str = Field(max_length=80)
    set_at: datetime = Field(sa_type=UtcDateTime)


class Catchment(SQLModel, table=True):
    """Which school catchment (招生服务区) the residents of a police station's area belong to."""

    __tablename__ = "catchments"

    district: str = Field(primary_key=True, max_length=24)
    station: str = Field(primary_key=True, max_length=80)
    catchment: str = Field(max_length=80)


class Forecast(SQLModel, table=True):
    """The forecast as it was last made: when, over how many permits, and up to which day. One row."""

    __tablename__ = "forecasts"

    id: int = Field(default=1, primary_key=True)
    made_at: datetime = Field(sa_type=UtcDateTime)
    until_on: date
    permits: int


class ForecastCount(SQLModel, table=True):
    """One number of the forecast: ``count`` of ``kind`` in a month (its first day); ``key``: a department, a term in
    years, a catchment, or nothing.
    """

    __tablename__ = "forecast_counts"

    kind: str = Field(primary_key=True, max_length=16)
    month: date = Field(primary_key=True)
    district: str = Field(primary_key=True, max_length=24)
    key: str = Field(primary_key=True, max_length=80)
    count: int
