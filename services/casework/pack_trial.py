"""Trying a pack: who would gain or lose which service, when, and why, if it governed every permit that is live.

Only reads, page by page; what is kept grows with services, months and reasons, not with permits.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, Fact, Permit, PermitState
from services.casework.differing import Shift, differences
from services.casework.standing import Applications, Standing
from services.database import among, table
from services.house import House
from services.policy.decide import decide
from services.policy.pack import Pack
from services.policy.question import Question

_CASES, _FACTS, _PERMITS = table(Case), table(Fact), table(Permit)
_PAGE = 400


@dataclass(slots=True)
class PackTrial:
    """What a trial on the day ``on`` found. ``permits`` were looked at, of which ``affected`` change; ``shifts`` counts
    permits by what changes; ``load`` counts the services that a department opens, withdraws or dates anew in a month.
    ``whole``: whether every live permit was looked at; a look that is bounded in time may end before.
    """

    pack: str
    on: date
    permits: int = 0
    affected: int = 0
    whole: bool = True
    shifts: Counter[Shift] = field(default_factory=Counter)

    @property
    def load(self) -> Counter[tuple[str, str]]:
        """Services to deal with, by department and month."""
        load: Counter[tuple[str, str]] = Counter()
        for shift, count in self.shifts.items():
            load[shift.department, shift.month] += count
        return load


async def try_pack(
    house: House, candidate: Pack, *, from_on: date | None = None, seconds: float | None = None
) -> PackTrial:
    """Compare ``candidate`` with the pack of each live permit, from today or, if later, from its own first day.

    With ``from_on`` it is tried as a revision of its own pack: from that day, over the permits under that pack.
    ``seconds``: after which the look ends, with what it has seen.
    """
    until = asyncio.get_running_loop().time() + (seconds if seconds is not None else math.inf)
    on = trial_day(house, candidate) if from_on is None else max(house.database.clock.today(), from_on)
    trial = PackTrial(candidate.code, on)
    async for _, found in shifts_of(house, candidate, on, revises=from_on is not None):
        if asyncio.get_running_loop().time() > until:
            trial.whole = False
            break
        trial.permits += 1
        trial.affected += bool(found)
        trial.shifts.update(found)
    return trial


def trial_day(house: House, candidate: Pack) -> date:
    """The day of which a trial tells: today, or the candidate's first day if that is later."""
    return max(house.database.clock.today(), candidate.first_day)


async def shifts_of(
    house: House, candidate: Pack, on: date, district: str | None = None, *, revises: bool = False
) -> AsyncIterator[tuple[str, list[Shift]]]:
    """What changes for each permit that is good on the day ``on`` (in ``district`` only, if given), permit by permit;
    with the district of its case. ``revises``: only the permits under the candidate's own pack, which it revises.
    """
    async for standing in live_permits(house, on, district=district, pack=candidate.code if revises else None):
        question = standing.question(on)
        now = decide(house.caseworker.pack(standing.case.pack, on), question)
        then = decide(candidate, question if revises else _as_if_received(candidate, question))
        yield standing.case.district, list(differences(now, then, on))


async def count_live(house: House, on: date) -> Counter[str]:
    """How many permits are good on the day ``on``, by district."""
    query = select(_PERMITS.c.district, func.count().label("permits")).where(_good(on)).group_by(_PERMITS.c.district)
    async with house.database.read() as connection:
        return Counter({row.district: row.permits for row in await connection.execute(query)})


def _as_if_received(candidate: Pack, question: Question) -> Question:
    """The same question, so that the candidate answers it, which may cover other days of receipt (A16)."""
    day = min(max(question.received_on, candidate.first_day), candidate.last_day)
    return replace(question, received_on=day)


async def live_permits(
    house: House, on: date, *, district: str | None = None, pack: str | None = None, after: str = ""
) -> AsyncIterator[Standing]:
    """Every permit that is good on the day ``on``, with the facts of its case, in the order of case numbers: of
    ``district`` and under ``pack`` only, if given, and of cases after the one numbered ``after``.
    """
    applications, last = Applications(house.keys, _PAGE), after
    while True:
        async with house.database.read() as connection:
            page = await _page(connection, applications, last, on, district, pack)
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
    connection: AsyncConnection,
    applications: Applications,
    last: str,
    on: date,
    district: str | None,
    pack: str | None,
) -> list[Standing]:
    good = [_good(on), _PERMITS.c.case_number > last]
    if district is not None:
        good.append(_PERMITS.c.district == district)
    query = select(_PERMITS).where(*good).order_by(_PERMITS.c.case_number).limit(_PAGE)
    if pack is not None:
        query = query.join(_CASES, _CASES.c.number == _PERMITS.c.case_number).where(_CASES.c.pack == pack)
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
