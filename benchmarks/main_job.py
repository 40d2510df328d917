"""The main job under load: N cases from intake to the last confirmation; departments are never the limit.

``python -m benchmarks.main_job --cases 2000`` prints one JSON line. Each of the programs has a process of its own:
Prefect server, departments (``peers.departments``), dispatchers. The clock runs from the first claim until the last
outcome is stored and Prefect has nothing left to record. The bare floor sends the same signed bytes in the same run and
stores nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
from httpx_aiohttp import AiohttpTransport
from sqlalchemy import func, select

from api.demo.people import synthetic_applications
from api.system.installation import asked_departments, connect_sandbox, prepare_database, sandbox_secrets
from api.system.programs import Program, Programs, free_port, programs
from api.system.whole import Ports, environment
from benchmarks.folders import working_folder
from models import Case, CaseState, Step, StepKind
from services.database import table
from services.endpoints import open_targets
from services.exchange.delivery import Target, deliver
from services.exchange.messages import Message
from services.exchange.orders import read_order
from services.house import House, open_house
from services.intake.register import Registry
from services.settings import Settings
from services.simulation import move_clock

_DAY = date(2014, 11, 10)
_IDLE_SHARE = 0.08
# A long-lived dispatcher: it has started and found nothing to do before the work comes in.
_DISPATCH = """
import pathlib, sys, asyncio
from flows.dispatch import dispatch
async def work():
    await dispatch(linger_seconds=0)
    pathlib.Path(sys.argv[1]).touch()
    while not pathlib.Path(sys.argv[2]).exists():
        await asyncio.sleep(0.02)
    await dispatch(linger_seconds=float(sys.argv[3]))
asyncio.run(work())
"""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=50, help="events in one call, in the batched run")
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database; SQLite if left out")
    parser.add_argument("--postgres", type=int, default=0, help="process id of its server, to count its processor, too")
    parser.add_argument("--dispatchers", type=int, default=1, help="dispatcher processes side by side")
    parser.add_argument("--keep", action="store_true", help="leave the folder with its logs")
    parser.add_argument("--only", choices=["single", "batched"], help="one of the two runs")
    options = parser.parse_args()
    with working_folder("bench", keep=options.keep) as folder:
        print(json.dumps(asyncio.run(_measure(folder, options)), ensure_ascii=False))


async def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    ports = Ports(free_port(), free_port(), free_port())
    base = Settings(data_dir=folder, simulate=True, database_url=options.database, _env_file=None)
    result: dict[str, Any] = {"cases": options.cases, "database": base.dsn.split(":", 1)[0], "cores": os.cpu_count()}
    async with programs(environment(base, ports), folder / "logs") as running:
        prefect = [sys.executable, "-m", "prefect", "--no-prompt", "server", "start", "--host", "127.0.0.1"]
        server = Program("prefect", [*prefect, "--port", str(ports.prefect)], f"{ports.prefect_url}/health")
        await running.start(server, within=120)
        for mode, size in (("single", 1), ("batched", options.batch)):
            if options.only in (None, mode):
                result[mode] = await _run(folder / mode, running, ports, options, size)
    return result


async def _run(folder: Path, running: Programs, ports: Ports, options: argparse.Namespace, size: int) -> dict[str, Any]:
    settings = Settings(
        data_dir=folder, simulate=True, database_url=options.database, public_url=ports.api_url,
        prefect_api_url=ports.prefect_url, _env_file=None,
    )  # fmt: skip
    await asyncio.to_thread(prepare_database, settings)
    running.environment["LIANBAN_DATA_DIR"] = str(folder)
    if options.database:
        running.environment["LIANBAN_DATABASE_URL"] = options.database
    async with open_house(settings) as house:
        await move_clock(house.database, settings, _DAY)
        departments = asked_departments(house.packs.packs[0], _DAY)
        secrets = sandbox_secrets(folder / "sandbox.json", departments)
        played = await _start_departments(running, ports)
        await connect_sandbox(house, ports.sandbox_url, secrets, size)
        alone = await _alone(house, running)
        burst = await _burst(house, running, ports, options)
        floor = await _floor(house, burst.pop("_numbers"))
        played.terminate()
        await played.wait()
        running.running = [one for one in running.running if one.process is not played]
    return burst | {
        "alone_ms": alone,
        "floor": floor,
        "to_floor": round(burst["cases_per_s"] / floor["cases_per_s"], 2),
    }


async def _start_departments(running: Programs, ports: Ports) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "benchmarks.peers.departments", "--port", str(ports.sandbox)]
    departments = Program("departments", command, f"{ports.sandbox_url}/healthz")
    await running.start(departments)
    assert departments.process is not None
    return departments.process


async def _dispatcher(running: Programs, name: str, linger: float) -> tuple[asyncio.subprocess.Process, Path]:
    """A warm dispatcher, and the file whose appearance lets it go."""
    folder = running.logs.parent
    ready, go = folder / f"{name}.ready", folder / f"{name}.go"
    for mark in (ready, go):
        mark.unlink(missing_ok=True)
    program = Program(name, [sys.executable, "-c", _DISPATCH, str(ready), str(go), str(linger)])
    await running.start(program)
    while not ready.exists():
        await asyncio.sleep(0.05)
    assert program.process is not None
    return program.process, go


async def _alone(house: House, running: Programs) -> float:
    """Milliseconds from intake to the last confirmation, one case at a time, the dispatcher waiting: the median."""
    process, go = await _dispatcher(running, "dispatch-alone", 12)
    go.touch()
    took: list[float] = []
    for application, _ in synthetic_applications(7, 99, date(2014, 11, 3)):
        registered = await Registry(house.database, house.keys, house.packs).register([application], "bench")
        started = time.perf_counter()
        while not await _closed(house, [registered[0].number or ""]):
            await asyncio.sleep(0.01)
        took.append((time.perf_counter() - started) * 1000)
    await process.wait()
    return round(sorted(took)[len(took) // 2])


async def _burst(house: House, running: Programs, ports: Ports, options: argparse.Namespace) -> dict[str, Any]:
    cases = options.cases
    people = [application for application, _ in synthetic_applications(cases, 7, date(2014, 11, 3))]
    started = [await _dispatcher(running, f"dispatch-{place}", 0) for place in range(options.dispatchers)]
    registry, numbers = Registry(house.database, house.keys, house.packs), []
    intake_started = time.perf_counter()
    for start in range(0, cases, 500):
        numbers += [one.number or "" for one in await registry.register(people[start : start + 500], "bench")]
    intake_s = time.perf_counter() - intake_started
    server, mine = _process(running, "prefect"), [psutil.Process(process.pid) for process, _ in started]
    store = [psutil.Process(options.postgres)] if options.postgres else []
    before, store_before = _cpu(server), sum(map(_cpu, store))
    spent_before, spent, peak = sum(map(_cpu, mine)), dict.fromkeys(mine, 0.0), dict.fromkeys(mine, 0)
    began = time.perf_counter()
    started_at = house.database.clock.now()
    for _, go in started:
        go.touch()
    while any(process.returncode is None for process, _ in started):
        for one in mine:
            with suppress(psutil.Error):
                spent[one], peak[one] = _cpu(one), max(peak[one], one.memory_info().rss)
        await asyncio.sleep(0.05)
    for process, _ in started:
        await process.wait()
    recorded = time.perf_counter()
    drained = await _drain(server, ports)
    last, latencies = await _times(house, numbers)
    elapsed = (last - started_at).total_seconds() + max(0.0, drained - recorded)
    tries, by_kind = await _counts(house, numbers)
    return {
        "cases_per_s": round(cases / elapsed, 1),
        "seconds": round(elapsed, 2),
        "wall_seconds": round(drained - began, 2),
        "intake_per_s": round(cases / intake_s),
        "cpu_ms_per_case": {
            "dispatchers": round((sum(spent.values()) - spent_before) * 1000 / cases, 2),
            "prefect_server": round((_cpu(server) - before) * 1000 / cases, 2),
            "database": round((sum(map(_cpu, store)) - store_before) * 1000 / cases, 2),
        },
        "p50_s": round(latencies[len(latencies) // 2], 2),
        "p99_s": round(latencies[int(len(latencies) * 0.99)], 2),
        "peak_mb": round(max(peak.values()) / 1e6),
        "steps_per_case": {kind: round(count / cases, 1) for kind, count in sorted(by_kind.items())},
        "tries_per_case": round(tries / cases, 1),
        "closed": await _count_closed(house, numbers),
        "_numbers": numbers,
    }


async def _drain(server: psutil.Process, ports: Ports) -> float:
    """When Prefect had nothing left to record: no run open, and its server idle over a whole second."""
    async with httpx.AsyncClient(base_url=ports.prefect_url, trust_env=False) as client:
        while True:
            began, spent = time.perf_counter(), _cpu(server)
            await asyncio.sleep(1.0)
            running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}}
            open_runs = (await client.post("/flow_runs/count", json=running)).json()
            if open_runs == 0 and _cpu(server) - spent < _IDLE_SHARE:
                return began


async def _floor(house: House, numbers: Sequence[str]) -> dict[str, Any]:
    """The same signed bytes through httpx (over aiohttp's pool), answers read and thrown away, nothing stored."""
    async with house.database.read() as connection:
        targets = await open_targets(connection, house.keys)
    messages = await _messages(house, numbers)
    started, spent = time.perf_counter(), time.process_time()
    # As many connections as all departments together use: with fewer, one of them waits behind the others.
    places = httpx.Limits(max_connections=sum(target.concurrency for target in targets.values()))
    async with httpx.AsyncClient(transport=AiohttpTransport(limits=places), timeout=15.0) as client:
        await asyncio.gather(
            *(_send(client, targets[code], own, house.database.clock.now) for code, own in messages.items())
        )
    seconds, cpu = time.perf_counter() - started, time.process_time() - spent
    count = sum(map(len, messages.values()))
    return {
        "cases_per_s": round(len(numbers) / seconds, 1),
        "messages_per_s": round(count / seconds),
        "cpu_ms_per_case": round(cpu * 1000 / len(numbers), 2),
    }


async def _send(client: httpx.AsyncClient, target: Target, messages: list[Message], now: Any) -> None:
    async with aclosing(deliver(client, target, messages, now)) as results:
        async for result in results:
            assert result.status == 200, result


async def _messages(house: House, numbers: Sequence[str]) -> dict[str, list[Message]]:
    steps = table(Step)
    messages: dict[str, list[Message]] = {}
    async with house.database.read() as connection:
        rows = (await connection.execute(select(steps).where(steps.c.case_number.in_(numbers)))).all()
        people = await house.caseworker.applications.of_cases(connection, numbers)
    for row in rows:
        order = read_order(
            step_id=row.id, case_number=row.case_number, department=row.department, kind=row.kind,
            asked_at=row.created_at, answer_by=row.answer_by, content=row.content,
        )  # fmt: skip
        message = house.writer(row.pack).build(order, people[row.case_number].person_fields())
        messages.setdefault(row.department, []).append(message)
    return messages


async def _times(house: House, numbers: Sequence[str]) -> tuple[datetime, list[float]]:
    """The last confirmation of all (wire time), and each case's seconds from intake to its last confirmation."""
    steps, cases = table(Step), table(Case)
    query = (
        select(func.max(steps.c.settled_at), cases.c.received_at)
        .join_from(steps, cases)
        .where(steps.c.case_number.in_(numbers))
        .group_by(steps.c.case_number, cases.c.received_at)
    )
    async with house.database.read() as connection:
        settled = (await connection.execute(query)).all()
    latencies = sorted((last - received).total_seconds() for last, received in settled)
    return max(last for last, _ in settled) - house.database.clock.shift, latencies


async def _counts(house: House, numbers: Sequence[str]) -> tuple[int, dict[str, int]]:
    steps = table(Step)
    async with house.database.read() as connection:
        rows = await connection.execute(
            select(steps.c.kind, func.count(), func.sum(steps.c.attempts))
            .where(steps.c.case_number.in_(numbers))
            .group_by(steps.c.kind)
        )
        counted = [(StepKind(kind).value, count, tries) for kind, count, tries in rows]
    return sum(tries for _, _, tries in counted), {kind: count for kind, count, _ in counted}


async def _closed(house: House, numbers: Sequence[str]) -> bool:
    return await _count_closed(house, numbers) == len(numbers)


async def _count_closed(house: House, numbers: Sequence[str]) -> int:
    cases = table(Case)
    ended = cases.c.state.in_([CaseState.CLOSED, CaseState.REFUSED])
    async with house.database.read() as connection:
        query = select(func.count()).where(cases.c.number.in_(numbers), ended)
        return int((await connection.execute(query)).scalar_one())


def _process(running: Programs, name: str) -> psutil.Process:
    process = next(one.process for one in running.running if one.name == name)
    assert process is not None
    return psutil.Process(process.pid)


def _cpu(process: psutil.Process) -> float:
    """Processor seconds of a process and its children, ended ones (PostgreSQL has one a connection) as well."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        times = one.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


if __name__ == "__main__":
    main()
