"""Splitting: a step of which the endpoint takes only some services becomes two, before anybody has seen it.

What the endpoint takes keeps the step's key and goes its way; the rest gets a key of its own and is left to the inbox.
From its first try on a step bears one set of services under one key for ever, and is never split.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, select, update

from models import Case, Endpoint, Entitlement, Step, StepKind, StepState
from models.steps import services_of
from services.database import Database, Transaction, among, is_postgresql, table
from services.exchange.orders import step_id

_CASES, _ENDPOINTS, _ENTITLEMENTS, _STEPS = table(Case), table(Endpoint), table(Entitlement), table(Step)
_CHUNK = 500


async def split_planned(transaction: Transaction, departments: Collection[str], cases: Collection[str]) -> int:
    """Split what was just planned for ``cases``, whose rows the caller holds; how many steps were split."""
    filters = await _filters(transaction, departments)
    if not filters:
        return 0
    mixed = await _mixed(transaction, filters, among(transaction.connection, _STEPS.c.case_number, cases))
    return await _split(transaction, filters, mixed)


async def split_standing(database: Database, department: str, actor: str) -> int:
    """Split what waits for ``department``, untried, after its filter changed; how many steps were split.

    Somebody who read the old filter may store what they planned later than this looks: whoever claims that comes here
    again (``claims``).
    """
    count, now = 0, database.clock.now()
    async with database.write(actor) as transaction:
        filters = await _filters(transaction, (department,))
        mixed = await _mixed(transaction, filters, _STEPS.c.department == department) if filters else []
    for start in range(0, len(mixed), _CHUNK):
        part = mixed[start : start + _CHUNK]
        async with database.write(actor) as transaction:
            # Cases before steps, as whoever plans them locks them; then only what is still untried.
            await _lock_cases(transaction, {row.case_number for row in part})
            mine = among(transaction.connection, _STEPS.c.id, (row.id for row in part))
            count += await _split(transaction, filters, await _mixed(transaction, filters, mine, lock=True), now)
    return count


def takes_part(endpoint: Row[Any], district: str, content: Mapping[str, Any]) -> bool:
    """Whether an endpoint takes some of what a step of ``district`` asks for, and not the rest. Of a district that it
    does not serve it takes nothing, and there is nothing to split.
    """
    if endpoint.services is None or (endpoint.districts is not None and district not in endpoint.districts):
        return False
    asked = services_of(content)
    return not (asked <= set(endpoint.services) or asked.isdisjoint(endpoint.services))


async def _filters(transaction: Transaction, departments: Collection[str]) -> dict[str, Row[Any]]:
    """The endpoints of ``departments``, of those that do not take every service."""
    query = select(_ENDPOINTS.c.department, _ENDPOINTS.c.services, _ENDPOINTS.c.districts)
    rows = await transaction.connection.execute(query.where(_ENDPOINTS.c.department.in_(sorted(departments))))
    return {row.department: row for row in rows if row.services is not None}


async def _mixed(
    transaction: Transaction, filters: Mapping[str, Row[Any]], which: Any, *, lock: bool = False
) -> list[Row[Any]]:
    """The untried steps among ``which`` of which the endpoint takes some services and not others."""
    untried = and_(
        which,
        _STEPS.c.department.in_(sorted(filters)),
        _STEPS.c.kind == StepKind.ENTITLEMENTS,
        _STEPS.c.state.in_((StepState.DUE, StepState.HELD)),
        _STEPS.c.attempts == 0,
    )
    query = select(_STEPS).where(untried).order_by(_STEPS.c.id)
    if lock and is_postgresql(transaction.connection):
        query = query.with_for_update()
    rows = await transaction.connection.execute(query)
    return [row for row in rows if takes_part(filters[row.department], row.district, row.content)]


def _parts(content: Mapping[str, Any], takes: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the endpoint takes of a step, and the rest."""
    taken, rest = dict(content), dict(content)
    for ask in ("open", "withdraw"):
        for part, wanted in ((taken, takes), (rest, services_of(content) - takes)):
            part[ask] = [one for one in content.get(ask, ()) if one["service"] in wanted]
            if not part[ask]:
                del part[ask]
    return taken, rest


async def _lock_cases(transaction: Transaction, numbers: Collection[str]) -> None:
    query = select(_CASES.c.number).where(among(transaction.connection, _CASES.c.number, numbers))
    if is_postgresql(transaction.connection):
        query = query.order_by(_CASES.c.number).with_for_update()
    await transaction.connection.execute(query)


async def _split(
    transaction: Transaction,
    filters: Mapping[str, Row[Any]],
    rows: Collection[Row[Any]],
    now: datetime | None = None,
) -> int:
    """Split ``rows``. What had been left to the inbox whole goes to the endpoint at ``now``, as far as it takes it."""
    if not rows:
        return 0
    connection = transaction.connection
    numbers = {row.case_number for row in rows}
    query = select(_CASES.c.number, _CASES.c.round).where(among(connection, _CASES.c.number, numbers))
    rounds: dict[str, int] = dict((await connection.execute(query)).tuples().all())
    kept: list[dict[str, Any]] = []
    fresh: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for row in rows:
        taken, rest = _parts(row.content, frozenset(filters[row.department].services))
        # A round of its own: no two keys of a case are alike, and a later step has a later round.
        rounds[row.case_number] += 1
        identity = step_id(row.case_number, row.kind, row.department, rounds[row.case_number])
        left = row.state is StepState.DUE and row.next_attempt_at is None
        kept.append({"step": row.id, "taken": taken, "at": now if left else row.next_attempt_at})
        fresh.append({**row._mapping, "id": identity, "content": rest, "state": StepState.DUE, "next_attempt_at": None})
        moved += [{"case": row.case_number, "name": one, "old": row.id, "new": identity} for one in services_of(rest)]
        transaction.note(
            "steps.split", row.case_number, step=row.id, left_to_inbox=identity, services=sorted(services_of(rest))
        )
    await connection.execute(
        update(_STEPS)
        .where(_STEPS.c.id == bindparam("step"))
        .values(content=bindparam("taken"), next_attempt_at=bindparam("at")),
        kept,
    )
    await transaction.insert(Step, fresh)
    await connection.execute(
        update(_ENTITLEMENTS)
        .where(
            _ENTITLEMENTS.c.case_number == bindparam("case"),
            _ENTITLEMENTS.c.service == bindparam("name"),
            _ENTITLEMENTS.c.step_id == bindparam("old"),
        )
        .values(step_id=bindparam("new")),
        moved,
    )
    await connection.execute(
        update(_CASES).where(_CASES.c.number == bindparam("case")).values(round=bindparam("last")),
        [{"case": number, "last": last} for number, last in rounds.items()],
    )
    return len(fresh)
