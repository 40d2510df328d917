"""Cases (办件) and what is settled about them: facts, decisions, permits.

Whatever tells who a person is stands sealed in ``Case.sealed`` and ``Decision.sealed``; columns in the clear
carry days, codes and keyed hashes only.
"""

from datetime import date, datetime

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.base import JsonType, UtcDateTime, state_type
from models.states import CaseState, PermitState

ERASED = "erased"
"""The key of a person whose data were erased: it is many people's, and nobody's."""


class Case(SQLModel, table=True):
    """One application on its way.

    ``number`` is ``<district>-<year>-<six digits>``. ``ready_at`` says since when the case wants work (None: it
    waits for a department or for a day); ``review_on`` is the day on which its answer changes by time alone.
    ``round`` counts the plans ever made, so that a step's id is never used twice; ``decisions`` the decisions kept,
    ``weighed`` the facts that stood at the last one: more facts than that, and the case is decided again. ``version``
    counts the applications (a correction makes a new one). What was asked up to ``asked_after`` (a round) and answered
    up to ``facts_after`` (a fact's id) counts no more: it was about another content.
    ``accepted_at`` is when its clocks began; ``promised_by`` and ``statutory_by`` the last days on which it is decided
    in time (None: no such clock runs, or it stands still); ``look_on`` the day on which those clocks want a look.
    """

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("application_key"),
        # One open case a person, by the database itself (intake).
        Index("uq_cases_open_person", "person_key", unique=True, sqlite_where=text("is_open"),
              postgresql_where=text("is_open")),
        Index("ix_cases_ready_at", "ready_at", sqlite_where=text("ready_at IS NOT NULL"),
              postgresql_where=text("ready_at IS NOT NULL")),
        Index("ix_cases_review_on", "review_on", sqlite_where=text("review_on IS NOT NULL"),
              postgresql_where=text("review_on IS NOT NULL")),
        Index("ix_cases_look_on", "look_on", sqlite_where=text("look_on IS NOT NULL"),
              postgresql_where=text("look_on IS NOT NULL")),
        # By deadline: the cases whose promised time runs, and those decided in it are left out.
        Index("ix_cases_promised_by_number", "promised_by", "number",
              sqlite_where=text("promised_by IS NOT NULL AND decided_at IS NULL"),
              postgresql_where=text("promised_by IS NOT NULL AND decided_at IS NULL")),
        Index("ix_cases_received_at_number", "received_at", "number"),
        Index("ix_cases_state_received_at_number", "state", "received_at", "number"),
        Index("ix_cases_district_received_at_number", "district", "received_at", "number"),
        Index("ix_cases_station_received_at_number", "station", "received_at", "number"),
        Index("ix_cases_person_key", "person_key"),
        Index("ix_cases_name_key", "name_key"),
        # What came, what closed and what stands, by district: the console counts these without a row of the table.
        Index("ix_cases_received_on_district", "received_on", "district"),
        Index("ix_cases_closed_at_district", "closed_at", "district", sqlite_where=text("closed_at IS NOT NULL"),
              postgresql_where=text("closed_at IS NOT NULL")),
        Index("ix_cases_state_district", "state", "district"),
        Index("ix_cases_set_aside", "district", sqlite_where=text("set_aside IS NOT NULL"),
              postgresql_where=text("set_aside IS NOT NULL")),
    )  # fmt: skip

    number: str = Field(primary_key=True, max_length=40)
    district: str = Field(max_length=24)
    station: str = Field(max_length=80)
    state: CaseState = Field(sa_column=Column(state_type(CaseState), nullable=False))
    is_open: bool = True
    pack: str | None = Field(default=None, max_length=64)
    application_key: str = Field(max_length=64)
    person_key: str = Field(max_length=64)
    name_key: str = Field(max_length=64)
    received_on: date
    term_asked: int
    grounds: list[str] = Field(default_factory=list, sa_column=Column(JsonType, nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    received_at: datetime = Field(sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ready_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    review_on: date | None = None
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    promised_by: date | None = None
    statutory_by: date | None = None
    look_on: date | None = None
    round: int = 0
    decisions: int = 0
    weighed: int = 0
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    asked_after: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    facts_after: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    tries: int = 0
    lease: str | None = Field(default=None, max_length=40)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    set_aside: str | None = Field(default=None, max_length=200)


class CaseRun(SQLModel, table=True):
    """A flow run that had a case in hand: ``run_id`` is Prefect's, ``at`` when it claimed the case (wire time)."""

    __tablename__ = "case_runs"

    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), primary_key=True))
    run_id: str = Field(primary_key=True, max_length=36)
    at: datetime = Field(sa_type=UtcDateTime)


class Fact(SQLModel, table=True):
    """One thing a department confirmed or denied about a person (核验事实). Rows are added, never changed:
    the latest of a name is the one that counts."""

    __tablename__ = "facts"
    __table_args__ = (UniqueConstraint("step_id", "name"), Index("ix_facts_case_number", "case_number"))

    id: int | None = Field(default=None, primary_key=True)
    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), nullable=False))
    name: str = Field(max_length=40)
    value: bool
    department: str = Field(max_length=40)
    step_id: str | None = Field(default=None, max_length=80)
    authority: str | None = Field(default=None, max_length=200)
    confirmed_at: datetime = Field(sa_type=UtcDateTime)


class Decision(SQLModel, table=True):
    """One answer of the policy engine that had an effect (决定), kept whole.

    ``sealed`` holds question and answer as compressed canonical JSON; ``digest`` is the SHA-256 of that JSON.
    """

    __tablename__ = "decisions"

    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), primary_key=True))
    sequence: int = Field(primary_key=True)
    on: date
    pack: str | None = Field(default=None, max_length=64)
    pack_digest: str | None = Field(default=None, max_length=64)
    outcome: str = Field(max_length=16)
    term_years: int | None = None
    because: list[str] = Field(default_factory=list, sa_column=Column(JsonType, nullable=False))
    digest: str = Field(max_length=64)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    decided_at: datetime = Field(sa_type=UtcDateTime)


class Permit(SQLModel, table=True):
    """A residence permit (居住证), one a case. Both days of its term count (A2).

    ``ends_on``: cancelled, it is good up to the day before; ``end_reason`` is a code of ``PERMIT_END_REASONS``.
    """

    __tablename__ = "permits"
    __table_args__ = (Index("ix_permits_state_valid_until", "state", "valid_until"),)

    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), primary_key=True))
    state: PermitState = Field(sa_column=Column(state_type(PermitState), nullable=False))
    district: str = Field(max_length=24)
    term_years: int
    valid_from: date
    valid_until: date
    grounds: list[str] = Field(default_factory=list, sa_column=Column(JsonType, nullable=False))
    issued_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ends_on: date | None = None
    end_reason: str | None = Field(default=None, max_length=24)


class CaseCounter(SQLModel, table=True):
    """The last number given out in one district and year."""

    __tablename__ = "case_counters"

    scope: str = Field(primary_key=True, max_length=40)
    last: int = 0
