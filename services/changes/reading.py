"""Audit entries read as changes: a page of them from a number on, and who may know of which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import AuditEntry, AuditHead, Case, Holder
from models.states import Role
from services.access import Caller
from services.changes.kinds import Reach, Told, told_of
from services.database import table

_ENTRIES, _HEAD, _CASES = table(AuditEntry), table(AuditHead), table(Case)
PAGE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``sequence`` is its place in the audit log, ``kind`` what was done (``case.moved``), ``subject`` a
    case's number, a department, ``remedy:7`` or ``system``; ``at`` is business time. ``departments``: whose steps it is
    about. ``figures``: what is told of it beside that (a retry's number and counts, the state a case moved to).
    ``station``: that of the case, if it is about one; ``districts``: those of an incident's cases.
    """

    sequence: int
    at: datetime
    kind: str
    subject: str
    departments: tuple[str, ...]
    figures: Mapping[str, Any]
    station: str | None = None
    districts: tuple[str, ...] = ()

    def seen_by(self, caller: Caller) -> bool:
        """Whether ``caller`` may know of it."""
        told = told_of(self.kind)
        if told is None or caller.role not in told.roles:
            return False
        if told.reach is Reach.ALL:
            return True
        if caller.role is Role.OFFICER:
            return told.reach is Reach.SEATS or caller.scope in self.departments
        district = caller.sight.district
        if district is None:
            return True
        if told.reach is Reach.INCIDENT:
            return district in self.districts
        # A case's number begins with its district for ever (intake).
        of_case = told.reach in (Reach.CASE, Reach.STEPS, Reach.HOLDER) and self.subject.startswith(f"{district}-")
        return of_case and caller.sight.station in (None, self.station)

    def for_caller(self, caller: Caller) -> Change:
        """The change as ``caller`` is told it: to an officer, other departments' steps in it are nothing; to a
        district's staff, an incident bears no figures, which are of the whole city.
        """
        if caller.role is Role.OFFICER:
            return replace(self, departments=tuple(one for one in self.departments if one == caller.scope))
        if self.districts and caller.sight.district is not None:
            return replace(self, figures={name: n for name, n in self.figures.items() if name == "incident"})
        return self


async def head_of(connection: AsyncConnection) -> int:
    """The number of the last audit entry."""
    return int((await connection.execute(select(_HEAD.c.sequence).where(_HEAD.c.id == 1))).scalar_one())


async def read_changes(connection: AsyncConnection, after: int, limit: int = PAGE) -> tuple[list[Change], int]:
    """The changes among the ``limit`` entries after the one numbered ``after``, and the number of the last of those."""
    entry = (_ENTRIES.c.sequence, _ENTRIES.c.at, _ENTRIES.c.action, _ENTRIES.c.subject, _ENTRIES.c.detail)
    query = (
        select(*entry, _CASES.c.station)
        .join_from(_ENTRIES, _CASES, _CASES.c.number == _ENTRIES.c.subject, isouter=True)
        .where(_ENTRIES.c.sequence > after)
        .order_by(_ENTRIES.c.sequence)
        .limit(limit)
    )
    rows = (await connection.execute(query)).all()
    return list(_changes(rows)), rows[-1].sequence if rows else after


def _changes(rows: Any) -> Iterator[Change]:
    for row in rows:
        told = told_of(row.action)
        if told is not None:
            figures = {name: row.detail[name] for name in told.figures if name in row.detail}
            departments = _departments(row, told)
            districts = tuple(row.detail.get("districts", ())) if told.reach is Reach.INCIDENT else ()
            yield Change(row.sequence, row.at, row.action, row.subject, departments, figures, row.station, districts)


def _departments(row: Row[Any], told: Told) -> tuple[str, ...]:
    """Whose steps an entry is about. A step's id bears its department (``exchange.orders.step_id``)."""
    if told.reach in (Reach.DEPARTMENT, Reach.INCIDENT):
        return (row.subject,)
    if told.reach is Reach.HOLDER:
        theirs = row.detail.get("holder") == Holder.DEPARTMENT
        return (str(row.detail["department"]),) if theirs else ()
    if told.reach is not Reach.STEPS:
        return ()
    steps = row.detail.get("steps") or row.detail.get("step") or ()
    ids = (steps,) if isinstance(steps, str) else steps
    begin = f"{row.subject}-"
    named = (step.removeprefix(begin).partition("-")[2].rpartition("-")[0] for step in ids if step.startswith(begin))
    return tuple(sorted({department for department in named if department}))
