"""Operations: incidents (异常), failures with one cause, however many steps share it; and their retries (重新推送)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.base import JsonType, UtcDateTime, state_type


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
    ``since``: when the first of its steps went wrong; ``opened_at``: when it was told. ``most_steps`` and
    ``most_cases`` are the most that ever hung on it, ``districts`` those of their cases. Instants are business time.
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
    districts: list[str] = Field(
        default_factory=list, sa_column=Column(JsonType, nullable=False, server_default=text("'[]'"))
    )


class Contradiction(SQLModel, table=True):
    """A department said of a step something else than before (``names``: the facts or services, by blanks). What was
    said first stands until somebody has looked: ``seen_at``, ``seen_by``, and ``found``, a code (``contradictions``).
    """

    __tablename__ = "contradictions"
    __table_args__ = (Index("ix_contradictions_seen_at", "seen_at"),)

    step_id: str = Field(primary_key=True, max_length=80)
    told_at: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    names: str
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_by: str | None = Field(default=None, max_length=80)
    found: str | None = Field(default=None, max_length=24)


class RetryState(StrEnum):
    """Where a retry stands. ``preview``: nothing was touched yet. ``running``: canaries first, then the rest.

    Over by itself it is ``closed`` only when nothing of it failed or was declined, and ``unconfirmed`` otherwise.
    """

    PREVIEW = "preview"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    UNCONFIRMED = "unconfirmed"


class ItemState(StrEnum):
    """What became of one step in a retry. ``elsewhere``: another open retry has it; ``left``: never sent again."""

    WAITING = "waiting"
    SENT = "sent"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    ELSEWHERE = "elsewhere"
    LEFT = "left"


class RetryRun(SQLModel, table=True):
    """Steps sent again together. ``wanted`` is the selection asked for; ``canary`` how many steps of each department go
    first; ``because`` why it was paused, where it paused by itself. Instants are business time.
    """

    __tablename__ = "retry_runs"
    __table_args__ = (Index("ix_retry_runs_state", "state"),)

    id: int | None = Field(default=None, primary_key=True)
    state: RetryState = Field(sa_column=Column(state_type(RetryState), nullable=False))
    wanted: dict[str, Any] = Field(sa_column=Column(JsonType, nullable=False))
    canary: int = 1
    because: str | None = Field(default=None, max_length=120)
    made_by: str = Field(max_length=80)
    made_at: datetime = Field(sa_type=UtcDateTime)
    started_by: str | None = Field(default=None, max_length=80)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RetryItem(SQLModel, table=True):
    """One step of a retry. ``open_step`` is the step's id while the retry is open, so that no step is in two.

    ``kind`` and ``reason``: its cause when it was chosen, under which its incident counts it until it is settled.
    ``tries``: how often it had been sent when it was released; what comes of later tries is this retry's. ``due_at``:
    when it was to go out then (wire time), one after the other as the endpoint's rate allows.
    """

    __tablename__ = "retry_items"
    __table_args__ = (UniqueConstraint("open_step"), Index("ix_retry_items_run_id_state", "run_id", "state"))

    run_id: int = Field(sa_column=Column(ForeignKey("retry_runs.id"), primary_key=True))
    step_id: str = Field(sa_column=Column(ForeignKey("steps.id"), primary_key=True))
    department: str = Field(max_length=40)
    kind: IncidentKind = Field(sa_column=Column(state_type(IncidentKind), nullable=False))
    reason: str = Field(max_length=200)
    state: ItemState = Field(sa_column=Column(state_type(ItemState), nullable=False))
    canary: bool = False
    tries: int = 0
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    open_step: str | None = Field(default=None, max_length=80)
