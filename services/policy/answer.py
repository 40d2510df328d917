"""The answer of the engine, and its JSON form (contract section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

Outcome: TypeAlias = Literal["issue", "refuse", "wait", "in-force", "ended", "not-yet"]
State: TypeAlias = Literal["granted", "upcoming", "unmet", "unknown", "public"]


class Need(NamedTuple):
    """A fact that is unknown and still bears on the answer, and the department that has to confirm it."""

    fact: str
    department: str


class Entitlement(NamedTuple):
    """One service for one person. A tuple, because a decision makes one for every service of the pack.

    ``first_day`` and ``last_day`` are the first and last day of the unbroken run in which it is due (JSON:
    ``from``, ``until``), None unless granted, upcoming or public. Two fields are for callers and stay out of
    the JSON: ``opens``, for an unknown one, the first day from ``on`` on which its facts will matter; and
    ``fails``, for an unmet one, the codes of the conditions (or the tier) that are false.
    """

    service: str
    state: State
    first_day: date | None
    last_day: date | None
    kind: str
    department: str
    needs: tuple[Need, ...]
    because: tuple[str, ...]
    opens: date | None
    fails: tuple[str, ...]


EntitlementFields: TypeAlias = tuple[
    str,
    State,
    date | None,
    date | None,
    str,
    str,
    tuple[Need, ...],
    tuple[str, ...],
    date | None,
    tuple[str, ...],
]
"""The fields of an `Entitlement` in their order."""


@dataclass(frozen=True, slots=True)
class PermitAnswer:
    """What becomes of the permit. The term and the days are None with refuse and wait."""

    outcome: Outcome
    term_years: int | None
    valid_from: date | None
    valid_until: date | None
    grounds: tuple[str, ...]
    needs: tuple[Need, ...]
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole answer.

    ``policy`` is the code of the pack that covers the day of receipt, None where none does (A16).
    ``entitlements`` holds every service of the pack by its id, in the order of the text. ``next_change`` is
    the earliest day after ``on`` on which the answer changes by time alone, None if it never does.
    """

    policy: str | None
    permit: PermitAnswer
    entitlements: dict[str, Entitlement]
    next_change: date | None

    def to_json(self) -> dict[str, object]:
        """Return the answer as the contract has it: plain dicts, lists and ISO days."""
        permit = self.permit
        return {
            "policy": self.policy,
            "permit": {
                "outcome": permit.outcome,
                "term_years": permit.term_years,
                "valid_from": permit.valid_from and permit.valid_from.isoformat(),
                "valid_until": permit.valid_until and permit.valid_until.isoformat(),
                "grounds": list(permit.grounds),
                "needs": _needs(permit.needs),
                "because": list(permit.because),
            },
            "entitlements": {
                service: {
                    "state": state,
                    "from": first_day and first_day.isoformat(),
                    "until": last_day and last_day.isoformat(),
                    "kind": kind,
                    "department": department,
                    "needs": _needs(needs) if needs else [],
                    "because": list(because),
                }
                for service, state, first_day, last_day, kind, department, needs, because, _, _ in (
                    self.entitlements.values()
                )
            },
        }


def _needs(needs: tuple[Need, ...]) -> list[dict[str, str]]:
    return [{"fact": fact, "department": department} for fact, department in needs]
