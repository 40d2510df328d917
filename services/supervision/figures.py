"""The steps behind a figure (考核明细), and what a department says against one.

A department contests a figure as a whole or one step in it; where the coordinator agrees, the step is left out of that
figure, in every period, and the appraisal says how many were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from models import FigureDispute, Step
from services.access import WHOLE_CITY, Caller, Sight
from services.database import is_postgresql, table
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.house import House
from services.lexicon import Lexicon, Named
from services.supervision.measures import Measure, measures
from services.supervision.periods import Period, read_period
from services.supervision.words import FIGURE_WORDS

_DISPUTES, _STEPS = table(FigureDispute), table(Step)
MAX_PAGE = 200
LONGEST_REASON = 400
# Whether a step is behind a figure.
BEHIND: Mapping[str, Callable[[Measure], bool]] = {
    "received": lambda one: one.received,
    "closed": lambda one: one.closed,
    "on_time": lambda one: one.on_time is True,
    "late": lambda one: one.on_time is False,
    "first_right": lambda one: one.first_right is True,
    "declined": lambda one: one.declined,
    "reasoned": lambda one: one.reasoned is True,
    "unreasoned": lambda one: one.reasoned is False,
    "hours": lambda one: one.hours is not None,
}
# What can be contested of a step, and the figure it is then left out of.
CONTESTED: Mapping[str, str] = {
    "on_time": "on_time",
    "late": "on_time",
    "first_right": "first_right",
    "reasoned": "reasoned",
    "unreasoned": "reasoned",
    "hours": "hours",
}


@dataclass(frozen=True, slots=True)
class Behind:
    """Which figure of which department, in a district or (None) the whole city."""

    figure: str
    department: str
    district: str | None = None


@dataclass(frozen=True, slots=True)
class StepPage:
    """One page of the steps behind a figure, by id; ``next`` is the id after which the next page begins."""

    figure: Named
    items: tuple[Measure, ...]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True)
class DisputeView:
    """What was said against a figure. ``left_out`` is None until it is decided."""

    id: int
    department: Named
    period: str
    figure: Named
    step: str | None
    because: str
    asked_by: str
    asked_at: datetime
    left_out: bool | None
    decided_by: str | None
    decided_at: datetime | None
    decided_because: str | None


async def steps_behind(
    house: House, period: Period, wanted: Behind, sight: Sight = WHOLE_CITY, *, after: str | None = None,
    limit: int = 50,
) -> StepPage:  # fmt: skip
    """The steps behind one figure. InputError for a figure without, NotFoundError out of sight."""
    figure, department = wanted.figure, wanted.department
    if figure not in BEHIND:
        raise InputError(f"must be one of {', '.join(BEHIND)}", place="figure")
    if sight.department not in (None, department):
        raise NotFoundError("there is no such department, or it is not yours to see", place="department")
    total = 0
    items: list[Measure] = []
    async with house.database.read() as connection:
        async for one in measures(house, connection, period, sight, department=department, district=wanted.district):
            if BEHIND[figure](one):
                total += 1
                if len(items) <= limit and (after is None or one.step > after):
                    items.append(one)
    last = items[limit - 1].step if len(items) > limit else None
    return StepPage(Named.of(figure, FIGURE_WORDS[figure]), tuple(items[:limit]), total, last)


async def dispute_figure(
    house: House, caller: Caller, period: str, figure: str, because: str, step: str | None = None
) -> DisputeView:
    """A department's officer says why a figure, or one step in it, is wrong.

    AccessError for who is no officer, InputError for a figure that cannot be contested, NotFoundError for a step of
    another department.
    """
    if caller.sight.department is None:
        raise AccessError("a department contests its own figures", place="authorization")
    if figure not in CONTESTED and (step is not None or figure not in FIGURE_WORDS):
        raise InputError(f"must be one of {', '.join(CONTESTED)}", place="figure")
    if not because.strip() or len(because) > LONGEST_REASON:
        raise InputError(f"give a reason of at most {LONGEST_REASON} characters", place="because")
    async with house.database.write(caller.actor) as transaction:
        if step is not None:
            mine = select(_STEPS.c.id).where(_STEPS.c.id == step, _STEPS.c.department == caller.sight.department)
            if (await transaction.connection.execute(mine)).first() is None:
                raise NotFoundError("there is no such step, or it is not yours", place="step")
        row = {
            "department": caller.sight.department,
            "period": read_period(period).code,
            "figure": CONTESTED.get(figure, figure),
            "step_id": step,
            "because": because,
            "asked_by": transaction.actor,
            "asked_at": transaction.at,
        }
        made = await transaction.connection.execute(_DISPUTES.insert().values(row).returning(_DISPUTES.c.id))
        number = int(made.scalar_one())
        transaction.note("figure.contested", caller.sight.department, dispute=number, figure=figure, step=step)
    return await show_dispute(house, number, caller.sight)


async def decide_dispute(house: House, caller: Caller, number: int, left_out: bool, because: str) -> DisputeView:
    """A coordinator agrees (the step is left out) or not. ConflictError if it is decided already."""
    if caller.sight != WHOLE_CITY:
        raise AccessError("this is for the whole city's coordinators", place="authorization")
    if not because.strip() or len(because) > LONGEST_REASON:
        raise InputError(f"give a reason of at most {LONGEST_REASON} characters", place="because")
    async with house.database.write(caller.actor) as transaction:
        query = select(_DISPUTES).where(_DISPUTES.c.id == number)
        if is_postgresql(transaction.connection):
            query = query.with_for_update()
        row = (await transaction.connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError("there is no such dispute", place="dispute")
        if row.left_out is not None:
            raise ConflictError("is decided already", place="dispute")
        decided = {
            "left_out": left_out,
            "decided_by": transaction.actor,
            "decided_at": transaction.at,
            "decided_because": because,
        }
        await transaction.connection.execute(update(_DISPUTES).where(_DISPUTES.c.id == number).values(decided))
        transaction.note("figure.decided", row.department, dispute=number, left_out=left_out, because=because)
    return await show_dispute(house, number)


async def list_disputes(
    house: House, sight: Sight = WHOLE_CITY, *, open_only: bool = False, before: int | None = None, limit: int = 50
) -> tuple[DisputeView, ...]:
    """What was said against figures, the newest first; a department sees its own."""
    query = select(_DISPUTES).order_by(_DISPUTES.c.id.desc()).limit(limit)
    if sight.department is not None:
        query = query.where(_DISPUTES.c.department == sight.department)
    if open_only:
        query = query.where(_DISPUTES.c.left_out.is_(None))
    if before is not None:
        query = query.where(_DISPUTES.c.id < before)
    async with house.database.read() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(_view(house, row) for row in rows)


async def show_dispute(house: House, number: int, sight: Sight = WHOLE_CITY) -> DisputeView:
    """One dispute; NotFoundError out of sight."""
    async with house.database.read() as connection:
        row = (await connection.execute(select(_DISPUTES).where(_DISPUTES.c.id == number))).one_or_none()
    if row is None or sight.department not in (None, row.department):
        raise NotFoundError("there is no such dispute, or it is not yours to see", place="dispute")
    return _view(house, row)


def _view(house: House, row: Row[Any]) -> DisputeView:
    words = Lexicon(house.packs, None)
    return DisputeView(
        row.id,
        words.department(row.department, house.database.clock.today()),
        row.period,
        Named.of(row.figure, FIGURE_WORDS[row.figure]),
        row.step_id,
        row.because,
        row.asked_by,
        row.asked_at,
        row.left_out,
        row.decided_by,
        row.decided_at,
        row.decided_because,
    )
