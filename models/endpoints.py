"""Departments' endpoints (接口): where and how each takes messages, its health, and its windows of maintenance."""

from datetime import date, datetime

from sqlalchemy import Column, ForeignKey, Index, LargeBinary
from sqlmodel import Field, SQLModel

from models.base import JsonType, UtcDateTime, state_type
from models.states import Door, EndpointState


class Endpoint(SQLModel, table=True):
    """How one department takes its steps. Whatever is secret stands sealed in ``secrets`` (context
    ``endpoint:<department>``), as JSON: signing secrets with the days of their overlap, a client certificate, OAuth2
    client credentials.

    ``services`` and ``districts``: what is pushed here; None for all. What is filtered out waits in the inbox.
    ``window_*`` count the tries of the current window, from which the breaker's failure rate is taken;
    ``rate_until``: up to when the slots of ``rate_per_second`` are given out, whichever process has them;
    ``probe_at`` is when a held endpoint is tried again; ``drain_per_second`` bounds what goes out after it
    opens. ``polled_at``: when the department last fetched its steps itself.
    ``fallback``: the door offered ``fallback_hours`` before a step's deadline, if the first has not got through.
    """

    __tablename__ = "endpoints"

    department: str = Field(primary_key=True, max_length=40)
    door: Door = Field(default=Door.PUSH, sa_column=Column(state_type(Door), nullable=False))
    state: EndpointState = Field(
        default=EndpointState.OPEN, sa_column=Column(state_type(EndpointState), nullable=False)
    )
    url: str | None = Field(default=None, max_length=500)
    secrets: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    batch_size: int = 1
    concurrency: int = 8
    timeout_seconds: float = 15.0
    rate_per_second: float | None = None
    services: list[str] | None = Field(default=None, sa_column=Column(JsonType, nullable=True))
    districts: list[str] | None = Field(default=None, sa_column=Column(JsonType, nullable=True))
    fallback: Door | None = Field(default=None, sa_column=Column(state_type(Door), nullable=True))
    fallback_hours: int = 24
    drain_per_second: float = 20.0
    window_started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    window_tries: int = 0
    window_failures: int = 0
    failures_in_row: int = 0
    rate_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    probe_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    holds: int = 0
    because: str | None = Field(default=None, max_length=200)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tested_well: bool | None = None
    certificate_authority: str | None = None
    polled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Maintenance(SQLModel, table=True):
    """A window in which a department announced that it takes nothing; its steps are held meanwhile."""

    __tablename__ = "maintenance"
    __table_args__ = (Index("ix_maintenance_department_until_at", "department", "until_at"),)

    id: int | None = Field(default=None, primary_key=True)
    department: str = Field(sa_column=Column(ForeignKey("endpoints.department"), nullable=False))
    from_at: datetime = Field(sa_type=UtcDateTime)
    until_at: datetime = Field(sa_type=UtcDateTime)
    note: str | None = Field(default=None, max_length=200)
    announced_by: str = Field(max_length=80)


class EndpointDay(SQLModel, table=True):
    """One day's conformance check of a live endpoint (test event): whether it verified, and what was wrong."""

    __tablename__ = "endpoint_days"

    department: str = Field(sa_column=Column(ForeignKey("endpoints.department"), primary_key=True))
    on: date = Field(primary_key=True)
    well: bool
    problem: str | None = Field(default=None, max_length=300)
