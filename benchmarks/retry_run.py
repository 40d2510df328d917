"""1,000 failed steps of three causes among 50,000: how long to see the incidents, to retry them all, and what doubled.

``python -m benchmarks.retry_run [CASES]``: on SQLite in a temporary folder, departments in the process. One JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from models import IncidentKind, RetryState, Step, StepKind, StepState
from services.casework import deliveries
from services.casework.deliveries import deliver_steps
from services.house import House
from services.migration import upgrade
from services.operations.retries import RetryView, preview_retry, show_retry, start_retry
from services.operations.selection import Selection
from services.operations.watching import list_incidents
from services.settings import Settings
from services.supervision.supervise import supervise
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

ACTOR = "administrator:benchmark"
# Refusals of single messages, which shut no door: the retry's own time is measured, not the breaker's.
FAILURES = {"housing-fund": 400, "culture": 422, "sports": 409}
STEPS = 50_000
ROUNDS = 200


async def main(cases: int) -> dict[str, Any]:
    """Fail the steps of three departments in ``cases`` cases, look, retry, and count."""
    with tempfile.TemporaryDirectory() as folder:
        dsn = f"sqlite+aiosqlite:///{Path(folder) / 'lianban.db'}"
        settings = Settings(data_dir=Path(folder), database_url=dsn, _env_file=None)
        await asyncio.to_thread(upgrade, settings.dsn)
        house, departments = House(settings), Departments()
        await departments.connect(house)
        deliveries.shared_client = lambda: departments
        numbers = await registered(house, *(application() for _ in range(cases)))
        departments.failing |= FAILURES
        await work(house, *numbers)
        departments.failing.clear()
        await _fill(house, numbers, STEPS - len(departments.sent))
        departments.sent.clear()
        report = await _measure(house, departments)
        await house.close()
    return report


async def _fill(house: House, numbers: list[str], count: int) -> None:
    """Settled steps, so that the ledger is of the size asked for."""
    base = {
        "department": "hrss",
        "district": "370303",
        "kind": StepKind.ENTITLEMENTS,
        "state": StepState.DONE,
        "content": {"open": []},
        "pack": "zibo-2014-87",
        "created_at": house.database.clock.now(),
        "attempts": 1,
    }
    rows = [
        base | {"id": f"{numbers[place % len(numbers)]}-f-{place}", "case_number": numbers[place % len(numbers)]}
        for place in range(count)
    ]
    async with house.database.write(ACTOR) as transaction:
        await transaction.insert(Step, rows)


async def _measure(house: House, departments: Departments) -> dict[str, Any]:
    started = time.perf_counter()
    found = await list_incidents(house)
    first = time.perf_counter()
    await list_incidents(house)
    again = time.perf_counter()
    run: RetryView = await preview_retry(house, Selection(kind=IncidentKind.FAILED), ACTOR)
    previewed = time.perf_counter()
    run = await start_retry(house, run.id, ACTOR)
    rounds = 0
    while run.state is RetryState.RUNNING and rounds < ROUNDS:
        await supervise(house)
        await deliver_steps(house, ACTOR)
        run = await show_retry(house, run.id)
        rounds += 1
    ended = time.perf_counter()
    sent = Counter(event["id"] for event in departments.sent)
    return {
        "steps_in_ledger": STEPS,
        "incidents": {one.department.code: one.steps for one in found},
        "first_look_ms": round((first - started) * 1000),
        "look_ms": round((again - first) * 1000),
        "preview_ms": round((previewed - again) * 1000),
        "retry_seconds": round(ended - previewed, 2),
        "rounds": rounds,
        "state": run.state.value,
        "counts": run.counts,
        "incidents_left": len(await list_incidents(house)),
        "doubled": sum(count - 1 for count in sent.values()),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 334)), ensure_ascii=False))
