"""Decisions as they are answered; question and answer are JSON of the contract, section 2."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from api.views.words import Code, View, Words


class DecisionItem(View):
    """One decision of a case, without what is personal in it."""

    sequence: int
    on: date
    outcome: str
    term_years: int | None
    because: list[Code]
    pack: str | None
    decided_at: datetime


class DecisionList(View):
    """The decisions of a case, in order."""

    items: list[DecisionItem]


class Explained(View):
    """One service of the answer in one sentence."""

    service: str
    state: Code
    sentence: Words


class Decision(View):
    """决定 / one decision whole. Its digest was checked when it was opened, and its opening is logged."""

    case_number: str
    sequence: int
    on: date
    decided_at: datetime
    pack: str | None
    pack_digest: str | None
    pack_unchanged: bool = Field(description="现行政策包与当时一致 / the pack loaded now is the one that decided")
    digest: str
    same_again: bool | None = Field(description="重新判定结果一致 / asked again, the engine gives the same answer")
    question: dict[str, Any]
    answer: dict[str, Any]
    permit: Words
    because: list[Code]
    entitlements: list[Explained]
