"""1,000 failed steps of three causes among 50,000: how long to see the incidents, to retry them all, and what doubled.

``python -m benchmarks.retry_run [CASES]`` prints one JSON line. The sandbox departments are a process of their own,
over HTTP; the database is SQLite in a temporary folder. All three refuse their messages; the third's door is shut
besides, as its breaker shuts it, and the retry's steps there are held until a probe is answered. The wait for the probe
is left out of the times: it is brought forward when the departments mend.
The retry keeps the rate at which a department takes what piled up, ``RATE`` a second.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select, update

from api.system.installation import connect_sandbox, prepare_database, sandbox_secrets
from api.system.programs import free_port, programs
from api.system.whole import Ports, Sandbox, environment, start_sandbox
from models import Endpoint, EndpointState, IncidentKind, RetryState, Step, StepKind, StepState
from services.casework.deliveries import deliver_steps
from services.database import table
from services.house import House, open_house
from services.operations.retries import RetryView, preview_retry, show_retry, start_retry
from services.operations.selection import Selection
from services.operations.watching import list_incidents
from services.settings import Settings
from services.simulation import move_clock
from services.supervision.supervise import supervise
from tests.testing.departments import work
from tests.testing.people import RECEIVED, application, registered

ACTOR = "administrator:benchmark"
FAULTS = ("housing-fund:error=400@1", "culture:error=422@1", "sports:error=404@1")
SHUT = "sports"
STEPS, RATE = 50_000, 100.0
_LOOK_SECONDS, _MOST_SECONDS = 0.5, 300.0
_STEPS, _ENDPOINTS = table(Step), table(Endpoint)


async def main(cases: int) -> dict[str, Any]:
    """Fail the steps of three departments in ``cases`` cases, look, retry, and count."""
    with tempfile.TemporaryDirectory() as name:
        folder, ports = Path(name), Ports(free_port(), free_port(), free_port())
        settings = Settings(
            data_dir=folder, simulate=True, public_url=ports.api_url, intranet=("127.0.0.1/32",), _env_file=None
        )
        await asyncio.to_thread(prepare_database, settings)
        async with programs(environment(settings, ports), folder / "logs") as running, open_house(settings) as house:
            await move_clock(house.database, settings, RECEIVED)
            departments = sorted({code for pack in house.packs.packs for code in pack.departments})
            secrets = sandbox_secrets(folder / "sandbox.json", departments)
            town = Sandbox(None, folder / "sandbox.json", folder / "sandbox.db", FAULTS)
            await start_sandbox(running, ports, town)
            await connect_sandbox(house, ports.sandbox_url, secrets)
            numbers = await registered(house, *(application() for _ in range(cases)))
            await work(house, *numbers)
            await _shut_a_door(house)
            await _fill(house, numbers)
            report = await _measure(house, ports)
            report["doubled"] = _doubled(folder / "sandbox.db")
    return report


async def _shut_a_door(house: House) -> None:
    """Shut the third department's door, as its breaker does after so many failures; it opens when it has mended."""
    async with house.database.write(ACTOR) as transaction:
        await transaction.connection.execute(update(_ENDPOINTS).values(drain_per_second=RATE))
        await transaction.connection.execute(
            update(_ENDPOINTS)
            .where(_ENDPOINTS.c.department == SHUT)
            .values(
                state=EndpointState.HELD,
                held_at=transaction.at,
                probe_at=house.database.clock.now() + timedelta(hours=1),
            )
        )


async def _fill(house: House, numbers: list[str]) -> None:
    """Settled steps, so that the ledger is of the size asked for."""
    async with house.database.read() as connection:
        count = STEPS - int((await connection.execute(select(func.count()).select_from(_STEPS))).scalar_one())
    base = {
        "department": "hrss",
        "district": "370303",
        "kind": StepKind.ENTITLEMENTS,
        "state": StepState.DONE,
        "content": {"open": []},
        "pack": "zibo-2014-87",
        "created_at": house.database.clock.moment(),
        "attempts": 1,
    }
    rows = [
        base | {"id": f"{numbers[place % len(numbers)]}-f-{place}", "case_number": numbers[place % len(numbers)]}
        for place in range(count)
    ]
    async with house.database.write(ACTOR) as transaction:
        await transaction.insert(Step, rows)


async def _measure(house: House, ports: Ports) -> dict[str, Any]:
    started = time.perf_counter()
    found = await list_incidents(house)
    first = time.perf_counter()
    await list_incidents(house)
    again = time.perf_counter()
    await _mend(house, ports)
    mended = time.perf_counter()
    run: RetryView = await preview_retry(house, Selection(kind=IncidentKind.FAILED), ACTOR)
    previewed = time.perf_counter()
    run = await start_retry(house, run.id, ACTOR)
    looked_at, looks = 0.0, 0
    while run.state is RetryState.RUNNING and time.perf_counter() < previewed + _MOST_SECONDS:
        # As the dispatcher does: what is due is sent at once, retries are looked after now and then.
        if time.perf_counter() >= looked_at + _LOOK_SECONDS:
            looked_at, looks = time.perf_counter(), looks + 1
            await supervise(house)
        if not (await deliver_steps(house, ACTOR)).sent:
            await asyncio.sleep(0.02)
        run = await show_retry(house, run.id)
    ended = time.perf_counter()
    return {
        "steps_in_ledger": STEPS,
        "incidents": {one.department.code: one.steps for one in found},
        "first_look_ms": round((first - started) * 1000),
        "look_ms": round((again - first) * 1000),
        "preview_ms": round((previewed - mended) * 1000),
        "rate_per_second_and_department": RATE,
        "retry_seconds": round(ended - previewed, 2),
        "looks": looks,
        "state": run.state.value,
        "because": run.because,
        "counts": run.counts,
        "incidents_left": len(await list_incidents(house)),
    }


async def _mend(house: House, ports: Ports) -> None:
    """The departments are well again, and the shut door may be tried at once."""
    async with httpx.AsyncClient(base_url=ports.sandbox_url, trust_env=False) as sandbox:
        for fault in FAULTS:
            answer = await sandbox.put(f"/departments/{fault.partition(':')[0]}/behaviour", json={})
            answer.raise_for_status()
    async with house.database.write(ACTOR) as transaction:
        held = _ENDPOINTS.c.department == SHUT
        await transaction.connection.execute(update(_ENDPOINTS).where(held).values(probe_at=house.database.clock.now()))


def _doubled(books: Path) -> int:
    """How many services the departments' own books say were opened twice."""
    with sqlite3.connect(books) as connection:
        doubled = connection.execute("SELECT coalesce(sum(doubled), 0) FROM standing").fetchone()[0]
    connection.close()
    return int(doubled)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 446)), ensure_ascii=False))
