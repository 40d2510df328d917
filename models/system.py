"""What the installation itself remembers: the audit log, the clock of a simulated system."""

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


class SystemClock(SQLModel, table=True):
    """How far the business clock of a simulated system is moved, in seconds. No row, or zero: real time."""

    __tablename__ = "system_clock"

    id: int = Field(default=1, primary_key=True)
    shift_seconds: int = 0
