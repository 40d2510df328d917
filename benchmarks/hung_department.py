"""One department hung, and what the others feel of it: their p99 with it and without it, in the same run.

``python -m benchmarks.hung_department`` prints one JSON line. 25 departments, cases that come in at a steady pace; in
every second run one department takes each message and never answers within the time-out. What is timed is the other
departments' steps: from the instant at which a step is planned until its outcome is stored, and, a case, from intake
until the last of them. Each run has a system of its own (Prefect's server, sandbox departments, dispatcher); the runs
alternate, so that other work on the machine falls on both. Ends with status 1 unless every step of the others settled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from api.system.installation import connect_sandbox, prepare_database, sandbox_secrets
from api.system.programs import Program, Programs, free_port, programs
from api.system.whole import Ports, Sandbox, environment, start_sandbox
from benchmarks.fault_town import applicants, write_pack
from benchmarks.folders import working_folder
from models import Case, Step, StepState
from services.database import table
from services.house import House, open_house
from services.intake.application import Application
from services.intake.register import Registry
from services.settings import Settings
from services.simulation import move_clock

HUNG = "health"
_DAY = date(2014, 11, 10)
# Longer than any time-out of an endpoint.
_BEHAVIOUR = f"{HUNG}:slow=600000"
_DISPATCH = "import asyncio; from flows.dispatch import dispatch; asyncio.run(dispatch(linger_seconds=3600))"
_PATIENCE = 120.0
_STEPS, _CASES = table(Step), table(Case)
_LANES = ("without", "with_one_hung")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=400, help="in each run")
    parser.add_argument("--per-second", type=float, default=10.0, help="cases that come in")
    parser.add_argument("--pairs", type=int, default=2, help="runs without and with, in turn")
    parser.add_argument("--keep", action="store_true", help="leave the folders with their logs")
    options = parser.parse_args()
    result = asyncio.run(_measure(options))
    print(json.dumps(result, ensure_ascii=False))
    raise SystemExit(0 if result["all_others_settled"] else 1)


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    runs: dict[str, list[dict[str, Any]]] = {lane: [] for lane in _LANES}
    for _ in range(options.pairs):
        for lane in _LANES:
            with working_folder("hung", keep=options.keep) as folder:
                runs[lane].append(await _run(folder, options, hung=lane == _LANES[1]))
    return {
        "all_others_settled": not any(one["unsettled"] for lane in _LANES for one in runs[lane]),
        "cases": options.cases,
        "cases_per_second": options.per_second,
        "hung": HUNG,
        **{lane: _summary(runs[lane]) for lane in _LANES},
    }


def _summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All runs of one lane together; ``tries_at_hung`` shows that the one department was really called."""
    summary: dict[str, Any] = {"runs": len(runs), "tries_at_hung": sum(one["tries_at_hung"] for one in runs)}
    for name in ("step", "case"):
        seconds = sorted(value for one in runs for value in one[name])
        summary[name] = {
            "count": len(seconds),
            **{f"p{share}_ms": round(1000 * _percentile(seconds, share)) for share in (50, 90, 99)},
        }
    return summary


def _percentile(ordered: Sequence[float], share: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)] if ordered else float("nan")


async def _run(folder: Path, options: argparse.Namespace, *, hung: bool) -> dict[str, Any]:
    ports = Ports(free_port(), free_port(), free_port())
    packs = folder / "packs"
    packs.mkdir()
    departments = write_pack(packs / "zibo-2014-87.yaml")
    settings = Settings(
        data_dir=folder, simulate=True, public_url=ports.api_url, prefect_api_url=ports.prefect_url,
        packs=(packs,), intranet=("127.0.0.1/32",), _env_file=None,
    )  # fmt: skip
    await asyncio.to_thread(prepare_database, settings)
    told = environment(settings, ports) | {"LIANBAN_PACKS": str(packs)}
    secrets = sandbox_secrets(folder / "sandbox.json", departments)
    async with programs(told, folder / "logs") as running, open_house(settings) as house:
        await move_clock(house.database, settings, _DAY)
        prefect = [sys.executable, "-m", "prefect", "--no-prompt", "server", "start", "--host", "127.0.0.1"]
        server = Program("prefect", [*prefect, "--port", str(ports.prefect)], f"{ports.prefect_url}/health")
        await running.start(server, within=120)
        faults = (_BEHAVIOUR,) if hung else ()
        await start_sandbox(running, ports, Sandbox(None, folder / "sandbox.json", folder / "sandbox.db", faults))
        await connect_sandbox(house, ports.sandbox_url, secrets)
        await _start_dispatcher(house, running)
        await _come_in(house, applicants(options.cases), options.per_second)
        unsettled = await _until_settled(house)
        return {"unsettled": unsettled, **await _times(house)}


async def _start_dispatcher(house: House, running: Programs) -> None:
    """One that is up and has nothing to do yet."""
    await running.start(Program("dispatch", [sys.executable, "-c", _DISPATCH]))
    (first,) = await Registry(house.database, house.keys, house.packs).register(applicants(1, seed=8), "bench")
    give_up = time.monotonic() + _PATIENCE
    query = select(func.count()).where(_STEPS.c.case_number == first.number, _STEPS.c.settled_at.is_not(None))
    while time.monotonic() < give_up:
        async with house.database.read() as connection:
            if (await connection.execute(query)).scalar_one():
                return
        await asyncio.sleep(0.2)
    raise SystemExit("the dispatcher did not begin")


async def _come_in(house: House, people: Sequence[Application], per_second: float) -> None:
    """Register the applicants one by one, at a steady pace."""
    registry, started = Registry(house.database, house.keys, house.packs), time.monotonic()
    for place, person in enumerate(people):
        await asyncio.sleep(max(0.0, started + place / per_second - time.monotonic()))
        await registry.register([person], "bench")


async def _until_settled(house: House) -> int:
    """How many steps of the other departments, and cases not begun, are left when there is nothing more to wait for."""
    unsettled = (StepState.DUE, StepState.SENDING, StepState.RECEIVED, StepState.HELD, StepState.FAILED)
    give_up = time.monotonic() + _PATIENCE
    left, left_cases, quiet = -1, -1, 0
    while quiet < 5 and time.monotonic() < give_up:
        async with house.database.read() as connection:
            query = select(func.count()).where(_STEPS.c.department != HUNG, _STEPS.c.state.in_(unsettled))
            waiting = select(func.count()).where(_CASES.c.ready_at.is_not(None))
            left = (await connection.execute(query)).scalar_one()
            left_cases = (await connection.execute(waiting)).scalar_one()
        quiet = quiet + 1 if left == 0 == left_cases else 0
        await asyncio.sleep(0.5)
    return int(left) + int(left_cases)


async def _times(house: House) -> dict[str, Any]:
    """Seconds of every settled step of the others, and of every case until the last of them."""
    steps = select(_STEPS.c.case_number, _STEPS.c.created_at, _STEPS.c.settled_at)
    others = steps.where(_STEPS.c.department != HUNG, _STEPS.c.settled_at.is_not(None))
    tries = select(func.coalesce(func.sum(_STEPS.c.attempts), 0)).where(_STEPS.c.department == HUNG)
    async with house.database.read() as connection:
        rows = (await connection.execute(others)).all()
        received = dict((await connection.execute(select(_CASES.c.number, _CASES.c.received_at))).tuples().all())
        tried = (await connection.execute(tries)).scalar_one()
    last: dict[str, datetime] = {}
    for row in rows:
        last[row.case_number] = max(last.get(row.case_number, row.settled_at), row.settled_at)
    return {
        "step": [(row.settled_at - row.created_at).total_seconds() for row in rows],
        "case": [(at - received[number]).total_seconds() for number, at in last.items()],
        "tries_at_hung": int(tried),
    }


if __name__ == "__main__":
    main()
