"""What the same things cost in a small store and in a large one: cost must follow the change, not what is stored.

    python -m benchmarks.at_scale --folder SMALL --database URL [--folder LARGE --database URL …]

Takes installations filled by ``benchmarks.store`` and prints, for each, the median of ``--rounds`` and one JSON line: a
page of cases filtered by district, by state and by department, reading one case, the overview's figures, a claim of 50
cases that want work, and a day's ``reconcile``. The day is the first to come on which 50 cases change; the others of
that day are put off, so that both stores change alike. What it does is written into the store.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from benchmarks.store.lives import Departments, work_reviews
from models import Case, CaseState, Permit
from services.access import WHOLE_CITY
from services.database import table
from services.dossiers.listing import CaseFilter, list_cases
from services.dossiers.picture import draw_picture
from services.dossiers.reading import read_case
from services.house import House, open_house
from services.intake.fixture import Fixture
from services.ledger.cases import claim_ready, release
from services.settings import Settings

_CASES, _PERMITS = table(Case), table(Permit)
_CHANGED = 50


def main() -> None:
    """Measure each installation and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, action="append", required=True)
    parser.add_argument("--database", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=15)
    told = parser.parse_args()
    found = []
    for folder, database in zip(told.folder, told.database or [""] * len(told.folder), strict=True):
        settings = Settings(data_dir=folder, database_url=database, simulate=True, _env_file=None)
        found.append(asyncio.run(_measure(settings, told.rounds)))
    print("| what, ms | " + " | ".join(f"{one['cases']:,} cases" for one in found) + " |\n|---|" + "---|" * len(found))
    for what in found[0]["ms"]:
        print(f"| {what} | " + " | ".join(f"{one['ms'][what]:.1f}" for one in found) + " |")
    print(json.dumps(found))


async def _measure(settings: Settings, rounds: int) -> dict[str, Any]:
    async with open_house(settings) as house:
        async with house.database.read() as connection:
            cases = (await connection.execute(select(func.count()).select_from(_CASES))).scalar_one()
            middle = select(_PERMITS.c.case_number).order_by(_PERMITS.c.case_number).limit(rounds)
            numbers = (await connection.execute(middle)).scalars().all()
            department = (await draw_picture(house)).departments[0].department.code
        ms: dict[str, float] = {}
        pages = {
            "a page of a district": CaseFilter(district="370303"),
            "a page of cases that are provisioning": CaseFilter(state=CaseState.PROVISIONING),
            f"a page of cases that wait for a department ({department})": CaseFilter(department=department),
        }
        for what, wanted in pages.items():
            ms[what] = await _median(rounds, lambda _, wanted=wanted: list_cases(house, WHOLE_CITY, wanted))
        ms["reading one case"] = await _median(rounds, lambda place: read_case(house, numbers[place % len(numbers)]))
        ms["the overview"] = await _median(rounds, lambda _: draw_picture(house))
        ms["a claim of 50 cases, and letting them go"] = await _claims(house, rounds)
        ms["a day's reconcile, 50 cases changing"] = await _reconcile(house)
    return {"cases": cases, "ms": {what: round(one, 2) for what, one in ms.items()}}


async def _median(rounds: int, work: Callable[[int], Awaitable[Any]]) -> float:
    await work(0)
    took = []
    for place in range(rounds):
        started = time.perf_counter()
        await work(place)
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


async def _claims(house: House, rounds: int) -> float:
    now = house.database.clock.now()
    async with house.database.write("bench") as transaction:
        chosen = select(_CASES.c.number).where(_CASES.c.state == CaseState.CLOSED).limit(_CHANGED).scalar_subquery()
        await transaction.connection.execute(update(_CASES).where(_CASES.c.number.in_(chosen)).values(ready_at=now))

    async def claim(_: int) -> None:
        async with house.database.write("bench") as transaction:
            claim = await claim_ready(transaction, house.database.clock.now(), _CHANGED, 60)
            await release(transaction, claim)
            await transaction.connection.execute(
                update(_CASES).where(_CASES.c.number.in_(claim.numbers)).values(ready_at=now)
            )

    took = await _median(rounds, claim)
    async with house.database.write("bench") as transaction:
        await transaction.connection.execute(update(_CASES).where(_CASES.c.ready_at == now).values(ready_at=None))
    return took


async def _reconcile(house: House) -> float:
    """Milliseconds for a day on which ``_CHANGED`` cases change: claimed, decided, sent, recorded, let go."""
    async with house.database.write("bench") as transaction:
        # The first day to come on which so many change.
        ordered = select(_CASES.c.review_on).where(_CASES.c.review_on.is_not(None)).order_by(_CASES.c.review_on)
        day = (await transaction.connection.execute(ordered.limit(1).offset(_CHANGED - 1))).scalar_one()
        house.database.clock = house.database.clock.moved_to(day)
        due = select(_CASES.c.number).where(_CASES.c.review_on <= day).order_by(_CASES.c.review_on, _CASES.c.number)
        numbers = (await transaction.connection.execute(due)).scalars().all()
        others = numbers[_CHANGED:]
        for start in range(0, len(others), 1_000):
            part = _CASES.c.number.in_(others[start : start + 1_000])
            values = {"review_on": day + timedelta(days=1)}
            await transaction.connection.execute(update(_CASES).where(part).values(values))
    departments = Departments(1)
    departments.known = {number: Fixture() for number in numbers[:_CHANGED]}
    started = time.perf_counter()
    await work_reviews(house, departments)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
