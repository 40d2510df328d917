"""Which flow runs had a case in hand, as the ledger remembers it: Prefect itself cannot be asked by a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from models import Case, CaseRun
from services.access import Sight
from services.casework.sight import cases_in
from services.database import table
from services.house import House

_RUNS, _CASES = table(CaseRun), table(Case)
MAX_RUNS = 50


@dataclass(frozen=True, slots=True)
class KeptRun:
    """One flow run, by Prefect's id; ``at`` is when it took the case in hand (wire time)."""

    run_id: str
    at: datetime


async def runs_of_case(house: House, number: str, sight: Sight) -> tuple[KeptRun, ...]:
    """The latest flow runs of the case ``number``, the last first; none for a case that is not in ``sight``."""
    query = (
        select(_RUNS.c.run_id, _RUNS.c.at)
        .join_from(_RUNS, _CASES, _CASES.c.number == _RUNS.c.case_number)
        .where(_RUNS.c.case_number == number, cases_in(sight))
        .order_by(_RUNS.c.at.desc(), _RUNS.c.run_id)
        .limit(MAX_RUNS)
    )
    async with house.database.read() as connection:
        return tuple(KeptRun(row.run_id, row.at) for row in await connection.execute(query))
