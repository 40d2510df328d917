"""What the installation itself remembers: the audit log, who dispatches, the clock of a simulated system."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from models.base import JsonType, UtcDateTime


class AuditEntry(SQLModel, table=True):
    """One change, chained: ``hash`` covers its content and ``previous`` (``services.audit``)."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_subject_sequence", "subject", "sequence"),)

    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=80)
    action: str = Field(max_length=40)
    subject: str = Field(max_length=80)
    detail: dict[str, Any] = Field(sa_column=Column(JsonType, nullable=False))
    previous: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class AuditHead(SQLModel, table=True):
    """The end of the chain, one row: writers lock it, so that entries follow one another without a gap."""

    __tablename__ = "audit_head"

    id: int = Field(default=1, primary_key=True)
    sequence: int
    hash: str = Field(max_length=64)


class Dispatcher(SQLModel, table=True):
    """One dispatcher at its post: on which ``machine``, in which ``process``, when it was last ``seen_at`` (wire time),
    how many ``cases`` it has handled. It says so every few seconds; one that is silent for longer has died.
    ``left_at``: it went by itself.
    """

    __tablename__ = "dispatchers"
    __table_args__ = (Index("ix_dispatchers_seen_at", "seen_at"),)

    id: str = Field(primary_key=True, max_length=40)
    machine: str = Field(max_length=120)
    process: int
    started_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    called_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cases: int = 0


class SystemClock(SQLModel, table=True):
    """How far the business clock of a simulated system is moved, in seconds. No row, or zero: real time."""

    __tablename__ = "system_clock"

    id: int = Field(default=1, primary_key=True)
    shift_seconds: int = 0
