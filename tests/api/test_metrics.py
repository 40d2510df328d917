"""``GET /metrics``: Prometheus reads it, the figures are those of the ledger, and nobody stands in it."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from models import Role
from services.house import House
from services.upkeep.metrics import Metric, Sample, write_metrics
from tests.api.conftest import Knock
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.looking import steps
from tests.testing.people import application, registered

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def _scrape(knock: Knock) -> Values:
    answer = await (await knock(Role.AUDITOR)).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def _key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"lianban_{name}", frozenset(labels.items())


async def test_an_empty_house_has_figures(knock: Knock) -> None:
    found = await _scrape(knock)
    assert found[_key("cases_ready")] == 0
    assert found[_key("cases_ready_oldest_seconds")] == 0


async def test_figures_are_the_ledgers(house: House, departments: Departments, knock: Knock, clock: SetClock) -> None:
    departments.failing["culture"] = 503
    person = application()
    (number,) = await registered(house, person)
    await work(house, number)
    (waiting,) = await registered(house, application())
    clock.pass_(hours=1)
    found = await _scrape(knock)
    assert found[_key("cases", state="received")] == 1
    assert found[_key("cases_ready")] >= 1
    assert found[_key("cases_ready_oldest_seconds")] == 3600
    assert found[_key("permits", state="in_force")] == 1
    assert found[_key("steps_due_oldest_seconds", department="culture")] > 0
    assert found[_key("endpoint_window_failures", department="culture")] >= 1
    assert found[_key("endpoint_state", department="hrss", state="open", door="push")] == 1
    per_state = sum(value for (name, _), value in found.items() if name == "lianban_steps")
    assert per_state == len(await steps(house, number)) + len(await steps(house, waiting))


async def test_nobody_stands_in_the_figures(house: House, departments: Departments, knock: Knock) -> None:
    person = application()
    (number,) = await registered(house, person)
    await work(house, number)
    assert departments.sent
    text = (await (await knock(Role.ADMINISTRATOR)).get("/metrics")).text
    assert number not in text
    assert person.person.name not in text
    assert not re.search(r"\d{15}", text)


def test_labels_are_escaped() -> None:
    text = write_metrics([Metric("m", "words", (Sample(1, {"a": 'x"\\\n'}), Sample(0.5, {})))])
    assert text == '# HELP m words\n# TYPE m gauge\nm{a="x\\"\\\\\\n"} 1.0\nm 0.5\n'
