"""Trying a pack: who would gain or lose which service, when, and why, if it governed every permit that is live.

Only reads, page by page; what is kept grows with services, months and reasons, not with permits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, Fact, Permit, PermitState
from services.casework.standing import Applications, Standing
from services.database import among, table
from services.house import House
from services.policy.answer import Decision, Entitlement
from services.policy.decide import decide
from services.policy.pack import Pack
from services.policy.question import Question

_CASES, _FACTS, _PERMITS = table(Case), table(Fact), table(Permit)
_PAGE = 400
_HELD = ("granted", "upcoming")

GAINS, LOSES, WAITS, DATES, OWNER = "gains", "loses", "waits", "dates", "owner"
"""A service comes; goes; hangs on a fact that nobody confirmed; has other days; belongs to another department."""

NOT_IN_PACK = "not-in-pack"


class Shift(NamedTuple):
    """One kind of change: of ``service``, at ``department`` (who has to act), from ``month`` (``2015-03``), because of
    ``why`` (codes of conditions, clauses or facts).
    """

    change: str
    service: str
    department: str
    month: str
    why: tuple[str, ...]


@dataclass(slots=True)
class PackTrial:
    """What a trial on the day ``on`` found. ``permits`` were looked at, of which ``affected`` change; ``shifts`` counts
    permits by what changes; ``load`` counts the services that a department opens, withdraws or dates anew in a month.
    """

    pack: str
    on: date
    permits: int = 0
    affected: int = 0
    shifts: Counter[Shift] = field(default_factory=Counter)

    @property
    def load(self) -> Counter[tuple[str, str]]:
        """Services to deal with, by department and month."""
        load: Counter[tuple[str, str]] = Counter()
        for shift, count in self.shifts.items():
            load[shift.department, shift.month] += count
        return load


async def try_pack(house: House, candidate: Pack) -> PackTrial:
    """Compare ``candidate`` with the pack of each live permit, from today or, if later, from its own first day."""
    trial = PackTrial(candidate.code, trial_day(house, candidate))
    async for _, found in shifts_of(house, candidate, trial.on):
        trial.permits += 1
        trial.affected += bool(found)
        trial.shifts.update(found)
    return trial


def trial_day(house: House, candidate: Pack) -> date:
    """The day of which a trial tells: today, or the candidate's first day if that is later."""
    return max(house.database.clock.today(), candidate.first_day)


async def shifts_of(
    house: House, candidate: Pack, on: date, district: str | None = None
) -> AsyncIterator[tuple[str, list[Shift]]]:
    """What changes for each permit that is good on the day ``on`` (in ``district`` only, if given), permit by permit;
    with the district of its case.
    """
    async for standing in _live(house, on, district):
        question = standing.question(on)
        now = decide(house.caseworker.pack(standing.case.pack), question)
        then = decide(candidate, _as_if_received(candidate, question))
        yield standing.case.district, list(_differences(now, then, on))


async def count_live(house: House, on: date) -> Counter[str]:
    """How many permits are good on the day ``on``, by district."""
    query = select(_PERMITS.c.district, func.count().label("permits")).where(_good(on)).group_by(_PERMITS.c.district)
    async with house.database.read() as connection:
        return Counter({row.district: row.permits for row in await connection.execute(query)})


def _as_if_received(candidate: Pack, question: Question) -> Question:
    """The same question, so that the candidate answers it, which may cover other days of receipt (A16)."""
    day = min(max(question.received_on, candidate.first_day), candidate.last_day)
    return replace(question, received_on=day)


def _differences(now: Decision, then: Decision, on: date) -> Iterator[Shift]:
    for service in {**now.entitlements, **then.entitlements}:
        before, after = now.entitlements.get(service), then.entitlements.get(service)
        shift = _difference(service, before, after, on)
        if shift is not None:
            yield shift


def _difference(service: str, before: Entitlement | None, after: Entitlement | None, on: date) -> Shift | None:
    had, has = _held(before), _held(after)
    if had is not None and has is not None:
        if had.department != has.department:
            return Shift(OWNER, service, has.department, _month(has.first_day, on), (had.department,))
        if (had.first_day, had.last_day) != (has.first_day, has.last_day):
            return Shift(DATES, service, has.department, _month(has.first_day, on), has.because[1:])
    elif has is not None:
        why = (NOT_IN_PACK,) if before is None else _why_not(before)
        return Shift(GAINS, service, has.department, _month(has.first_day, on), why)
    elif had is not None:
        if after is not None and after.state == "unknown":
            return Shift(WAITS, service, after.department, _month(after.opens, on), _why_not(after))
        why = (NOT_IN_PACK,) if after is None else _why_not(after)
        return Shift(LOSES, service, had.department, _month(had.first_day, on), why)
    return None


def _held(answer: Entitlement | None) -> Entitlement | None:
    """The answer if the service is due now or by time alone; what is public is never opened for anybody."""
    return answer if answer is not None and answer.state in _HELD and answer.kind != "public" else None


def _why_not(answer: Entitlement) -> tuple[str, ...]:
    """What stands in the way: facts not confirmed, conditions that are false, or what decided it."""
    return tuple(need.fact for need in answer.needs) or answer.fails or answer.because[1:] or (answer.state,)


def _month(first_day: date | None, on: date) -> str:
    return f"{max(first_day or on, on):%Y-%m}"


async def _live(house: House, on: date, district: str | None) -> AsyncIterator[Standing]:
    """Every permit that is good on the day ``on``, with the facts of its case, in the order of case numbers."""
    applications, last = Applications(house.keys, _PAGE), ""
    while True:
        async with house.database.read() as connection:
            page = await _page(connection, applications, last, on, district)
        for standing in page:
            yield standing
        if len(page) < _PAGE:
            return
        last = page[-1].case.number


def _good(on: date) -> ColumnElement[bool]:
    return and_(
        _PERMITS.c.state != PermitState.ENDED,
        _PERMITS.c.valid_until >= on,
        or_(_PERMITS.c.ends_on.is_(None), _PERMITS.c.ends_on > on),
    )


async def _page(
    connection: AsyncConnection, applications: Applications, last: str, on: date, district: str | None
) -> list[Standing]:
    good = [_good(on), _PERMITS.c.case_number > last]
    if district is not None:
        good.append(_PERMITS.c.district == district)
    query = select(_PERMITS).where(*good).order_by(_PERMITS.c.case_number).limit(_PAGE)
    permits = {row.case_number: row for row in await connection.execute(query)}
    facts: dict[str, list[tuple[int, str, bool]]] = defaultdict(list)
    told = select(_FACTS).where(among(connection, _FACTS.c.case_number, permits))
    # As the planner reads them: what was decided by hand comes last.
    for fact in await connection.execute(told.order_by(_FACTS.c.step_id.is_(None), _FACTS.c.id)):
        facts[fact.case_number].append((fact.id, fact.name, fact.value))
    cases = select(_CASES).where(among(connection, _CASES.c.number, permits)).order_by(_CASES.c.number)
    return [
        Standing(
            case,
            applications.open(case.number, case.sealed),
            {name: value for id_, name, value in facts[case.number] if id_ > case.facts_after},
            permit=permits[case.number],
        )
        for case in await connection.execute(cases)
    ]
