"""The capacity model: its queue is the queue of the textbooks, its bounds bind, and its page says what it computes."""

from __future__ import annotations

import json
import math

import pytest

from benchmarks.capacity import (
    DOCUMENT,
    PLACES,
    POINTS,
    Costs,
    cases_a_second,
    place,
    processors,
    report,
    simulate,
    tables,
    throughput,
    written,
)

COSTS = Costs(
    door_ms=5, dispatcher_ms=10, postgres_ms=5, prefect_ms=3, others_ms=2, look_ms=1, bytes_a_case=80_000, messages=20,
    chain_ms=1,
)  # fmt: skip


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_one_server_waits_as_the_formula_says(load: float) -> None:
    # M/M/1: the wait is longer than t with probability load * exp(-(1 - load) * t), in times of service.
    wait = simulate(load, 1.0, 1, cases=60_000)
    assert wait["p99_s"] == pytest.approx(math.log(load / 0.01) / (1 - load), rel=0.15)


def test_more_servers_wait_less() -> None:
    assert simulate(1.8, 1.0, 3)["p99_s"] > simulate(1.8, 1.0, 4)["p99_s"] > simulate(1.8, 1.0, 8)["p99_s"]


def test_the_lowest_bound_binds() -> None:
    assert throughput(COSTS, 1.0, 8) == 50
    assert throughput(COSTS, 100.0, 1) == 100
    assert throughput(COSTS, 1_000.0, 1_000) == 1_000


def test_nobody_is_planned_to_be_too_busy() -> None:
    for holders in PLACES.values():
        needed = place(COSTS, holders)["processors"]
        assert cases_a_second(holders) * COSTS.dispatcher_ms / 1000 <= 0.6 * needed["dispatchers"]
    assert processors(10, 0.001) == 1
    assert processors(10, 61) == 2


def test_the_page_says_what_the_model_computes() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    computed = tables(report(json.loads(POINTS.read_text(encoding="utf-8"))))
    assert written(document, computed) == document
