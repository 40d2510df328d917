"""Reading the audit log (审计日志), page by page, the newest first. That somebody read it is itself an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, true

from models import AuditEntry, Case
from services.access import Caller, Sight
from services.casework.sight import cases_in
from services.database import table
from services.house import House

_ENTRIES, _CASES = table(AuditEntry), table(Case)
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to show; None does not filter. ``actor`` and ``action`` are whole, or a beginning that ends with ``:`` or
    ``.`` (``clerk:``, ``key.``); ``since`` is included, ``until`` is not.
    """

    subject: str | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def given(self) -> dict[str, Any]:
        """What was asked for, as it is noted."""
        asked = ((name, getattr(self, name)) for name in self.__slots__)
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asked
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """One entry, with its place in the chain."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, and before which the next page ends; None at the end."""

    items: tuple[LoggedEntry, ...]
    next: int | None


async def read_audit(
    house: House, caller: Caller, wanted: AuditFilter, *, before: int | None = None, limit: int = 50
) -> AuditPage:
    """One page of the entries that fit ``wanted`` with a number below ``before``, and the note that ``caller`` read it.

    Who has a district in charge sees what was done to its cases, and nothing of the installation.
    """
    conditions = _conditions(caller.sight, wanted)
    if before is not None:
        conditions.append(_ENTRIES.c.sequence < before)
    query = select(_ENTRIES).where(and_(*conditions)).order_by(_ENTRIES.c.sequence.desc()).limit(limit + 1)
    async with house.database.write(caller.actor) as transaction:
        rows = (await transaction.connection.execute(query)).all()
        shown = rows[:limit]
        asked = wanted.given() | ({"before": before} if before is not None else {})
        transaction.note("audit.read", "system", entries=len(shown), asked=asked)
    items = tuple(LoggedEntry(*(getattr(row, name) for name in LoggedEntry.__slots__)) for row in shown)
    return AuditPage(items, items[-1].sequence if len(rows) > limit else None)


def _conditions(sight: Sight, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [true()]
    if sight.district is not None or sight.department is not None:
        found.append(_ENTRIES.c.subject.in_(select(_CASES.c.number).where(cases_in(sight))))
    if wanted.subject is not None:
        found.append(_ENTRIES.c.subject == wanted.subject)
    for column, value, joint in ((_ENTRIES.c.actor, wanted.actor, ":"), (_ENTRIES.c.action, wanted.action, ".")):
        if value is not None:
            beginning = value.endswith(joint)
            found.append(
                or_(column == value, column.startswith(value, autoescape=True)) if beginning else column == value
            )
    if wanted.since is not None:
        found.append(_ENTRIES.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(_ENTRIES.c.at < wanted.until)
    return found
