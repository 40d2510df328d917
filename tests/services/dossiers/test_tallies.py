"""Counts by state are those that counting the cases would give, whoever changed them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from models import Case, CaseState
from services.access import Sight
from services.database import Database, table
from services.dossiers.tallies import cases_by_state, fold_tallies

_CASES = table(Case)
_DISTRICTS = ("370302", "370303")


def _case(place: int, state: CaseState) -> dict[str, Any]:
    district = _DISTRICTS[place % 2]
    return {
        "number": f"{district}-2014-{place:06d}", "district": district, "station": f"站{place % 3}", "state": state,
        "is_open": False, "application_key": f"a{place}", "person_key": f"p{place}", "name_key": "n",
        "received_on": date(2014, 11, 3), "term_asked": 1, "grounds": [], "sealed": b"",
        "received_at": datetime(2014, 11, 3, tzinfo=UTC),
    }  # fmt: skip


async def _recounted(database: Database, district: str | None = None) -> dict[CaseState, int]:
    query = select(_CASES.c.state, func.count()).group_by(_CASES.c.state)
    if district is not None:
        query = query.where(_CASES.c.district == district)
    async with database.read() as connection:
        return {state: int(count) for state, count in await connection.execute(query)}


async def _agree(database: Database) -> None:
    async with database.read() as connection:
        assert await cases_by_state(connection) == await _recounted(database)
        for district in _DISTRICTS:
            found = await cases_by_state(connection, Sight(district=district))
            assert found == await _recounted(database, district)


async def test_counts_hold_through_every_change(database: Database) -> None:
    states = list(CaseState)
    async with database.write("test") as transaction:
        await transaction.insert(Case, [_case(place, states[place % len(states)]) for place in range(60)])
    await _agree(database)

    async with database.write("test") as transaction:
        change = update(_CASES).where(_CASES.c.station == "站1")
        await transaction.connection.execute(change.values(state=CaseState.CLOSED))
        reopened = update(_CASES).where(_CASES.c.station == "站2", _CASES.c.state == CaseState.REFUSED)
        await transaction.connection.execute(reopened.values(state=CaseState.ACCEPTED))
        await transaction.connection.execute(delete(_CASES).where(_CASES.c.number.like("%-000012")))
    await _agree(database)

    await fold_tallies(database, "test", many=0)
    await fold_tallies(database, "test", many=0)
    await _agree(database)
