"""Histories (办件经过): what the ledger tells of when cases and their steps moved, read for many cases at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, CaseState, ClockStop, Door, Endpoint, Step, StepFailure, StepState
from services.database import among, table
from services.supervision.charging import History, StepTimes
from services.supervision.deadlines import Span

_CASES, _STEPS, _STOPS = table(Case), table(Step), table(ClockStop)
_FAILURES, _ENDPOINTS = table(StepFailure), table(Endpoint)
_OVER = (CaseState.REFUSED, CaseState.WITHDRAWN)
TIMES = (
    _STEPS.c.id, _STEPS.c.case_number, _STEPS.c.department, _STEPS.c.kind, _STEPS.c.state, _STEPS.c.created_at,
    _STEPS.c.tried_at, _STEPS.c.received_at, _STEPS.c.settled_at, _STEPS.c.next_attempt_at,
)  # fmt: skip
Stops = dict[str, list[tuple[datetime, datetime | None]]]


async def load_histories(connection: AsyncConnection, numbers: Collection[str]) -> dict[str, History]:
    """The histories of the cases ``numbers``, by number."""
    cases = select(
        _CASES.c.number, _CASES.c.received_at, _CASES.c.decided_at, _CASES.c.closed_at, _CASES.c.state
    ).where(among(connection, _CASES.c.number, numbers))
    found = (await connection.execute(cases)).all()
    steps = (await connection.execute(select(*TIMES).where(among(connection, _STEPS.c.case_number, numbers)))).all()
    of_case: dict[str, list[StepTimes]] = defaultdict(list)
    times = await step_times(connection, steps)
    for row in steps:
        of_case[row.case_number].append(times[row.id])
    stops, rests = await load_stops(connection, numbers)
    return {
        row.number: History(
            row.received_at,
            row.closed_at if row.state in _OVER else row.decided_at,
            tuple(sorted(of_case[row.number], key=lambda one: (one.created_at, one.id))),
            # Nobody waits for the applicant of a case that is over.
            tuple((at, until or row.closed_at) for at, until in stops.get(row.number, ())),
            tuple(rests.get(row.number, ())),
        )
        for row in found
    }


async def step_times(connection: AsyncConnection, rows: Collection[Row[Any]]) -> dict[str, StepTimes]:
    """When each of the steps moved; ``rows`` bear the columns ``TIMES``."""
    endpoints = select(_ENDPOINTS.c.department, _ENDPOINTS.c.door)
    doors = {row.department: row.door for row in await connection.execute(endpoints)}
    failures: Stops = defaultdict(list)
    query = select(_FAILURES).where(among(connection, _FAILURES.c.step_id, [row.id for row in rows]))
    for failure in await connection.execute(query.order_by(_FAILURES.c.failed_at)):
        failures[failure.step_id].append((failure.failed_at, failure.until_at))
    return {
        row.id: StepTimes(
            row.id,
            row.department,
            row.created_at,
            row.tried_at,
            row.received_at,
            # A failed step is settled for the ledger, which tries it no more, but its case waits for it.
            None if row.state is StepState.FAILED else row.settled_at,
            doors.get(row.department) is not Door.PUSH or (row.state is StepState.DUE and row.next_attempt_at is None),
            tuple(failures.get(row.id, ())),
        )
        for row in rows
    }


async def load_stops(connection: AsyncConnection, numbers: Collection[str]) -> tuple[Stops, dict[str, list[Span]]]:
    """When the cases waited for their applicants, and when they were over before they were reopened."""
    stops: Stops = defaultdict(list)
    rests: dict[str, list[Span]] = defaultdict(list)
    query = select(_STOPS).where(among(connection, _STOPS.c.case_number, numbers)).order_by(_STOPS.c.from_at)
    for row in await connection.execute(query):
        if row.missing:
            stops[row.case_number].append((row.from_at, row.until_at))
        else:
            rests[row.case_number].append(Span(row.from_at, row.until_at or row.from_at))
    return stops, rests
