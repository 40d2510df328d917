"""Time limits (办理时限) as they bind today: the calendar, departments' own days, and outages that were announced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import DepartmentTerm, Maintenance
from services.clock import Clock, china_day
from services.database import table
from services.policy.pack import Clock as TimeLimit
from services.policy.pack import Pack
from services.supervision.deadlines import Span, due_on, next_look
from services.workdays import Workdays, load_workdays

_TERMS, _MAINTENANCE = table(DepartmentTerm), table(Maintenance)
PROMISED, STATUTORY = "promised", "statutory"
# Where no pack promises anything.
DEFAULT_DAYS = 10


@dataclass(frozen=True, slots=True)
class Terms:
    """What deadlines are reckoned by. ``outages`` are announced windows by department, in business time."""

    calendar: Workdays
    today: date
    own_days: Mapping[str, int] = field(default_factory=dict)
    outages: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    def days_for(self, pack: Pack | None, department: str) -> int:
        """How many working days ``department`` has for a step made today: its own, or those promised."""
        return self.own_days.get(department) or promised_days(pack, self.today)

    def step_clock(self, pack: Pack | None, department: str) -> dict[str, Any]:
        """The columns of the clock of a step made today."""
        days = self.days_for(pack, department)
        due = self.step_due(department, self.today, days)
        return {"answer_days": days, "answer_by": due, "look_on": self.step_look(self.today, days, due)}

    def step_due(self, department: str, start: date, days: int, stops: Sequence[Span] = ()) -> date:
        """The last day for a step that ``department`` has since ``start``; its announced outages stop the clock."""
        return due_on(start, days, "working", [*stops, *self.outages.get(department, ())], self.calendar)

    def step_look(self, start: date, days: int, due: date) -> date | None:
        """The next day on which a step's clock wants a look."""
        return next_look(self.today, start, days, "working", due, self.calendar)

    def case_clocks(
        self, pack: Pack | None, received_on: date, accepted_at: datetime, stops: Sequence[Span] = ()
    ) -> dict[str, Any]:
        """The columns of a case's clocks, which began at ``accepted_at`` and were stopped during ``stops``."""
        start, due, looks = china_day(accepted_at), {}, []
        for code, limit in case_limits(pack, received_on).items():
            due[code] = due_on(start, limit.days, limit.unit, stops, self.calendar)
            looks.append(next_look(self.today, start, limit.days, limit.unit, due[code], self.calendar))
        return {
            "accepted_at": accepted_at,
            "promised_by": due.get(PROMISED),
            "statutory_by": due.get(STATUTORY),
            "look_on": min((day for day in looks if day is not None), default=None),
        }


def case_limits(pack: Pack | None, received_on: date) -> dict[str, TimeLimit]:
    """The time limits that bind an application received on that day, by code (A13)."""
    return {limit.code: limit for limit in pack.clocks_on(received_on)} if pack is not None else {}


def promised_days(pack: Pack | None, day: date) -> int:
    """The working days that are promised for what is asked on ``day``."""
    limits = case_limits(pack, day)
    return limits[PROMISED].days if PROMISED in limits else DEFAULT_DAYS


async def load_terms(connection: AsyncConnection, clock: Clock) -> Terms:
    """Read what binds today."""
    today = clock.today()
    return Terms(
        await load_workdays(connection), today, await own_days(connection, today), await load_outages(connection, clock)
    )


async def own_days(connection: AsyncConnection, day: date) -> dict[str, int]:
    """The working days of departments that have a limit of their own on ``day``."""
    query = select(_TERMS.c.department, _TERMS.c.days).where(_TERMS.c.from_on <= day).order_by(_TERMS.c.from_on)
    return {row.department: row.days for row in await connection.execute(query)}


async def load_outages(connection: AsyncConnection, clock: Clock) -> dict[str, list[Span]]:
    """Every outage that was ever announced, by department, in business time.

    Windows are announced in wire time, because they say when a machine is down. On a simulated system, whose business
    time stands away from it, they are taken at the distance of today.
    """
    found: dict[str, list[Span]] = defaultdict(list)
    for row in await connection.execute(select(_MAINTENANCE).order_by(_MAINTENANCE.c.from_at)):
        found[row.department].append(Span(row.from_at + clock.shift, row.until_at + clock.shift))
    return dict(found)
