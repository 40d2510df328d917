"""The daily check as Prefect runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import check_endpoints
from services.conformance import daily
from services.house import House
from tests.testing.departments import Departments

ROOT = Path(__file__).resolve().parents[2]


async def test_it_tells_how_many_are_well_and_speaks_to_coordinators(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    departments = Departments()
    await departments.connect(house)
    shown: list[dict[str, Any]] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        yield house

    async def show(**artifact: Any) -> None:
        shown.append(artifact)

    monkeypatch.setattr(check_endpoints, "open_house", opened)
    monkeypatch.setattr(check_endpoints, "acreate_table_artifact", show)
    monkeypatch.setattr(daily, "shared_client", lambda: departments)
    told = await check_endpoints.check_live_endpoints.fn()
    # These departments take whatever comes, wrongly signed too, and are found out.
    assert (told["well"], told["unwell"] > 20) == (0, True)
    (artifact,) = shown
    assert len(artifact["table"]) == told["unwell"]
    results = {row["部门"]: row["结果"] for row in artifact["table"]}
    assert results["教育局"].startswith("异常：应以 4xx 拒收错误签名，实为 HTTP 2")


def test_it_is_deployed_daily() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    (mine,) = [one for one in deployments if one["name"] == "check_endpoints"]
    assert mine["entrypoint"] == "flows.check_endpoints.check_live_endpoints"
    (schedule,) = mine["schedules"]
    assert schedule["cron"].split()[2:] == ["*", "*", "*"]
