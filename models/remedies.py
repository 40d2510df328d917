"""Remedies (处置): what an administrator put right, on what ground, with whose approval; and what corrections leave.

A remedy is a row of its own for ever. What it changes stands in the tables of cases, steps, facts and permits, each
change with its audit entry.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, LargeBinary
from sqlmodel import Field, SQLModel

from models.base import JsonType, UtcDateTime, state_type


class RemedyKind(StrEnum):
    """What a remedy does."""

    WAIVE = "waive"
    FACT = "fact"
    WITHDRAW = "withdraw"
    CORRECT = "correct"
    CANCEL = "cancel"
    REINSTATE = "reinstate"
    REOPEN = "reopen"


class RemedyState(StrEnum):
    """Where a remedy stands: it waits for a second person, was carried out, or was turned down."""

    PROPOSED = "proposed"
    DONE = "done"
    REJECTED = "rejected"


class Remedy(SQLModel, table=True):
    """One remedy for one case or many. ``content`` is what its kind asks for (``services.remedies.orders``); ``cases``
    how many cases it is about; ``district`` theirs, None where they lie in several. ``asked_person``: in whose hands
    the account was that asked for it, None where that is not known (``services.access.second_person``).
    """

    __tablename__ = "remedies"
    __table_args__ = (Index("ix_remedies_state_id", "state", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: RemedyKind = Field(sa_column=Column(state_type(RemedyKind), nullable=False))
    state: RemedyState = Field(sa_column=Column(state_type(RemedyState), nullable=False))
    reason: str = Field(max_length=400)
    content: dict[str, Any] = Field(sa_column=Column(JsonType, nullable=False))
    cases: int
    district: str | None = Field(default=None, max_length=24)
    asked_by: str = Field(max_length=80)
    asked_person: int | None = Field(default=None, sa_column=Column(ForeignKey("accounts.id"), nullable=True))
    asked_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str | None = Field(default=None, max_length=80)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_because: str | None = Field(default=None, max_length=400)


class RemedyCase(SQLModel, table=True):
    """One case of a remedy: whether it was carried out there (None: not yet), and why not."""

    __tablename__ = "remedy_cases"
    __table_args__ = (Index("ix_remedy_cases_case_number", "case_number"),)

    remedy_id: int = Field(sa_column=Column(ForeignKey("remedies.id"), primary_key=True))
    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), primary_key=True))
    done: bool | None = None
    problem: str | None = Field(default=None, max_length=300)


class CaseVersion(SQLModel, table=True):
    """An application as it stood before it was corrected; sealed for ``case:<number>`` like the one that counts."""

    __tablename__ = "case_versions"

    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), primary_key=True))
    version: int = Field(primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    replaced_at: datetime = Field(sa_type=UtcDateTime)
    replaced_by: str = Field(max_length=80)


class ClockStop(SQLModel, table=True):
    """A time in which no deadline of a case runs, because the applicant was asked for a correction (补正).

    ``missing`` is what was told, at once and once; ``until_at`` is None as long as it is not answered. With nothing
    missing it is a time in which the case was over, until it was reopened.
    """

    __tablename__ = "clock_stops"

    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), primary_key=True))
    from_at: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    remedy_id: int = Field(sa_column=Column(ForeignKey("remedies.id"), nullable=False))
    missing: list[str] = Field(sa_column=Column(JsonType, nullable=False))
    until_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
