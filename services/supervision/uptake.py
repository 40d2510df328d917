"""Services in figures (权益事项): holders entitled, opened, taken up, and what that costs the budget where it is told.

Entitled and opened are counted in the ledger; how many took a service up only its department knows, and reports by
month; what a unit costs is data of the finance department. Money is in fen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from models import Case, Entitlement, EntitlementState, Satisfaction, ServiceCost, ServiceUse, Step
from services.access import WHOLE_CITY, Caller, Sight
from services.database import among, is_postgresql, table
from services.errors import AccessError, InputError, NotFoundError
from services.house import House
from services.lexicon import Lexicon, Named
from services.supervision.periods import Period

_ENTITLEMENTS, _CASES, _STEPS = table(Entitlement), table(Case), table(Step)
_COSTS, _USES, _SATISFACTION = table(ServiceCost), table(ServiceUse), table(Satisfaction)
_ENTITLED = tuple(set(EntitlementState) - {EntitlementState.ENDED})
MAX_ENTRIES = 5_000
MAX_FEN = 10**12
_LOWEST, _HIGHEST = 1, 5


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """One service, in one district (None: the whole city). ``entitled`` and ``opened`` as they stand now; ``taken_up``
    in the period, None where nobody reported; ``unit_fen`` what a unit costs, ``cost_fen`` what was taken up costs.
    """

    service: Named
    department: Named
    district: Named | None
    entitled: int
    opened: int
    taken_up: int | None
    unit_fen: int | None
    cost_fen: int | None


@dataclass(frozen=True, slots=True)
class Use:
    """How many holders in ``district`` took ``service`` up in the month that begins on ``month``."""

    service: str
    district: str
    month: date
    holders: int


@dataclass(frozen=True, slots=True)
class Given:
    """One holder's mark, 1 to 5, for a department's share of a case."""

    case_number: str
    department: str
    score: int
    given_on: date


async def service_figures(house: House, period: Period, sight: Sight = WHOLE_CITY) -> tuple[ServiceFigures, ...]:
    """Every service that anybody in ``sight`` is or was entitled to: the whole first, then district by district.

    Counting follows the services in force or under way, which grow with the permits in force.
    """
    query = (
        select(
            _ENTITLEMENTS.c.service, _ENTITLEMENTS.c.department, _CASES.c.district, _ENTITLEMENTS.c.state, func.count()
        )
        .join(_CASES, _CASES.c.number == _ENTITLEMENTS.c.case_number)
        .where(_ENTITLEMENTS.c.state.in_(_ENTITLED))
        .group_by(_ENTITLEMENTS.c.service, _ENTITLEMENTS.c.department, _CASES.c.district, _ENTITLEMENTS.c.state)
    )
    if sight.department is not None:
        query = query.where(_ENTITLEMENTS.c.department == sight.department)
    if sight.district is not None:
        query = query.where(_CASES.c.district == sight.district)
    counts: dict[tuple[str, str, str | None], dict[EntitlementState, int]] = defaultdict(lambda: defaultdict(int))
    async with house.database.read() as connection:
        for service, department, district, state, count in await connection.execute(query):
            for key in ((service, department, None), (service, department, district)):
                counts[key][state] += count
        uses = select(_USES).where(_USES.c.month >= period.first_day, _USES.c.month <= period.last_day)
        taken: dict[tuple[str, str | None], int] = defaultdict(int)
        for use in await connection.execute(uses):
            taken[use.service, None] += use.holders
            taken[use.service, use.district] += use.holders
        costs = select(_COSTS).where(_COSTS.c.from_on <= period.last_day).order_by(_COSTS.c.from_on)
        unit = {row.service: int(row.fen) for row in await connection.execute(costs)}
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    order = {code: place for place, code in enumerate(words.book.services)}
    found = []
    for service, department, district in sorted(
        counts, key=lambda key: (order.get(key[0], len(order)), key[1], key[2] or "")
    ):
        states, fen = counts[service, department, district], unit.get(service)
        used = taken.get((service, district)) if sight.district is None or district else None
        found.append(
            ServiceFigures(
                words.service(service), words.department(department, today),
                words.district(district) if district is not None else None, sum(states.values()),
                states[EntitlementState.IN_FORCE], used, fen,
                used * fen if used is not None and fen is not None else None,
            )
        )  # fmt: skip
    return tuple(found if sight.district is None else [one for one in found if one.district is not None])


async def report_uses(house: House, caller: Caller, uses: Sequence[Use]) -> int:
    """Take in how many holders took services up; the same month again replaces what was told. How many were taken.

    InputError with the entry's place for a service or district that no pack knows; AccessError for a service of
    another department.
    """
    _count(uses)
    today = house.database.clock.today()
    book = Lexicon(house.packs, None).book
    for place, use in enumerate(uses):
        at = f"uses[{place}]"
        if use.service not in book.services:
            raise InputError("is no service of the policy", place=f"{at}.service")
        if use.district not in book.districts:
            raise InputError("is no district's code", place=f"{at}.district")
        if use.holders < 0 or use.month.day != 1:
            raise InputError("give a count from 0, and the first day of the month", place=at)
        owner = book.services[use.service].owner_on(min(max(use.month, book.first_day), today))
        if caller.sight.department not in (None, owner):
            raise AccessError("is another department's service", place=f"{at}.service")
    async with house.database.write(caller.actor) as transaction:
        dialect = postgresql if is_postgresql(transaction.connection) else sqlite
        statement = dialect.insert(_USES)
        rows = [
            {"service": one.service, "district": one.district, "month": one.month, "holders": one.holders,
             "told_by": transaction.actor}
            for one in uses
        ]  # fmt: skip
        changed = {name: statement.excluded[name] for name in ("holders", "told_by")}
        await transaction.connection.execute(
            statement.on_conflict_do_update(index_elements=["service", "district", "month"], set_=changed), rows
        )
        transaction.note("appraisal.uses_reported", "system", entries=len(rows))
    return len(rows)


async def set_costs(house: House, actor: str, fen: Mapping[str, int], from_on: date) -> int:
    """What a unit of each service costs from a day on, in fen; how many were set."""
    _count(list(fen))
    book = Lexicon(house.packs, None).book
    for service, amount in fen.items():
        if service not in book.services:
            raise InputError("is no service of the policy", place=service)
        if not 0 <= amount <= MAX_FEN:
            raise InputError("must be an amount in fen, from 0", place=service)
    async with house.database.write(actor) as transaction:
        services = _COSTS.c.service.in_(sorted(fen))
        await transaction.connection.execute(_COSTS.delete().where(services, _COSTS.c.from_on == from_on))
        rows = [
            {"service": service, "from_on": from_on, "fen": amount, "set_by": transaction.actor}
            for service, amount in fen.items()
        ]
        await transaction.insert(ServiceCost, rows)
        transaction.note("appraisal.costs_set", "system", costs=dict(fen), from_on=from_on.isoformat())
    return len(rows)


async def take_satisfaction(house: House, caller: Caller, given: Sequence[Given]) -> int:
    """Take in holders' marks; a mark that stands is left as it is. How many were new.

    InputError for a mark out of 1 to 5 or a day to come; NotFoundError for a case that the department had no part in.
    """
    _count(given)
    today = house.database.clock.today()
    for place, one in enumerate(given):
        if not _LOWEST <= one.score <= _HIGHEST:
            raise InputError(f"must be {_LOWEST} to {_HIGHEST}", place=f"given[{place}].score")
        if one.given_on > today:
            raise InputError("lies in the future", place=f"given[{place}].given_on")
    async with house.database.write(caller.actor) as transaction:
        connection = transaction.connection
        query = select(_STEPS.c.case_number, _STEPS.c.department, _CASES.c.district).join(
            _CASES, _CASES.c.number == _STEPS.c.case_number
        )
        rows = await connection.execute(
            query.where(among(connection, _STEPS.c.case_number, {one.case_number for one in given})).distinct()
        )
        parts = {(row.case_number, row.department): row.district for row in rows}
        for place, one in enumerate(given):
            district = parts.get((one.case_number, one.department))
            if district is None or caller.sight.district not in (None, district):
                raise NotFoundError("this department had no part in such a case", place=f"given[{place}]")
        before = (await connection.execute(select(func.count()).select_from(_SATISFACTION))).scalar_one()
        fresh = [
            {"case_number": one.case_number, "department": one.department, "score": one.score,
             "given_on": one.given_on, "entered_by": transaction.actor}
            for one in given
        ]  # fmt: skip
        await transaction.insert_new(Satisfaction, fresh, "case_number", "department")
        after = (await connection.execute(select(func.count()).select_from(_SATISFACTION))).scalar_one()
        transaction.note("appraisal.satisfaction_taken", "system", entries=after - before)
    return int(after - before)


def _count(entries: Sequence[object]) -> None:
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise InputError(f"give 1 to {MAX_ENTRIES} entries", place="entries")
