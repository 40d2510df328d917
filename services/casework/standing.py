"""What stands for a case: its application, facts, permit, entitlements and unfinished steps, read in bulk.

Loading 400 cases takes five queries, whatever they carry.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import (
    Case,
    CaseState,
    Entitlement,
    EntitlementState,
    Fact,
    Permit,
    PermitState,
    Step,
    StepKind,
    StepState,
)
from models.cases import ERASED
from models.states import OPEN_STEPS
from services.database import among, is_postgresql, table
from services.intake.application import Application
from services.policy.question import HeldPermit, Question
from services.sealing import KeyRing

_CASES, _FACTS, _PERMITS = table(Case), table(Fact), table(Permit)
_ENTITLEMENTS, _STEPS = table(Entitlement), table(Step)
_DAY = timedelta(days=1)
_WISHES = frozenset({"wants_to_start_business"})
# No count of facts equals it, so the planner looks at the case whatever came in.
LOOK_AGAIN = -1
_UNFINISHED = OPEN_STEPS | {StepState.FAILED}


@dataclass(slots=True)
class StandingEntitlement:
    """A service as it stands for the permit at one department."""

    service: str
    department: str
    state: EntitlementState
    from_on: date
    until_on: date
    leaves_on: date | None
    step_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StandingStep:
    """A step that is unfinished, a verification of any state (what was asked is not asked twice), or one about services
    that was superseded (what it asked may have to be asked again).
    """

    id: str
    department: str
    kind: StepKind
    state: StepState
    attempts: int
    content: Mapping[str, Any]

    @property
    def unfinished(self) -> bool:
        """Whether the case still waits for it; a failed one waits for an administrator."""
        return self.state in _UNFINISHED

    @property
    def unsent(self) -> bool:
        """Whether no department can have seen it yet."""
        return self.attempts == 0 and self.waiting

    @property
    def waiting(self) -> bool:
        """Whether no try at it is out: it can be taken back, though an earlier try may have arrived."""
        return self.state in (StepState.DUE, StepState.HELD)


@dataclass(slots=True)
class Standing:
    """Everything the planner looks at. ``case`` is the row of the case itself; ``entitlements`` go by service and
    department; ``renewed`` says of a service how it stands, at which department, by the same person's later permit,
    which goes before this one.
    """

    case: Row[Any]
    application: Application
    facts: dict[str, bool] = field(default_factory=dict)
    fact_count: int = 0
    permit: Row[Any] | None = None
    entitlements: dict[tuple[str, str], StandingEntitlement] = field(default_factory=dict)
    steps: list[StandingStep] = field(default_factory=list)
    renewed: dict[str, dict[str, EntitlementState]] = field(default_factory=dict)

    @property
    def state(self) -> CaseState:
        """Where the case stands."""
        return CaseState(self.case.state)

    @property
    def held(self) -> HeldPermit | None:
        """The permit as it was issued, in force or ended; None before."""
        permit = self.permit
        return HeldPermit(permit.term_years, permit.valid_from, permit.valid_until) if permit is not None else None

    @property
    def good(self) -> HeldPermit | None:
        """The permit as the engine is asked about it: one that was cancelled is good up to the day before."""
        held = self.held
        if held is None or self.permit is None or self.permit.ends_on is None:
            return held
        last = min(held.valid_until, self.permit.ends_on - _DAY)
        # Cancelled on its first day it was never good; no term is shorter than a day, so it lies before that day.
        return replace(held, valid_from=min(held.valid_from, last), valid_until=last)

    @property
    def ended(self) -> bool:
        """Whether the permit's end was dealt with."""
        return self.permit is not None and self.permit.state is PermitState.ENDED

    def question(self, on: date) -> Question:
        """What is to be decided about this case on the day ``on`` (contract, section 2)."""
        application = self.application
        return Question(
            on=on,
            received_on=application.received_on,
            term_years=application.term_years,
            grounds=application.grounds,
            born_on=application.person.born_on,
            sex=application.person.sex,
            registered_on=application.residence.registered_on,
            intends_half_year=application.residence.intends_half_year,
            from_outside_county=application.residence.from_outside_county,
            permit=self.good,
            children=tuple(child.born_on for child in application.children),
            declared=_WISHES if application.declared.wants_to_start_business else frozenset(),
            facts=self.facts,
        )


class Applications:
    """Opened applications of the cases in hand, bounded, in memory only: a case is opened once a batch, not once a
    phase. ``capacity`` is in cases.
    """

    def __init__(self, keys: KeyRing, capacity: int = 4_000) -> None:
        self._keys = keys
        self._capacity = capacity
        self._opened: OrderedDict[str, tuple[bytes, Application]] = OrderedDict()

    def open(self, number: str, sealed: bytes) -> Application:
        """The application sealed in the case ``number``; SealError if it does not open."""
        kept = self._opened.get(number)
        if kept is not None and kept[0] == sealed:
            self._opened.move_to_end(number)
            return kept[1]
        application = Application.load(self._keys.open(sealed, f"case:{number}"))
        self._opened[number] = (sealed, application)
        if len(self._opened) > self._capacity:
            self._opened.popitem(last=False)
        return application

    async def of_cases(self, connection: AsyncConnection, numbers: Collection[str]) -> dict[str, Application]:
        """The applications of the cases ``numbers``, read where they are not at hand."""
        missing = [number for number in numbers if number not in self._opened]
        # What is at hand may have been corrected since, by any process.
        query = select(_CASES.c.number, _CASES.c.sealed).where(
            among(connection, _CASES.c.number, numbers),
            or_(_CASES.c.version > 1, among(connection, _CASES.c.number, missing)),
        )
        for row in await connection.execute(query):
            self.open(row.number, row.sealed)
        return {number: self._opened[number][1] for number in numbers if number in self._opened}


async def load_standing(
    connection: AsyncConnection, numbers: Collection[str], applications: Applications
) -> dict[str, Standing]:
    """What stands for the cases ``numbers``, their rows locked until the transaction ends, in the order of number."""
    cases = select(_CASES).where(among(connection, _CASES.c.number, numbers)).order_by(_CASES.c.number)
    if is_postgresql(connection):
        cases = cases.with_for_update()
    standing = {
        row.number: Standing(row, applications.open(row.number, row.sealed)) for row in await connection.execute(cases)
    }
    facts = select(_FACTS.c.id, _FACTS.c.case_number, _FACTS.c.name, _FACTS.c.value)
    # What was decided by hand, on a document, holds over a department's answer, which may come later.
    by_hand_last = (_FACTS.c.step_id.is_(None), _FACTS.c.id)
    for row in await connection.execute(
        facts.where(among(connection, _FACTS.c.case_number, standing)).order_by(*by_hand_last)
    ):
        of_case = standing[row.case_number]
        if row.id <= of_case.case.facts_after:
            continue
        of_case.facts[row.name] = row.value
        of_case.fact_count += 1
    permits = select(_PERMITS).where(among(connection, _PERMITS.c.case_number, standing))
    for permit in await connection.execute(permits):
        standing[permit.case_number].permit = permit
    await _load_entitlements(connection, standing)
    await _load_steps(connection, standing)
    await _load_renewed(connection, standing)
    return standing


async def _load_entitlements(connection: AsyncConnection, standing: Mapping[str, Standing]) -> None:
    issued = [number for number, of_case in standing.items() if of_case.permit is not None]
    columns = (
        _ENTITLEMENTS.c.case_number,
        _ENTITLEMENTS.c.service,
        _ENTITLEMENTS.c.department,
        _ENTITLEMENTS.c.state,
        _ENTITLEMENTS.c.from_on,
        _ENTITLEMENTS.c.until_on,
        _ENTITLEMENTS.c.leaves_on,
        _ENTITLEMENTS.c.step_id,
        _ENTITLEMENTS.c.reason,
    )
    query = select(*columns).where(among(connection, _ENTITLEMENTS.c.case_number, issued))
    for number, *values in await connection.execute(query):
        entitlement = StandingEntitlement(*values)
        standing[number].entitlements[entitlement.service, entitlement.department] = entitlement


async def _load_steps(connection: AsyncConnection, standing: Mapping[str, Standing]) -> None:
    query = select(
        _STEPS.c.case_number, _STEPS.c.id, _STEPS.c.department, _STEPS.c.kind, _STEPS.c.state, _STEPS.c.attempts,
        _STEPS.c.content,
    ).where(
        among(connection, _STEPS.c.case_number, standing),
        or_(
            _STEPS.c.state.in_(_UNFINISHED),
            _STEPS.c.kind == StepKind.VERIFICATION,
            and_(_STEPS.c.kind == StepKind.ENTITLEMENTS, _STEPS.c.state == StepState.SUPERSEDED),
        ),
    )  # fmt: skip
    for number, *values in await connection.execute(query):
        standing[number].steps.append(StandingStep(*values))


async def _load_renewed(connection: AsyncConnection, standing: Mapping[str, Standing]) -> None:
    """Services by a later permit of the same person: who renews has two permits for a while, and each service once."""
    issued = [number for number, of_case in standing.items() if of_case.permit is not None]
    later = _CASES.alias()
    query = (
        select(_CASES.c.number, _ENTITLEMENTS.c.service, _ENTITLEMENTS.c.department, _ENTITLEMENTS.c.state)
        .join_from(
            _CASES, later, and_(later.c.person_key == _CASES.c.person_key, later.c.received_at > _CASES.c.received_at)
        )
        .join(_ENTITLEMENTS, _ENTITLEMENTS.c.case_number == later.c.number)
        .where(
            among(connection, _CASES.c.number, issued),
            _CASES.c.person_key != ERASED,
            _ENTITLEMENTS.c.state.in_((EntitlementState.PROVISIONING, EntitlementState.IN_FORCE)),
        )
    )
    for number, service, department, state in await connection.execute(query):
        standing[number].renewed.setdefault(service, {})[department] = state
