"""The audit log as it is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from api.views.words import View


class AuditEntry(View):
    """一条审计记录 / one entry: who did what to what, and its place in the chain."""

    sequence: int
    at: datetime
    actor: str = Field(description="角色:名称 / role and name of who did it", examples=["clerk:zhangdian-1"])
    action: str = Field(examples=["case.received"])
    subject: str = Field(description="办件编号，或者 system / the case's number, or `system`")
    detail: dict[str, Any]
    hash: str = Field(description="SHA-256，含上一条 / covers the entry and the one before")


class AuditPage(View):
    """审计日志的一页 / a page of the log, the newest first; ``next`` begins the following one."""

    items: list[AuditEntry]
    next: int | None
