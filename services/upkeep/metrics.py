"""Figures for monitoring, in Prometheus' text format: where cases and steps stand, and how long the oldest waits.

Every query is answered by an index or by a table of a few rows; nothing is kept between two calls, so that any process
gives the same figures. Labels bear codes only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import AuditHead, Case, Endpoint, Permit, Step, StepState
from services.clock import Clock
from services.database import table
from services.house import House

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_CASES, _PERMITS, _STEPS = table(Case), table(Permit), table(Step)
_ENDPOINTS, _HEAD = table(Endpoint), table(AuditHead)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric, with its labels."""

    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    """One gauge with its samples."""

    name: str
    help: str
    samples: tuple[Sample, ...]


async def measure(house: House) -> tuple[Metric, ...]:
    """Every metric, from one snapshot of the database."""
    async with house.database.read() as connection:
        return tuple([metric async for metric in _metrics(connection, house.database.clock)])


async def _metrics(connection: AsyncConnection, clock: Clock) -> AsyncIterator[Metric]:
    now, today = clock.now(), clock.today()

    async def rows(query: Select[Any]) -> list[Row[Any]]:
        return list(await connection.execute(query))

    async def one(query: Select[Any]) -> Any:
        return (await connection.execute(query)).scalar_one_or_none()

    counted = await rows(select(_CASES.c.state, func.count()).group_by(_CASES.c.state))
    yield _metric("cases", "Cases by state", ((row[1], {"state": row[0].value}) for row in counted))
    ready = and_(_CASES.c.ready_at.is_not(None), _CASES.c.ready_at <= now)
    waiting = (await rows(select(func.count(), func.min(_CASES.c.ready_at)).where(ready)))[0]
    yield _metric("cases_ready", "Cases that want work and wait for the dispatcher", [(waiting[0], {})])
    yield _metric(
        "cases_ready_oldest_seconds",
        "How long the longest waiting of them has waited",
        [(_age(waiting[1], now), {})],
    )
    # Who is in hand has the end of the lease where the wish for work stands.
    held = await one(select(func.count()).where(_CASES.c.ready_at > now))
    yield _metric("cases_in_hand", "Cases under way in a batch of the dispatcher", [(held or 0, {})])
    overdue = await one(select(func.count()).where(_CASES.c.review_on.is_not(None), _CASES.c.review_on < today))
    yield _metric(
        "cases_review_overdue", "Cases whose day of review has passed without reconcile", [(overdue or 0, {})]
    )
    permits = await rows(select(_PERMITS.c.state, func.count()).group_by(_PERMITS.c.state))
    yield _metric("permits", "Permits by state", ((row[1], {"state": row[0].value}) for row in permits))
    steps = await rows(
        select(_STEPS.c.department, _STEPS.c.state, func.count()).group_by(_STEPS.c.department, _STEPS.c.state)
    )
    yield _metric(
        "steps",
        "Steps by department and state",
        ((row[2], {"department": row[0], "state": row[1].value}) for row in steps),
    )
    due = and_(_STEPS.c.state == StepState.DUE, _STEPS.c.next_attempt_at <= now)
    oldest = await rows(
        select(_STEPS.c.department, func.min(_STEPS.c.next_attempt_at)).where(due).group_by(_STEPS.c.department)
    )
    yield _metric(
        "steps_due_oldest_seconds",
        "How long the longest due step of a department has been due",
        ((_age(row[1], now), {"department": row[0]}) for row in oldest),
    )
    endpoints = await rows(select(_ENDPOINTS).order_by(_ENDPOINTS.c.department))
    for metric in _endpoint_metrics(endpoints, now):
        yield metric
    entries = await one(select(_HEAD.c.sequence).where(_HEAD.c.id == 1))
    yield _metric("audit_entries", "Entries of the audit chain", [(entries or 0, {})])


def _endpoint_metrics(endpoints: Iterable[Row[Any]], now: datetime) -> Iterator[Metric]:
    listed = list(endpoints)
    yield _metric(
        "endpoint_state",
        "1 for the state in which a department's endpoint is",
        ((1, {"department": row.department, "state": row.state.value, "door": row.door.value}) for row in listed),
    )
    yield _metric(
        "endpoint_window_tries",
        "Tries in the current window of a department's breaker",
        ((row.window_tries, {"department": row.department}) for row in listed),
    )
    yield _metric(
        "endpoint_window_failures",
        "Failed tries in the current window of a department's breaker",
        ((row.window_failures, {"department": row.department}) for row in listed),
    )
    yield _metric(
        "endpoint_held_seconds",
        "Since when a department's endpoint is held, in seconds",
        ((_age(row.held_at, now), {"department": row.department}) for row in listed if row.held_at is not None),
    )


def _metric(name: str, words: str, samples: Iterable[tuple[float, Mapping[str, str]]]) -> Metric:
    return Metric(f"lianban_{name}", words, tuple(Sample(value, labels) for value, labels in samples))


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since is not None else 0.0


def write_metrics(metrics: Iterable[Metric]) -> str:
    """``metrics`` in the text format 0.0.4."""
    return generate_latest(_Measured(metrics)).decode()


class _Measured(Collector):
    """Measured values as the client library takes them. Nothing is registered: each scrape measures anew."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each metric with its samples."""
        for metric in self._metrics:
            family = GaugeMetricFamily(metric.name, metric.help)
            for sample in metric.samples:
                family.add_sample(metric.name, dict(sample.labels), sample.value)
            yield family
