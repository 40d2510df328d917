"""The installation in figures: cases, permits, steps and services by state, what failed and why, what waits longest.

Counted by the database over what the reader sees; nothing about a single person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, CaseState, Entitlement, EntitlementState, Permit, PermitState, Step, StepState
from services.access import WHOLE_CITY, Sight
from services.casework.sight import cases_in, entitlements_in, steps_in
from services.database import table
from services.dossiers.tallies import cases_by_state

_CASES, _PERMITS, _STEPS, _ENTITLEMENTS = table(Case), table(Permit), table(Step), table(Entitlement)
_UNANSWERED = (StepState.DUE, StepState.SENDING, StepState.RECEIVED, StepState.HELD, StepState.FAILED)


@dataclass(frozen=True, slots=True)
class Failure:
    """``count`` steps or services of one department that stand in ``state`` for one ``reason`` (a code)."""

    department: str
    state: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class OldestStep:
    """The step that has waited longest for its department's answer. ``attempts`` is how often it was sent."""

    id: str
    case_number: str
    department: str
    state: str
    created_at: datetime
    answer_by: date | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts; what does not occur is left out, states stand in the order of their enum, departments by code.

    ``permits``: term in years → state → count. ``steps`` and ``entitlements``: department → state → count.
    ``failures``: steps that failed, were declined or wait for a retry; ``declined``: services that departments
    declined. Both most frequent first. ``set_aside``: cases that no flow takes up any more.
    """

    cases: dict[str, int]
    set_aside: int
    permits: dict[int, dict[str, int]]
    steps: dict[str, dict[str, int]]
    entitlements: dict[str, dict[str, int]]
    failures: tuple[Failure, ...]
    declined: tuple[Failure, ...]
    oldest: OldestStep | None


async def figures(connection: AsyncConnection, sight: Sight = WHOLE_CITY) -> Figures:
    """Count what is in ``sight``."""
    by_state = await cases_by_state(connection, sight)
    set_aside = select(func.count()).where(cases_in(sight), _CASES.c.set_aside.is_not(None))
    permits = (
        select(_PERMITS.c.term_years, _PERMITS.c.state, func.count())
        .join(_CASES, _CASES.c.number == _PERMITS.c.case_number)
        .where(cases_in(sight))
        .group_by(_PERMITS.c.term_years, _PERMITS.c.state)
    )
    by_term: dict[int, dict[str, int]] = {}
    for term, state, count in sorted(await _rows(connection, permits), key=lambda row: _order(row[:2], PermitState)):
        by_term.setdefault(term, {})[state.value] = count
    return Figures(
        cases={state.value: by_state[state] for state in CaseState if state in by_state},
        set_aside=int((await connection.execute(set_aside)).scalar_one()),
        permits=by_term,
        steps=await _by_department(connection, _STEPS, steps_in(sight), StepState),
        entitlements=await _by_department(connection, _ENTITLEMENTS, entitlements_in(sight), EntitlementState),
        failures=await _failures(connection, sight),
        declined=await _declined(connection, sight),
        oldest=await _oldest(connection, sight),
    )


async def _rows(connection: AsyncConnection, query: Any) -> Sequence[Any]:
    return (await connection.execute(query)).all()


def _order(key: Sequence[Any], states: type[StrEnum]) -> tuple[Any, int]:
    return key[0], list(states).index(key[1])


async def _by_department(
    connection: AsyncConnection, source: Table, where: ColumnElement[bool], states: type[StrEnum]
) -> dict[str, dict[str, int]]:
    query = (
        select(source.c.department, source.c.state, func.count())
        .where(where)
        .group_by(source.c.department, source.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for department, state, count in sorted(await _rows(connection, query), key=lambda row: _order(row[:2], states)):
        found.setdefault(department, {})[state.value] = count
    return found


async def _failures(connection: AsyncConnection, sight: Sight) -> tuple[Failure, ...]:
    retried = and_(_STEPS.c.state == StepState.DUE, _STEPS.c.reason.is_not(None))
    wrong = _STEPS.c.state.in_((StepState.FAILED, StepState.DECLINED)) | retried
    columns = (_STEPS.c.department, _STEPS.c.state, _STEPS.c.reason)
    query = select(*columns, func.count()).where(steps_in(sight), wrong).group_by(*columns)
    return _most_first(
        Failure(department, "retrying" if state is StepState.DUE else state.value, reason or "unknown", count)
        for department, state, reason, count in await _rows(connection, query)
    )


async def _declined(connection: AsyncConnection, sight: Sight) -> tuple[Failure, ...]:
    columns = (_ENTITLEMENTS.c.department, _ENTITLEMENTS.c.reason)
    declined = _ENTITLEMENTS.c.state == EntitlementState.DECLINED
    query = select(*columns, func.count()).where(entitlements_in(sight), declined).group_by(*columns)
    return _most_first(
        Failure(department, EntitlementState.DECLINED.value, reason or "unknown", count)
        for department, reason, count in await _rows(connection, query)
    )


def _most_first(found: Any) -> tuple[Failure, ...]:
    return tuple(sorted(found, key=lambda one: (-one.count, one.department, one.state, one.reason)))


async def _oldest(connection: AsyncConnection, sight: Sight) -> OldestStep | None:
    query = (
        select(
            _STEPS.c.id, _STEPS.c.case_number, _STEPS.c.department, _STEPS.c.state, _STEPS.c.created_at,
            _STEPS.c.answer_by, _STEPS.c.attempts,
        )
        .where(steps_in(sight), _STEPS.c.state.in_(_UNANSWERED))
        .order_by(_STEPS.c.created_at, _STEPS.c.id)
        .limit(1)
    )  # fmt: skip
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        return None
    return OldestStep(
        found.id,
        found.case_number,
        found.department,
        found.state.value,
        found.created_at,
        found.answer_by,
        found.attempts,
    )
