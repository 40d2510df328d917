"""What telling a case's story works with: an entry of the audit log, and the sentences made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row

from services.clock import china_day
from services.dossiers.dossier import Dossier
from services.lexicon import Named
from services.policy.text import Text


@dataclass(frozen=True, slots=True)
class Sentence:
    """What an entry tells: its kind, one headline, and the lines beneath it."""

    kind: str
    words: Text
    details: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What of an audit entry is told: its action, its day, what it holds; ``reopens``: the case was closed before."""

    action: str
    on: date
    detail: Mapping[str, Any]
    reopens: bool = False

    @classmethod
    def of(cls, row: Row[Any], *, reopens: bool = False) -> Entry:
        """The entry that a row of the audit log holds."""
        return cls(row.action, china_day(row.at), row.detail, reopens)


@dataclass(frozen=True, slots=True)
class ToldStep:
    """One step that an entry is about, its department, and what the entry says of it."""

    id: str
    department: Named
    said: Any


def told_steps(dossier: Dossier, entry: Entry) -> Iterator[ToldStep]:
    """The steps that an entry is about, as far as the reader may see them."""
    steps = entry.detail["steps"]
    for step, said in (steps if isinstance(steps, Mapping) else dict.fromkeys(steps)).items():
        department = dossier.steps[step].department if step in dossier.steps else step
        if dossier.shows(department):
            yield ToldStep(step, dossier.lexicon.department(department, entry.on), said)
