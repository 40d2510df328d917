"""The measured points of the capacity model: what one case costs each program, and what 1, 2 and 4 workers do a second.

PostgreSQL, Redis, Prefect, workers, door and departments all run on this one machine; processor time is read from each
program between a fifth and nine tenths of a burst, when all of them are warm.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import func, select, text

from api.demo.people import synthetic_applications
from benchmarks.folders import working_folder
from models import Attempt, AuditEntry, Case, CaseState
from services.database import table
from services.house import House
from services.intake.application import Application
from services.intake.register import Registry
from services.operations.dispatchers import dispatchers_seen
from tests.testing.cluster import Cluster, cluster
from tests.testing.intake import clerks
from tests.testing.servers import FIRST_DAY

_CASES, _ATTEMPTS, _ENTRIES = table(Case), table(Attempt), table(AuditEntry)
_WORKERS = (1, 2, 4)
# Small, so that many of them make a steady stream.
_BATCH = 40
_BY_HTTP = 100


def measure(cases: int) -> dict[str, Any]:
    """Every point, from bursts of ``cases`` cases."""
    runs = []
    for workers in _WORKERS:
        with working_folder("capacity") as folder:
            runs.append(asyncio.run(_burst(folder, workers, cases)))
    first = runs[0]
    costs = {name: first[name] for name in ("door_ms", "dispatcher_ms", "postgres_ms", "prefect_ms", "others_ms",
                                            "look_ms", "bytes_a_case", "messages", "chain_ms")}  # fmt: skip
    points = [{name: run[name] for name in ("workers", "processors", "cases_per_s")} for run in runs]
    return {"costs": costs, "bytes_by_table": first["bytes_by_table"], "throughput": points}


async def _burst(folder: Path, workers: int, cases: int) -> dict[str, Any]:
    names = [f"machine-{number + 1}" for number in range(workers)]
    told = {"LIANBAN_BATCH_LIMIT": str(_BATCH), "LIANBAN_LEASE_SECONDS": "90"}
    async with cluster(folder, workers=names, doors=1, **told) as town:
        await town.start_sandbox()
        empty = await _sizes(town.house)
        people = _people(cases + _BY_HTTP)
        door_ms = await _door(town, people[:_BY_HTTP])
        await _all_closed(town, _BY_HTTP)
        registry = Registry(town.house.database, town.house.keys, town.house.packs)
        for start in range(0, cases, 500):
            await registry.register(people[_BY_HTTP:][start : start + 500], "bench")
        start_mark, end_mark = await _steady(town, names, cases)
        count, seconds = end_mark.closed - start_mark.closed, end_mark.at - start_mark.at
        each = {name: (end_mark.spent[name] - start_mark.spent[name]) * 1000 / count for name in start_mark.spent}
        ours = sum(each.values()) * count / 1000
        measured = {
            "workers": workers,
            "cases_per_s": round(count / seconds, 1),
            # What other programs on this machine left to ours.
            "processors": round((ours + end_mark.idle - start_mark.idle) / seconds, 2),
            "door_ms": door_ms,
            "dispatcher_ms": round(each["dispatchers"], 2),
            "postgres_ms": round(each["postgresql"], 2),
            "prefect_ms": round(each["prefect"], 2),
            "others_ms": round(each["departments"] + each["workers"] + each["redis"], 2),
        }
        return measured | await _stored(town.house, empty, cases + _BY_HTTP)


def _people(count: int) -> list[Application]:
    drawn = (one for one, _ in synthetic_applications(2 * count, 7, FIRST_DAY) if "other" not in one.grounds)
    return [one for one, _ in zip(drawn, range(count), strict=False)]


async def _door(town: Cluster, people: Sequence[Application]) -> float:
    process = town.program("api-1").process
    assert process is not None
    before = _spent([psutil.Process(process.pid)])
    handing = await clerks(town.house, town.apis)
    await handing.hand_in([one.model_dump(mode="json") for one in people], at_once=4)
    return round((_spent([psutil.Process(process.pid)]) - before) * 1000 / len(people), 2)


@dataclass(frozen=True, slots=True)
class _Mark:
    """One instant: how many cases were over, what each program had spent (seconds of processor), and for how long
    processors had been idle.
    """

    at: float
    closed: int
    spent: dict[str, float]
    idle: float


async def _steady(town: Cluster, names: Sequence[str], cases: int) -> tuple[_Mark, _Mark]:
    """Two instants of the burst: when all workers were at work (and a fifth was over), and at nine tenths. It is waited
    for to its end.
    """
    await _all_closed(town, _BY_HTTP + round(cases * 0.2))
    while await _at_work(town) < len(names) and await _closed(town) < _BY_HTTP + cases * 0.6:
        await asyncio.sleep(0.1)
    start = await _mark(town, names)
    await _all_closed(town, _BY_HTTP + round(cases * 0.9))
    end = await _mark(town, names)
    await _all_closed(town, _BY_HTTP + cases)
    return start, end


async def _mark(town: Cluster, names: Sequence[str]) -> _Mark:
    closed = await _closed(town)
    return _Mark(time.perf_counter(), closed, _programs(town, names), psutil.cpu_times().idle)


async def _at_work(town: Cluster) -> int:
    """How many dispatchers have handled cases and are still there."""
    async with town.house.database.read() as connection:
        seen = await dispatchers_seen(connection, town.house.database.clock.now())
    return sum(one.at_work and one.cases > 0 for one in seen)


async def _closed(town: Cluster) -> int:
    over = _CASES.c.state.in_((CaseState.CLOSED, CaseState.REFUSED))
    async with town.house.database.read() as connection:
        query = select(func.count()).select_from(_CASES).where(over)
        return int((await connection.execute(query)).scalar_one())


async def _all_closed(town: Cluster, count: int) -> None:
    while await _closed(town) < count:
        await asyncio.sleep(0.1)


def _programs(town: Cluster, names: Sequence[str]) -> dict[str, float]:
    """Processor seconds by program."""
    postmaster = psutil.Process(int((town.postgres.folder / "data" / "postmaster.pid").read_text().split()[0]))
    return {
        "dispatchers": sum(_spent([one]) for name in names for one in town.started_by(name)),
        "postgresql": _spent([postmaster, *postmaster.children(recursive=True)]),
        "prefect": _spent(_own(town, "prefect-server")),
        "departments": _spent(_own(town, "sandbox")),
        "workers": sum(_spent(_own(town, name)[:1]) for name in names),
        "redis": _spent([one for one in psutil.Process().children() if one.name().startswith("valkey")]),
    }


def _own(town: Cluster, name: str) -> list[psutil.Process]:
    process = town.program(name).process
    assert process is not None
    return [psutil.Process(process.pid), *town.started_by(name)]


def _spent(processes: Sequence[psutil.Process]) -> float:
    total = 0.0
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            # Also those that it started and that have ended: PostgreSQL ends a process with each connection.
            total += times.user + times.system
    return total


async def _sizes(house: House) -> dict[str, int]:
    """Bytes of every table with all that belongs to it."""
    query = (
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC"
    )
    async with house.database.read() as connection:
        return {name: int(size) for name, size in await connection.execute(text(query))}


async def _stored(house: House, empty: dict[str, int], cases: int) -> dict[str, Any]:
    """Bytes by table and case, messages and entries a case, for how long a case holds the end of the audit chain, and
    what a look at a case costs this process.
    """
    grown = {name: round((size - empty[name]) / cases) for name, size in (await _sizes(house)).items()}
    by_table = {name: size for name, size in grown.items() if size > 0}
    async with house.database.read() as connection:
        entries = (await connection.execute(select(func.count()).select_from(_ENTRIES))).scalar_one()
        messages = (await connection.execute(select(func.count()).select_from(_ATTEMPTS))).scalar_one()
    started, many = time.perf_counter(), 2_000
    async with house.database.write("bench") as transaction:
        for number in range(many):
            transaction.note("case.moved", f"370303-2014-{number:06d}", to="closed")
    a_note = (time.perf_counter() - started) * 1000 / many
    spent = time.process_time()
    looked = await _look(house)
    return {
        "bytes_a_case": sum(by_table.values()),
        "bytes_by_table": by_table,
        "messages": round(messages / cases, 1),
        "chain_ms": round(a_note * entries / cases, 3),
        "look_ms": round((time.process_time() - spent) * 1000 / max(1, looked), 2),
    }


async def _look(house: House) -> int:
    """Look at cases at which there is nothing to do, as reconcile does; how many."""
    from services.casework.advance import advance  # noqa: PLC0415 - heavy, and wanted here alone

    async with house.database.read() as connection:
        numbers = (await connection.execute(select(_CASES.c.number).limit(200))).scalars().all()
    await advance(house.database, house.caseworker, numbers, "bench")
    return len(numbers)
