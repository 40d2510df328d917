"""How values stand on a page: instants in Asia/Shanghai, days, counts, shares, and what exists in two languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from api.console.refusals import refusal_words
from services.clock import CHINA
from services.words import ROLE_WORDS

NOTHING = "—"


class Bilingual(Protocol):
    """Anything said in both languages: a ``Text``, a ``Named``, a sentence of a story."""

    @property
    def zh(self) -> str:
        """In Chinese."""

    @property
    def en(self) -> str:
        """In English."""


class Coded(Bilingual, Protocol):
    """A code with its words, such as a ``Named``."""

    @property
    def code(self) -> str:
        """The code."""


def day(value: date | None) -> str:
    """``2014-11-03``."""
    return value.isoformat() if value is not None else NOTHING


def moment(value: datetime | None, *, seconds: bool = False) -> str:
    """``2014-11-03 10:00``, in Asia/Shanghai."""
    if value is None:
        return NOTHING
    return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def iso(value: datetime | date | None) -> str:
    """For ``<time datetime>``."""
    if isinstance(value, datetime):
        return value.astimezone(CHINA).isoformat(timespec="seconds")
    return value.isoformat() if value is not None else ""


def number(value: int | None) -> str:
    """``12,345``."""
    return f"{value:,}" if value is not None else NOTHING


def share(value: float | None, places: int = 0) -> str:
    """A share of one as a percentage: ``97%``."""
    return f"{value * 100:.{places}f}%" if value is not None else NOTHING


def duration(milliseconds: int | None) -> str:
    """``340 ms``, ``2.1 s``."""
    if milliseconds is None:
        return NOTHING
    return f"{milliseconds} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:.1f} s"


def filters(language: str) -> Mapping[str, Callable[..., Any]]:
    """The filters of the templates in one language."""

    def words(value: Bilingual | None) -> str:
        """The side of a pair of words that the reader reads."""
        if value is None:
            return NOTHING
        return value.zh if language == "zh" else value.en

    def choices(values: Iterable[Coded]) -> list[tuple[str, str]]:
        """What a field offers: each code with its words."""
        return [(value.code, words(value)) for value in values]

    def refusal(detail: str | None) -> str:
        """What a service said when it refused, such as kept with a remedy's outcome."""
        if detail is None:
            return NOTHING
        return (refusal_words(detail) if language == "zh" else None) or detail

    def actor(name: str | None) -> str:
        """Who did something, as the audit log names people: ``administrator:wang`` is 系统管理员 wang."""
        if not name:
            return NOTHING
        role, _, person = name.partition(":")
        return f"{words(ROLE_WORDS[role])} {person}".rstrip() if role in ROLE_WORDS else name

    return {
        "words": words,
        "actor": actor,
        "refusal": refusal,
        "choices": choices,
        "day": day,
        "moment": moment,
        "iso": iso,
        "number": number,
        "share": share,
        "duration": duration,
    }
