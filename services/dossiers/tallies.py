"""How many cases stand in each state: open ones by their index, those that are over by their tallies."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, CaseState, CaseTally
from models.states import OPEN_CASES
from services.access import WHOLE_CITY, Sight
from services.casework.sight import cases_in
from services.database import Database, is_postgresql, table

_CASES, _TALLIES = table(Case), table(CaseTally)
_MANY = 5_000
# What was deleted and what is put in its place become visible together, so that a count is right at any moment.
_FOLD = text(
    "WITH gone AS (DELETE FROM case_tallies RETURNING state, district, station, cases) "
    "INSERT INTO case_tallies (state, district, station, cases) "
    "SELECT state, district, station, sum(cases) FROM gone GROUP BY state, district, station HAVING sum(cases) <> 0"
)


async def cases_by_state(connection: AsyncConnection, sight: Sight = WHOLE_CITY) -> dict[CaseState, int]:
    """Exact counts of the cases in ``sight`` by state; states without any are left out."""
    counted = select(_CASES.c.state, func.count()).where(cases_in(sight)).group_by(_CASES.c.state)
    if not is_postgresql(connection) or sight.department is not None:
        return {state: int(count) for state, count in await connection.execute(counted)}
    over = select(_TALLIES.c.state, func.sum(_TALLIES.c.cases)).group_by(_TALLIES.c.state)
    for column, value in ((_TALLIES.c.district, sight.district), (_TALLIES.c.station, sight.station)):
        if value is not None:
            over = over.where(column == value)
    # One statement, one snapshot: a case that ends meanwhile is in the one or in the other.
    both = counted.where(_CASES.c.state.in_(OPEN_CASES)).union_all(over)
    return {state: int(count) for state, count in await connection.execute(both) if count}


async def fold_tallies(database: Database, actor: str, many: int = _MANY) -> None:
    """Put the tallies together, one for each state and station, once there are more than ``many``."""
    async with database.read() as connection:
        if not is_postgresql(connection):
            return
        more = (await connection.execute(select(_TALLIES.c.id).limit(1).offset(many))).first()
    if more is not None:
        async with database.write(actor) as transaction:
            await transaction.connection.execute(_FOLD)
