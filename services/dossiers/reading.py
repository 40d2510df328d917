"""One case as a reader sees it: where it stands, whose it is (masked), its permit, services, facts and steps.

Nothing here opens a name or a number: the person is shown masked, and departments' own words without numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from models import StepKind
from services.access import WHOLE_CITY, Sight
from services.dossiers.dossier import Dossier, load_dossier
from services.dossiers.persons import MaskedPerson, masked
from services.dossiers.waiting import Waiting, waiting_for
from services.exchange.masking import mask
from services.house import House
from services.lexicon import Named
from services.words import CASE_WORDS, ENTITLEMENT_WORDS, KIND_WORDS, PERMIT_WORDS, STEP_WORDS


@dataclass(frozen=True, slots=True)
class PermitFile:
    """The permit; both days count (A2). ``grounds`` are the clauses proven."""

    state: Named
    term_years: int
    valid_from: date
    valid_until: date
    grounds: tuple[Named, ...]
    issued_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntitlementFile:
    """One service as it stands. ``reason`` is why a department declined it, ``because`` what decided that it is due."""

    service: Named
    department: Named
    state: Named
    from_on: date
    until_on: date
    in_force_from: date | None
    leaves_on: date | None
    reason: Named | None
    because: tuple[Named, ...]
    step: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class FactFile:
    """One fact as a department told it. ``current``: nothing later was told about it."""

    fact: Named
    value: bool
    department: Named
    authority: str | None
    confirmed_at: datetime
    step: str | None
    current: bool


@dataclass(frozen=True, slots=True)
class AttemptFile:
    """One try: the answer's status or the kind of failure, in milliseconds, and the beginning of what came back."""

    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    problem: str | None
    excerpt: str | None


@dataclass(frozen=True, slots=True)
class StepFile:
    """One thing asked of one department; ``asks`` are the facts or services it names."""

    id: str
    department: Named
    kind: Named
    state: Named
    reason: Named | None
    asks: tuple[Named, ...]
    withdraws: tuple[Named, ...]
    created_at: datetime
    answer_by: date | None
    received_at: datetime | None
    settled_at: datetime | None
    attempts: tuple[AttemptFile, ...]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case, whole for a district's or the city's staff, one department's share of it for its officer."""

    number: str
    state: Named
    district: Named
    station: str
    person: MaskedPerson
    received_on: date
    received_at: datetime
    decided_at: datetime | None
    closed_at: datetime | None
    review_on: date | None
    term_asked: int
    grounds: tuple[Named, ...]
    policy: str | None
    decisions: int
    set_aside: str | None
    permit: PermitFile | None
    waiting_for: tuple[Waiting, ...]
    entitlements: tuple[EntitlementFile, ...]
    facts: tuple[FactFile, ...]
    steps: tuple[StepFile, ...]


async def read_case(house: House, number: str, sight: Sight = WHOLE_CITY) -> CaseFile:
    """The case ``number`` as far as it is in ``sight``; NotFoundError if it is not."""
    async with house.database.read() as connection:
        dossier = await load_dossier(connection, house, number, sight)
    case, words = dossier.case, dossier.lexicon
    return CaseFile(
        number=number,
        state=Named.of(case.state.value, CASE_WORDS[case.state.value]),
        district=words.district(case.district),
        station=case.station,
        person=masked(dossier.standing.application),
        received_on=case.received_on,
        received_at=case.received_at,
        decided_at=case.decided_at,
        closed_at=case.closed_at,
        review_on=case.review_on,
        term_asked=case.term_asked,
        # On which ground a permit stands is what other departments confirmed.
        grounds=tuple(words.ground(code) for code in case.grounds) if dossier.whole else (),
        policy=case.pack,
        decisions=case.decisions,
        set_aside=case.set_aside,
        permit=_permit(dossier),
        waiting_for=waiting_for(dossier),
        entitlements=_entitlements(dossier),
        facts=_facts(dossier),
        steps=tuple(_step(dossier, row) for row in dossier.steps.values() if dossier.shows(row.department)),
    )


def _permit(dossier: Dossier) -> PermitFile | None:
    row = dossier.permit
    if row is None:
        return None
    return PermitFile(
        state=Named.of(row.state.value, PERMIT_WORDS[row.state.value]),
        term_years=row.term_years,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        grounds=tuple(dossier.lexicon.clause(code) for code in row.grounds) if dossier.whole else (),
        issued_at=row.issued_at,
        ended_at=row.ended_at,
    )


def _entitlements(dossier: Dossier) -> tuple[EntitlementFile, ...]:
    order = {service: place for place, service in enumerate(dossier.lexicon.book.services)}
    shown = [row for row in dossier.entitlements if dossier.shows(row.department)]
    shown.sort(key=lambda row: (order.get(row.service, len(order)), row.service, row.department))
    return tuple(_entitlement(dossier, row) for row in shown)


def _entitlement(dossier: Dossier, row: Row[Any]) -> EntitlementFile:
    words, step = dossier.lexicon, dossier.steps.get(row.step_id)
    content: Mapping[str, Any] = step.content if step is not None else {}
    asked = [*content.get("open", ()), *content.get("withdraw", ())]
    because = next((one.get("because", ()) for one in asked if one["service"] == row.service), ())
    return EntitlementFile(
        service=words.service(row.service),
        department=words.department(row.department, dossier.today),
        state=Named.of(row.state.value, ENTITLEMENT_WORDS[row.state.value]),
        from_on=row.from_on,
        until_on=row.until_on,
        in_force_from=row.in_force_from,
        leaves_on=row.leaves_on,
        reason=words.reason(row.reason) if row.reason else None,
        because=tuple(words.clause(code) for code in because),
        step=row.step_id,
        changed_at=row.changed_at,
    )


def _facts(dossier: Dossier) -> tuple[FactFile, ...]:
    latest = {row.name: row.id for row in dossier.facts}
    return tuple(
        FactFile(
            fact=dossier.lexicon.fact(row.name),
            value=row.value,
            department=dossier.lexicon.department(row.department, dossier.today),
            authority=mask(row.authority) if row.authority else None,
            confirmed_at=row.confirmed_at,
            step=row.step_id,
            current=latest[row.name] == row.id,
        )
        for row in dossier.facts
        if dossier.shows(row.department)
    )


def _step(dossier: Dossier, row: Row[Any]) -> StepFile:
    words, content = dossier.lexicon, row.content
    facts, opens = content.get("facts", ()), content.get("open", ())
    return StepFile(
        id=row.id,
        department=words.department(row.department, dossier.today),
        kind=Named.of(row.kind.value, KIND_WORDS[row.kind.value]),
        state=Named.of(row.state.value, STEP_WORDS[row.state.value]),
        reason=words.reason(row.reason) if row.reason else None,
        asks=tuple(map(words.fact, facts))
        if row.kind is StepKind.VERIFICATION
        else tuple(words.service(one["service"]) for one in opens),
        withdraws=tuple(words.service(one["service"]) for one in content.get("withdraw", ())),
        created_at=row.created_at,
        answer_by=row.answer_by,
        received_at=row.received_at,
        settled_at=row.settled_at,
        attempts=tuple(_attempt(one) for one in dossier.attempts.get(row.id, ())),
    )


def _attempt(row: Row[Any]) -> AttemptFile:
    return AttemptFile(row.number, row.started_at, row.duration_ms, row.status, row.error, row.problem, row.excerpt)
