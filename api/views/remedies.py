"""Remedies as they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from api.views.words import Code, View
from models import RemedyState


class AskedRemedy(View):
    """What became of a remedy that was asked for, approved or turned down."""

    id: int
    state: RemedyState
    done: int = Field(description="已办理件数 / cases on which it was carried out")
    refused: int = Field(description="情况有变、未能办理件数 / cases that did not allow it any more")


class RemedyItem(View):
    """One remedy: what, why, by whom, and who decided it."""

    id: int
    kind: Code
    state: Code
    reason: str
    content: dict[str, Any]
    cases: int
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_because: str | None


class RemedyList(View):
    """Remedies, newest first."""

    items: list[RemedyItem]
    before: int | None = Field(description="下一页从此之前开始 / pass it as `before` for the next page")


class RemedyCase(View):
    """What came of one case: done, not done because of a problem, or null while it waits."""

    case_number: str
    done: bool | None
    problem: str | None


class RemedyFile(View):
    """处置 / a remedy whole."""

    remedy: RemedyItem
    approvals: list[str] = Field(description="复核同意的人 / who approved of it, in order")
    outcomes: list[RemedyCase]


class CorrectedCase(View):
    """What a correction came to."""

    number: str
    version: int = Field(description="第几版 / which version of the application now counts")
    changed: list[str] = Field(description="变更的部分 / the parts that differ")
