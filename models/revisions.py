"""Revisions of the policy (政策修订): packs adopted, and amendments to a pack in force, each from its day, for ever."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.base import JsonType, UtcDateTime, state_type


class RevisionKind(StrEnum):
    """``pack``: a whole pack, new or in the place of what it was. ``amendment``: some changes to one that is known."""

    PACK = "pack"
    AMENDMENT = "amendment"


class RevisionState(StrEnum):
    """Where a revision stands. ``withdrawn``: it had been adopted, and was taken back before its day."""

    PROPOSED = "proposed"
    ADOPTED = "adopted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Revision(SQLModel, table=True):
    """One revision of the pack ``pack`` from the day ``from_on`` on.

    ``content``: the pack whole, or ``{"changes": [...]}`` (``services.revisions.amendments``). ``version``: the number
    of the pack's version that it made, once adopted, and ``adoption`` its place among all that were; ``digest`` is that
    version's. ``basis`` names the document that it rests on. ``asked_person``: who asked, as ``access.second_person``
    knows persons. ``looked_to``: up to which case's number the live permits were looked through for what it changes,
    and ``looked_at`` when that was done with.
    """

    __tablename__ = "policy_revisions"
    __table_args__ = (
        UniqueConstraint("pack", "version"),
        UniqueConstraint("adoption"),
        Index("ix_policy_revisions_state_id", "state", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: RevisionKind = Field(sa_column=Column(state_type(RevisionKind), nullable=False))
    state: RevisionState = Field(sa_column=Column(state_type(RevisionState), nullable=False))
    pack: str = Field(max_length=64)
    from_on: date
    content: dict[str, Any] = Field(sa_column=Column(JsonType, nullable=False))
    digest: str = Field(max_length=64)
    version: int | None = None
    adoption: int | None = None
    basis: str = Field(max_length=200)
    reason: str = Field(max_length=400)
    asked_by: str = Field(max_length=80)
    asked_person: int | None = None
    asked_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str | None = Field(default=None, max_length=80)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_because: str | None = Field(default=None, max_length=400)
    looked_to: str | None = Field(default=None, max_length=40)
    looked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
