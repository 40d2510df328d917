"""Preparing the joint meeting as Prefect runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import prepare_meeting
from models import Role
from services.access import Caller
from services.house import House
from services.meetings.handling import put_forward

ROOT = Path(__file__).resolve().parents[2]


async def test_it_publishes_the_next_agenda(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        yield house

    published: list[dict[str, Any]] = []

    async def publish(**given: Any) -> None:
        published.append(given)

    monkeypatch.setattr(prepare_meeting, "open_house", opened)
    monkeypatch.setattr(prepare_meeting, "acreate_table_artifact", publish)
    await put_forward(house, Caller("education-1", Role.OFFICER, "education"), "education", "学位不足")
    told = await prepare_meeting.prepare_meeting.fn()
    assert told == {"opened": 0, "off": 0, "listed": 1, "closed": 0, "reminded": 0}
    (table,) = published
    assert table["table"] == [{"序号": 1, "议题": "学位不足", "责任部门": "教育局", "办件": 0, "逾期": 0}]
    assert table["description"].startswith("2014年第1次会议，2014-11-11，拟召开")


def test_it_is_deployed_on_working_days() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    (mine,) = [one for one in deployments if one["name"] == "prepare_meeting"]
    assert mine["entrypoint"] == "flows.prepare_meeting.prepare_meeting"
    (schedule,) = mine["schedules"]
    assert schedule["cron"].split()[2:] == ["*", "*", "1-5"]
