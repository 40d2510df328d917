"""For auditors and administrators: the audit log, and figures for monitoring."""

from __future__ import annotations

import re
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, PlainTextResponse
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from starlette.background import BackgroundTask

from api.access import GuardedRoute
from api.openapi import problems
from api.state import TheCaller, TheHouse
from api.views.audit import AuditPage as AuditPageView
from services.upkeep.audit_file import export_audit
from services.upkeep.audit_log import MAX_PAGE, AuditFilter, AuditPage, read_audit
from services.upkeep.metrics import CONTENT_TYPE, measure, write_metrics

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")


def _written(value: object) -> object:
    """An instant as it is written, since a bare number would be taken for seconds."""
    if isinstance(value, str) and not _DAY.match(value):
        raise ValueError("must be an instant written 2014-11-03T10:00:00+08:00")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_written)]
router = APIRouter(tags=["upkeep"], route_class=GuardedRoute)
_LAST = 2**53 - 1
_LINES = "application/jsonl"


class AuditQuery(BaseModel):
    """Which entries, and how many."""

    model_config = ConfigDict(extra="forbid")

    subject: str | None = Field(
        default=None,
        pattern="^[0-9A-Za-z_.:-]{1,80}$",
        description="办件编号或者 system / a case's number, or `system`",
    )
    actor: str | None = Field(
        default=None,
        pattern="^[0-9A-Za-z_.@:-]{1,80}$",
        description="操作人；以冒号结尾则按角色 / who; with a colon at the end, everybody of that role",
    )
    action: str | None = Field(
        default=None,
        pattern="^[a-z_.]{1,40}$",
        description="操作；以点结尾则按类别 / what; with a dot at the end, everything of that kind",
    )
    since: Instant | None = Field(default=None, description="不早于 / not before this instant")
    until: Instant | None = Field(default=None, description="早于 / before this instant")
    before: int | None = Field(default=None, ge=1, le=_LAST, description="上页的 next / a page's `next`")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)

    def filter(self) -> AuditFilter:
        """The filter that the services take."""
        since: datetime | None = self.since
        until: datetime | None = self.until
        return AuditFilter(self.subject, self.actor, self.action, since, until)


@router.get("/api/v1/audit", response_model=AuditPageView, responses=problems(422))
async def list_audit(query: Annotated[AuditQuery, Query()], house: TheHouse, caller: TheCaller) -> AuditPage:
    """Read the audit log, the newest entry first. That you did is an entry of it, too."""
    return await read_audit(house, caller, query.filter(), before=query.before, limit=query.limit)


@router.get(
    "/api/v1/audit/export",
    response_class=FileResponse,
    responses={200: {"content": {_LINES: {"schema": {"type": "string"}}}, "description": "JSON Lines"}},
)
async def export_audit_log(house: TheHouse, caller: TheCaller) -> FileResponse:
    """Give the whole log, sealed: `lianban audit verify --file` checks it with nothing but the file."""
    folder = Path(tempfile.mkdtemp(prefix="lianban-audit-"))
    try:
        written = await export_audit(house, folder / "audit.jsonl", caller.actor)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        folder / "audit.jsonl",
        media_type=_LINES,
        filename=f"audit-{written.entries}.jsonl",
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(house: TheHouse) -> PlainTextResponse:
    """Give the whole city's figures for monitoring, in Prometheus' text format; give the scraper a key of its own."""
    return PlainTextResponse(write_metrics(await measure(house)), media_type=CONTENT_TYPE)
