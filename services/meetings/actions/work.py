"""What every kind of action has in common: the resolution in hand, what a preview tells, and what counts as proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Matter, Meeting, Resolution, Role
from services.access import Caller
from services.database import Transaction, table
from services.errors import NotFoundError
from services.house import House
from services.meetings.words import resolution_reference
from services.policy.text import Text

_RESOLUTIONS, _MATTERS, _MEETINGS = table(Resolution), table(Matter), table(Meeting)


@dataclass(frozen=True, slots=True)
class Work:
    """One resolution in hand: its own row, the matter's and the meeting's."""

    house: House
    resolution: Row[Any]
    matter: Row[Any]
    meeting: Row[Any]

    @property
    def id(self) -> int:
        """The resolution's id."""
        return int(self.resolution.id)

    @property
    def reference(self) -> Text:
        """How documents refer to the resolution."""
        return resolution_reference(self.meeting.year, self.meeting.ordinal, self.resolution.ordinal)

    @property
    def approver(self) -> Caller:
        """The second person, in whose name it is carried out."""
        return caller_named(self.resolution.approved_by)


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of an action: ``told`` in sentences; ``figures`` for programs and tables; nothing was done."""

    told: tuple[Text, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the resolution."""
        return {"told": [{"zh": one.zh, "en": one.en} for one in self.told], "figures": dict(self.figures)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Whether the ledger shows a resolution done, and what it shows, in sentences and in figures."""

    done: bool
    told: tuple[Text, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the resolution."""
        return {
            "done": self.done,
            "told": [{"zh": one.zh, "en": one.en} for one in self.told],
            "figures": dict(self.figures),
        }


class Deed(Protocol):
    """One kind of action."""

    async def preview(self, work: Work, connection: AsyncConnection) -> Preview:
        """What would come of it now. Reads only; LianbanError where it cannot be done."""

    async def fix(self, work: Work, transaction: Transaction) -> None:
        """Record what exactly is approved, in the transaction of the approval."""

    async def carry_out(self, work: Work) -> bool:
        """Do it, or go on where it was broken off; whether everything is set going."""

    async def check(self, work: Work, connection: AsyncConnection) -> Evidence:
        """What the ledger shows of it."""


async def load_work(house: House, connection: AsyncConnection, resolution: int) -> Work:
    """The resolution with its matter and its meeting; NotFoundError if there is none."""
    row = (await connection.execute(select(_RESOLUTIONS).where(_RESOLUTIONS.c.id == resolution))).one_or_none()
    if row is None:
        raise NotFoundError("there is no such resolution", place="resolution")
    matter = (await connection.execute(select(_MATTERS).where(_MATTERS.c.id == row.matter_id))).one()
    meeting = (await connection.execute(select(_MEETINGS).where(_MEETINGS.c.id == row.meeting_id))).one()
    return Work(house, row, matter, meeting)


def caller_named(actor: str) -> Caller:
    """Who stands behind an actor of the audit log: ``coordinator:li``."""
    role, _, name = actor.partition(":")
    return Caller(name, Role(role))
