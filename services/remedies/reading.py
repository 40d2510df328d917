"""Remedies as they are read: lists, newest first, and one with what came of each case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, false, select, true

from models import Remedy, RemedyCase, RemedyState
from services.access import WHOLE_CITY, Sight
from services.access.second_person import approvals_of
from services.database import table
from services.errors import NotFoundError
from services.house import House
from services.lexicon import Named
from services.remedies.words import KIND_WORDS, STATE_WORDS

_REMEDIES, _OF_CASES = table(Remedy), table(RemedyCase)
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class RemedyRow:
    """One remedy. ``cases`` is how many it is about; ``decided_by`` a second person, where one was needed."""

    id: int
    kind: Named
    state: Named
    reason: str
    content: Mapping[str, Any]
    cases: int
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_because: str | None


@dataclass(frozen=True, slots=True)
class RemedyOutcome:
    """One case of a remedy: done, not done because of ``problem``, or None while it waits."""

    case_number: str
    done: bool | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class RemedyFile:
    """A remedy whole. ``approvals``: who approved of it, in order."""

    remedy: RemedyRow
    approvals: tuple[str, ...]
    outcomes: tuple[RemedyOutcome, ...]


@dataclass(frozen=True, slots=True)
class RemedyPage:
    """Remedies, newest first; ``before`` is where the next page begins, None after the last."""

    items: tuple[RemedyRow, ...]
    before: int | None


async def list_remedies(
    house: House,
    sight: Sight = WHOLE_CITY,
    *,
    state: RemedyState | None = None,
    before: int | None = None,
    limit: int = 50,
) -> RemedyPage:
    """The remedies in ``sight``, those asked for before the remedy ``before`` only. A district's staff see those about
    its own cases alone.
    """
    wanted = [_in(sight)]
    if state is not None:
        wanted.append(_REMEDIES.c.state == state)
    if before is not None:
        wanted.append(_REMEDIES.c.id < before)
    query = select(_REMEDIES).where(and_(*wanted)).order_by(_REMEDIES.c.id.desc()).limit(limit + 1)
    async with house.database.read() as connection:
        rows = [_row(row) for row in await connection.execute(query)]
    return RemedyPage(tuple(rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)


async def read_remedy(house: House, remedy: int, sight: Sight = WHOLE_CITY) -> RemedyFile:
    """One remedy with what came of each case; NotFoundError if it is not in ``sight``."""
    outcomes = select(_OF_CASES).where(_OF_CASES.c.remedy_id == remedy).order_by(_OF_CASES.c.case_number)
    async with house.database.read() as connection:
        query = select(_REMEDIES).where(_REMEDIES.c.id == remedy, _in(sight))
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError("there is no such remedy, or it is not yours to see", place="remedy")
        return RemedyFile(
            _row(row),
            await approvals_of(connection, f"remedy:{remedy}"),
            tuple(RemedyOutcome(one.case_number, one.done, one.problem) for one in await connection.execute(outcomes)),
        )


def _in(sight: Sight) -> ColumnElement[bool]:
    if sight.station is not None or sight.department is not None:
        return false()
    return true() if sight.district is None else _REMEDIES.c.district == sight.district


def _row(row: Row[Any]) -> RemedyRow:
    return RemedyRow(
        row.id,
        Named.of(row.kind.value, KIND_WORDS[row.kind]),
        Named.of(row.state.value, STATE_WORDS[row.state]),
        row.reason,
        row.content,
        row.cases,
        row.asked_by,
        row.asked_at,
        row.decided_by,
        row.decided_at,
        row.decided_because,
    )
