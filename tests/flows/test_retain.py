"""The daily removal as Prefect runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from flows import retain
from services.house import House

ROOT = Path(__file__).resolve().parents[2]


async def test_it_tells_what_was_removed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        yield house

    monkeypatch.setattr(retain, "open_house", opened)
    assert await retain.retain.fn() == {"excerpts": 0, "bodies": 0, "cases": 0}


def test_it_is_deployed_daily() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    (mine,) = [one for one in deployments if one["name"] == "retain"]
    assert mine["entrypoint"] == "flows.retain.retain"
    (schedule,) = mine["schedules"]
    assert schedule["cron"].split()[2:] == ["*", "*", "*"]
