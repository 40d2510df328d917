"""Retries as they are answered: what was chosen, how far it is, what is still to be sent and where."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.views.words import Code, View
from models import Door, RetryState


class RetryShare(View):
    """What of a retry is still to be sent to one department, and by which door."""

    department: Code
    door: Door | None
    open: bool = Field(description="接口是否开放 / whether the door takes messages now; if not, steps are held")
    url: str | None
    steps: int
    superseded: int = Field(description="已不再需要、不会推送的 / no longer right, and therefore not sent")
    policies: list[str] = Field(
        description="所依政策版本 / versions of policy packs that it is written by", examples=[["zibo-2014-87@2"]]
    )


class Retry(View):
    """重新推送 / steps sent again together; counts are taken from the ledger this moment."""

    id: int
    state: RetryState
    wanted: dict[str, str]
    canary: int = Field(description="每部门先试几项 / how many steps of each department go first")
    because: str | None = Field(description="为何自行暂停 / why it paused by itself, `canary-failed:<department>`")
    made_by: str
    made_at: datetime
    started_by: str | None
    started_at: datetime | None
    ended_at: datetime | None
    steps: int
    counts: dict[str, int] = Field(
        description="waiting、sent、confirmed、declined、failed、superseded、elsewhere（在另一批次中 / in another "
        "retry）、left（未再推送 / not sent again）"
    )
    again: int = Field(description="已推送又失败、等待下次的 / of those sent, how many wait for their next try")
    shares: list[RetryShare]


class RetryList(View):
    """Retries, the newest first, without their shares."""

    items: list[Retry]
