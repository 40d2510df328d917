"""Everything the database holds about one case: what readings and stories are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Attempt, AuditEntry, Case, Entitlement, Fact, Permit, Step
from services.access import WHOLE_CITY, Sight
from services.casework.sight import cases_in
from services.casework.standing import Standing
from services.database import table
from services.errors import NotFoundError
from services.house import House
from services.lexicon import Lexicon
from services.policy.answer import Decision
from services.policy.decide import decide
from services.policy.pack import Pack

_CASES, _PERMITS, _FACTS = table(Case), table(Permit), table(Fact)
_STEPS, _ATTEMPTS, _ENTITLEMENTS, _ENTRIES = table(Step), table(Attempt), table(Entitlement), table(AuditEntry)


@dataclass(frozen=True, slots=True)
class Dossier:
    """One case with all that belongs to it. Rows are whole: who shows them asks ``shows`` first."""

    case: Row[Any]
    permit: Row[Any] | None
    facts: Sequence[Row[Any]]
    steps: Mapping[str, Row[Any]]
    attempts: Mapping[str, Sequence[Row[Any]]]
    entitlements: Sequence[Row[Any]]
    standing: Standing
    pack: Pack | None
    lexicon: Lexicon
    sight: Sight
    today: date

    @property
    def number(self) -> str:
        """The case's number."""
        return str(self.case.number)

    def shows(self, department: str) -> bool:
        """Whether the reader may see what belongs to ``department``."""
        return self.sight.department in (None, department)

    @property
    def whole(self) -> bool:
        """Whether the reader sees the case whole, not one department's share of it."""
        return self.sight.department is None

    def decide(self) -> Decision:
        """What the policy engine says of the case today, on the facts as they stand."""
        return decide(self.pack, self.standing.question(self.today))


async def load_dossier(connection: AsyncConnection, house: House, number: str, sight: Sight = WHOLE_CITY) -> Dossier:
    """Read the case ``number``; NotFoundError if there is none in ``sight``. Nothing is locked."""
    found = await connection.execute(select(_CASES).where(_CASES.c.number == number, cases_in(sight)))
    case = found.one_or_none()
    if case is None:
        raise NotFoundError("there is no such case, or it is not yours to see; check the number", place="number")

    async def rows(query: Select[Any]) -> Sequence[Row[Any]]:
        read: Sequence[Row[Any]] = (await connection.execute(query)).all()
        return read

    permits = await rows(select(_PERMITS).where(_PERMITS.c.case_number == number))
    permit = permits[0] if permits else None
    facts = await rows(select(_FACTS).where(_FACTS.c.case_number == number).order_by(_FACTS.c.id))
    steps = await rows(select(_STEPS).where(_STEPS.c.case_number == number).order_by(_STEPS.c.created_at, _STEPS.c.id))
    tries = (
        select(_ATTEMPTS)
        .join(_STEPS, _STEPS.c.id == _ATTEMPTS.c.step_id)
        .where(_STEPS.c.case_number == number)
        .order_by(_ATTEMPTS.c.step_id, _ATTEMPTS.c.number)
    )
    attempts: dict[str, list[Row[Any]]] = {step.id: [] for step in steps}
    for attempt in await rows(tries):
        # A step planned between two of these queries is not among the steps; its attempts wait for the next reading.
        attempts.setdefault(attempt.step_id, []).append(attempt)
    entitlements = await rows(select(_ENTITLEMENTS).where(_ENTITLEMENTS.c.case_number == number))
    pack = house.packs.on(case.pack, house.database.clock.today()) if case.pack is not None else None
    application = house.caseworker.applications.open(number, case.sealed)
    counted = [fact for fact in facts if fact.id > case.facts_after]
    # What was decided by hand holds over a department's answer (``standing``).
    known = {fact.name: fact.value for fact in sorted(counted, key=lambda fact: fact.step_id is None)}
    return Dossier(
        case=case,
        permit=permit,
        facts=facts,
        steps={step.id: step for step in steps},
        attempts=attempts,
        entitlements=entitlements,
        standing=Standing(case, application, known, len(counted), permit),
        pack=pack,
        lexicon=Lexicon(house.packs, pack),
        sight=sight,
        today=house.database.clock.today(),
    )


async def load_entries(connection: AsyncConnection, number: str) -> Sequence[Row[Any]]:
    """The audit entries about the case ``number``, in the order in which they were made."""
    query = select(_ENTRIES).where(_ENTRIES.c.subject == number).order_by(_ENTRIES.c.sequence)
    return (await connection.execute(query)).all()
