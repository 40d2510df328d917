"""Departments' own time limits: how many working days each has for a step, from a day on. What is under way keeps the
days that it was asked with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from models import DepartmentTerm
from services.database import table
from services.errors import InputError, NotFoundError
from services.house import House
from services.lexicon import Lexicon, Named
from services.supervision.terms import DEFAULT_DAYS, promised_days

_TERMS = table(DepartmentTerm)
MAX_DAYS = 90


@dataclass(frozen=True, slots=True)
class Limit:
    """A department's working days for a step, from the day ``from_on``; None where those promised hold."""

    department: Named
    days: int
    from_on: date | None


async def set_limit(house: House, actor: str, department: str, days: int, from_on: date | None = None) -> Limit:
    """Give a department ``days`` working days for steps asked from ``from_on`` on (today, if left out).

    NotFoundError for a department that no pack knows, InputError for days out of bounds or a day that is over.
    """
    today = house.database.clock.today()
    from_on = from_on or today
    if not any(department in pack.departments for pack in house.packs.packs):
        raise NotFoundError("no pack knows this department", place="department")
    if not 1 <= days <= MAX_DAYS:
        raise InputError(f"must be 1 to {MAX_DAYS} working days", place="days")
    if from_on < today:
        raise InputError("is over; what was asked keeps its days", place="from")
    async with house.database.write(actor) as transaction:
        mine = (_TERMS.c.department == department, _TERMS.c.from_on == from_on)
        await transaction.connection.execute(_TERMS.delete().where(*mine))
        row = {
            "department": department,
            "from_on": from_on,
            "days": days,
            "set_by": transaction.actor,
            "set_at": transaction.at,
        }
        await transaction.insert(DepartmentTerm, [row])
        transaction.note("limit.set", department, days=days, from_on=from_on.isoformat())
    return Limit(Lexicon(house.packs, None).department(department, today), days, from_on)


async def list_limits(house: House) -> tuple[Limit, ...]:
    """Every department with the days that it has today, and the limits to come."""
    today, words = house.database.clock.today(), Lexicon(house.packs, None)
    async with house.database.read() as connection:
        rows = (await connection.execute(select(_TERMS).order_by(_TERMS.c.department, _TERMS.c.from_on))).all()
    promised = promised_days(house.packs.covering(today), today) if house.packs.covering(today) else DEFAULT_DAYS
    found: list[Limit] = []
    for code in words.book.departments:
        own = [row for row in rows if row.department == code]
        now = [row for row in own if row.from_on <= today][-1:]
        name = words.department(code, today)
        found.append(Limit(name, now[0].days, now[0].from_on) if now else Limit(name, promised, None))
        found.extend(Limit(name, row.days, row.from_on) for row in own if row.from_on > today)
    return tuple(found)
