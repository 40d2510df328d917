"""Supervision as Prefect runs it: one look, told to coordinators where it dealt cards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import supervise
from services.casework import deliveries
from services.house import House
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

ROOT = Path(__file__).resolve().parents[2]


async def test_it_deals_cards_and_tells_which_departments_have_them(
    house: House, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    departments = Departments()
    await departments.connect(house)
    departments.silent.add("hrss")
    shown: list[dict[str, Any]] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        yield house

    async def show(**artifact: Any) -> None:
        shown.append(artifact)

    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    monkeypatch.setattr(supervise, "open_house", opened)
    monkeypatch.setattr(supervise, "acreate_table_artifact", show)
    await work(house, *await registered(house, application()))
    assert await supervise.supervise.fn() == {"yellow": 0, "red": 0}
    assert shown == []
    clock.set_day(date(2014, 11, 18))
    assert await supervise.supervise.fn() == {"yellow": 0, "red": 1}
    assert shown[0]["table"] == [{"部门": "人力资源社会保障局", "黄牌": 0, "红牌": 1}]
    assert await supervise.supervise.fn() == {"yellow": 0, "red": 0}


def test_it_is_deployed_every_few_minutes() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    (mine,) = [one for one in deployments if one["name"] == "supervise"]
    assert mine["entrypoint"] == "flows.supervise.supervise"
    (schedule,) = mine["schedules"]
    assert schedule["interval"] <= 600
