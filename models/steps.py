"""The ledger: entitlements (权益事项), the steps asked of departments (协办事项), and every attempt (推送记录)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from models.base import JsonType, UtcDateTime, state_type
from models.states import Door, EntitlementState, StepKind, StepState


class Entitlement(SQLModel, table=True):
    """One service for one permit at one department: while a service changes hands it stands at two. ``from_on`` and
    ``until_on`` are the days decided; ``step_id`` is the step that last asked for it; ``leaves_on`` the day on which a
    service in its days of grace is withdrawn (A17)."""

    __tablename__ = "entitlements"
    __table_args__ = (Index("ix_entitlements_department_state", "department", "state"),)

    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), primary_key=True))
    service: str = Field(primary_key=True, max_length=24)
    department: str = Field(primary_key=True, max_length=40)
    state: EntitlementState = Field(sa_column=Column(state_type(EntitlementState), nullable=False))
    from_on: date
    until_on: date
    leaves_on: date | None = None
    step_id: str = Field(max_length=80)
    reason: str | None = Field(default=None, max_length=64)
    in_force_from: date | None = None
    changed_at: datetime = Field(sa_type=UtcDateTime)


class Step(SQLModel, table=True):
    """One thing asked of one department about one case; ``id`` is its idempotency key for ever (``webhook-id``).

    ``content`` says what is asked, without personal data: ``{"facts": [...]}`` or ``{"open": [...], "withdraw":
    [...]}``. ``lease`` fences a claim: an outcome is recorded only by who still holds it.
    ``answer_days`` are the working days that the department has, ``answer_by`` the last of them (None: its clock
    stands still), ``look_on`` the day on which that clock wants a look. ``tried_at``: when it was first sent, or first
    found its door shut; None for what a department comes for itself. All instants but ``next_attempt_at`` are business
    time.
    """

    __tablename__ = "steps"
    __table_args__ = (
        Index("ix_steps_case_number", "case_number"),
        # What came and what was settled in a month: supervision counts by these.
        Index("ix_steps_created_at", "created_at"),
        Index("ix_steps_settled_at", "settled_at", sqlite_where=text("settled_at IS NOT NULL"),
              postgresql_where=text("settled_at IS NOT NULL")),
        Index("ix_steps_department_state_next_attempt_at", "department", "state", "next_attempt_at"),
        Index("ix_steps_look_on", "look_on", sqlite_where=text("look_on IS NOT NULL"),
              postgresql_where=text("look_on IS NOT NULL")),
        Index("ix_steps_next_attempt_at", "next_attempt_at", sqlite_where=text("next_attempt_at IS NOT NULL"),
              postgresql_where=text("next_attempt_at IS NOT NULL")),
    )  # fmt: skip

    id: str = Field(primary_key=True, max_length=80)
    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), nullable=False))
    department: str = Field(max_length=40)
    district: str = Field(max_length=24)
    kind: StepKind = Field(sa_column=Column(state_type(StepKind), nullable=False))
    state: StepState = Field(sa_column=Column(state_type(StepState), nullable=False))
    content: dict[str, Any] = Field(sa_column=Column(JsonType, nullable=False))
    pack: str = Field(max_length=64)
    decision: int | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    answer_days: int | None = None
    answer_by: date | None = None
    look_on: date | None = None
    tried_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    lease: str | None = Field(default=None, max_length=40)
    received_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = Field(default=None, max_length=200)


def services_of(content: Mapping[str, Any]) -> frozenset[str]:
    """The services about which ``Step.content`` asks, to open or to withdraw."""
    return frozenset(one["service"] for ask in ("open", "withdraw") for one in content.get(ask, ()))


class Attempt(SQLModel, table=True):
    """One try at a step: what was sent (digest), what came back (bounded), how long it took (milliseconds).

    ``message_id`` and ``signature`` are the headers ``webhook-id`` and ``webhook-signature`` as sent; the time-stamp
    that was signed is the second of ``started_at``. ``event_digest`` is of this step's event alone, which differs
    from ``sent_digest`` in a batch, where ``position`` is its place from 0. ``fields`` names what of the person was
    in the message, by blanks; ``answer_digest`` is of the whole answer, of which ``excerpt`` is a part. ``door``:
    whether it was pushed, fetched by a poll, or taken from the inbox by an officer.
    """

    __tablename__ = "attempts"

    step_id: str = Field(sa_column=Column(ForeignKey("steps.id"), primary_key=True))
    number: int = Field(primary_key=True)
    started_at: datetime = Field(sa_type=UtcDateTime)
    duration_ms: int
    status: int | None = None
    error: str | None = Field(default=None, max_length=24)
    problem: str | None = Field(default=None, max_length=300)
    sent_digest: str = Field(max_length=64)
    excerpt: str | None = Field(default=None, max_length=600)
    message_id: str | None = Field(default=None, max_length=128)
    signature: str | None = None
    event_digest: str | None = Field(default=None, max_length=64)
    position: int | None = None
    fields: str | None = Field(default=None, max_length=160)
    answer_digest: str | None = Field(default=None, max_length=64)
    door: Door = Field(default=Door.PUSH, sa_column=Column(state_type(Door), nullable=False, server_default="push"))


class InboundMessage(SQLModel, table=True):
    """A call-back that was taken in, so that the same message a second time changes nothing.

    ``sealed`` (context ``inbound:<department>:<message_id>``) keeps what came, with its signature, as evidence; None
    where it was too long to be kept.
    """

    __tablename__ = "inbound_messages"

    department: str = Field(primary_key=True, max_length=40)
    message_id: str = Field(primary_key=True, max_length=128)
    digest: str = Field(max_length=64)
    received_at: datetime = Field(sa_type=UtcDateTime)
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class InboundStep(SQLModel, table=True):
    """Which steps a call-back was about, so that a step's evidence finds it."""

    __tablename__ = "inbound_steps"

    step_id: str = Field(primary_key=True, max_length=80)
    department: str = Field(primary_key=True, max_length=40)
    message_id: str = Field(primary_key=True, max_length=128)
