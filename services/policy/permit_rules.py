"""Section 二 of an opinion as data: the gates before any permit, the terms, and the grounds for the longer one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.policy.dated import Dated
from services.policy.text import Text


@dataclass(frozen=True, slots=True)
class Gate:
    """What must be true before any permit: a declaration about residence or a confirmed fact, and the reasons."""

    source: Literal["residence", "fact"]
    name: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One way to prove a ground: a clause of the text and the facts that must all be true for it."""

    clause: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """A ground for the longer permit. It is proven by any one of its routes and false only when all are.

    ``because_proven`` and ``because_unproven`` are the settlements that bear when it is, and when it is not.
    """

    code: str
    title: Text
    routes: tuple[Route, ...]
    because_proven: tuple[str, ...]
    because_unproven: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A term that may be asked for, by ``clause``.

    ``otherwise`` is None where the term needs no ground; else the years issued when no ground is met, for the
    reasons ``because_otherwise`` (A5).
    """

    years: int
    clause: str
    otherwise: int | None
    because_otherwise: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PermitRules:
    """Section 二: who may apply (``clause``), who issues, the gates, the terms by years, the grounds in their order."""

    clause: str
    issuer: Dated[str]
    gates: tuple[Gate, ...]
    terms: Mapping[int, Term]
    grounds: Mapping[str, Ground]

    def issuer_on(self, day: date) -> str:
        """Return the code of the department that issues permits and keeps their register on ``day`` (ZB87-2.0b)."""
        return self.issuer.on(day)
