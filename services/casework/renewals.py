"""Order between the permits of one person: who renews has two cases for a while, and each department keeps one book.

Messages about one person and one service never overtake each other, whichever permits they belong to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, Entitlement, EntitlementState, Step, StepKind, StepState
from models.steps import services_of
from services.database import among, table

_CASES, _ENTITLEMENTS, _STEPS = table(Case), table(Entitlement), table(Step)
_TO_BE_SENT = (StepState.DUE, StepState.HELD, StepState.SENDING)


class Checked(Protocol):
    """A step as it is checked."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def case_number(self) -> str:
        """Its case."""

    @property
    def department(self) -> str:
        """Who is asked."""

    @property
    def kind(self) -> StepKind:
        """What it asks."""

    @property
    def content(self) -> Mapping[str, Any]:
        """What is asked (``models.Step``)."""


@dataclass(frozen=True, slots=True)
class Renewals:
    """``early``: steps of a later permit that wait for what is still to be sent by an earlier one; ``overtaken``: steps
    of an earlier permit about what a later one has sent already, and holds.
    """

    early: frozenset[str] = frozenset()
    overtaken: frozenset[str] = frozenset()


async def check_renewals(connection: AsyncConnection, steps: Sequence[Checked]) -> Renewals:
    """Check ``steps`` against those about the same persons and services in their other cases."""
    mine = {step.id: step for step in steps if step.kind is StepKind.ENTITLEMENTS}
    others = await _other_cases(connection, {step.case_number for step in mine.values()})
    if not others:
        return Renewals()
    query = select(
        _STEPS.c.id, _STEPS.c.case_number, _STEPS.c.department, _STEPS.c.content, _STEPS.c.state, _STEPS.c.attempts
    ).where(
        among(connection, _STEPS.c.case_number, {number for found in others.values() for number in found}),
        _STEPS.c.kind == StepKind.ENTITLEMENTS,
        or_(_STEPS.c.state.in_(_TO_BE_SENT), and_(_STEPS.c.attempts > 0, _STEPS.c.state != StepState.SUPERSEDED)),
    )
    rows = defaultdict(list)
    for row in await connection.execute(query):
        rows[row.case_number].append(row)
    held = await _held(connection, {number for found in others.values() for number, later in found.items() if later})
    early, overtaken = set(), set()
    for step in mine.values():
        about = services_of(step.content)
        for number, is_later in others.get(step.case_number, {}).items():
            for row in rows[number]:
                # What another department is told is in another book: a service may have changed hands in between.
                both = about & services_of(row.content) if row.department == step.department else frozenset()
                if is_later and row.attempts and row.id not in mine and both & held[number, step.department]:
                    overtaken.add(step.id)
                elif not is_later and both and row.state in _TO_BE_SENT:
                    early.add(step.id)
    return Renewals(frozenset(early), frozenset(overtaken))


async def _held(connection: AsyncConnection, numbers: set[str]) -> Mapping[tuple[str, str], set[str]]:
    """The services of the cases ``numbers`` that stand or are being opened, by case and department: what it was denied,
    it has not.
    """
    held: dict[tuple[str, str], set[str]] = defaultdict(set)
    query = select(_ENTITLEMENTS.c.case_number, _ENTITLEMENTS.c.department, _ENTITLEMENTS.c.service).where(
        among(connection, _ENTITLEMENTS.c.case_number, numbers),
        _ENTITLEMENTS.c.state.in_((EntitlementState.PROVISIONING, EntitlementState.IN_FORCE)),
    )
    for number, department, service in await connection.execute(query):
        held[number, department].add(service)
    return held


async def _other_cases(connection: AsyncConnection, numbers: set[str]) -> Mapping[str, Mapping[str, bool]]:
    """The other cases of the persons of ``numbers``, each with whether it is the later one."""
    other = _CASES.alias()
    query = (
        select(_CASES.c.number, other.c.number, other.c.received_at > _CASES.c.received_at)
        .join_from(_CASES, other, and_(other.c.person_key == _CASES.c.person_key, other.c.number != _CASES.c.number))
        .where(among(connection, _CASES.c.number, numbers))
    )
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for number, another, is_later in await connection.execute(query):
        found[number][another] = bool(is_later)
    return found
