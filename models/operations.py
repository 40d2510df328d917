"""Operations: incidents (异常), failures with one cause, however many steps share it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.base import UtcDateTime, state_type


class IncidentKind(StrEnum):
    """What is wrong with the steps of an incident.

    ``retrying``: tried again by itself, or held until their door opens. ``failed``: no retry goes on by itself.
    ``stuck``: past the deadline without an answer, or before a door that was closed. ``declined``: the department
    says no. ``contradicted``: it said otherwise before.
    """

    FAILED = "failed"
    STUCK = "stuck"
    CONTRADICTED = "contradicted"
    DECLINED = "declined"
    RETRYING = "retrying"


class Incident(SQLModel, table=True):
    """One occurrence of one cause at one department, from the first step to the last. The steps themselves are counted
    in the ledger, never here.

    ``open_key`` is ``department|kind|reason`` while it is open and None afterwards, so that one cause is open once.
    ``since``: when the first of its steps went wrong; ``opened_at``: when it was told. ``most_steps`` and ``most_cases``
    are the most that ever hung on it. Instants are business time.
    """

    __tablename__ = "incidents"
    __table_args__ = (UniqueConstraint("open_key"), Index("ix_incidents_closed_at_id", "closed_at", "id"))

    id: int | None = Field(default=None, primary_key=True)
    open_key: str | None = Field(default=None, max_length=280)
    department: str = Field(max_length=40)
    kind: IncidentKind = Field(sa_column=Column(state_type(IncidentKind), nullable=False))
    reason: str = Field(max_length=200)
    since: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    most_steps: int = 0
    most_cases: int = 0


class Contradiction(SQLModel, table=True):
    """A department said of a step something else than before (``names``: the facts or services, by blanks). What was
    said first stands until somebody has looked: ``seen_at``, ``seen_by`` and what was found.
    """

    __tablename__ = "contradictions"
    __table_args__ = (Index("ix_contradictions_seen_at", "seen_at"),)

    step_id: str = Field(primary_key=True, max_length=80)
    told_at: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    names: str
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_by: str | None = Field(default=None, max_length=80)
    found: str | None = Field(default=None, max_length=300)
