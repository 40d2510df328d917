"""Overload: applications at ten times what one process of the HTTP door can take, while others read.

``python -m benchmarks.overload`` prints one JSON line, and ends with status 1 unless all of this is so: every answer is
a case, or 429 with ``Retry-After``; nothing else and no time-out; the process stays within its memory; reading stays
quick; what was acknowledged stands; and a few seconds later it is as it was before.

The door is a process of its own, on SQLite or on the PostgreSQL named by ``--database``. The rush comes from another
one, at a steady pace whether or not answers come.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from sqlalchemy import func, select

from api.demo.people import synthetic_applications
from api.system.installation import prepare_database
from api.system.programs import free_port, programs
from api.system.whole import Ports, environment, start_api
from benchmarks.folders import working_folder
from models import Case
from services.audit import verify_chain
from services.database import table
from services.house import House, open_house
from services.settings import Settings
from services.simulation import move_clock
from tests.testing.intake import clerks

_DAY = date(2014, 11, 10)
_MEASURED_SECONDS = 6.0
_CASES = table(Case)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=float, default=10.0, help="the rush, in times of what can be taken")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database; SQLite if left out")
    options = parser.parse_args()
    with working_folder("rush") as folder:
        result = asyncio.run(_measure(folder, options))
    print(json.dumps(result))
    raise SystemExit(0 if result["as_it_must_be"] else 1)


async def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    ports = Ports(free_port(), free_port(), free_port())
    settings = Settings(
        data_dir=folder, database_url=options.database, simulate=True, public_url=ports.api_url,
        prefect_api_url=ports.prefect_url, _env_file=None,
    )  # fmt: skip
    await asyncio.to_thread(prepare_database, settings)
    told = environment(settings, ports) | {"LIANBAN_CALLER_PER_SECOND": "1000000"}
    async with programs(told, folder / "logs") as running, open_house(settings) as house:
        await move_clock(house.database, settings, _DAY)
        await start_api(running, ports)
        (program,) = running.running
        assert program.process is not None
        door = psutil.Process(program.process.pid)
        rush = await _Rush.prepared(house, ports.api_url)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            rush.http = http
            capacity = await rush.at_most(4, _MEASURED_SECONDS)
            quiet = await rush.reads(3.0)
            before = door.memory_info().rss
            watch = asyncio.create_task(_peak(door, options.seconds))
            reading = asyncio.create_task(rush.reads(options.seconds))
            offered = await rush.at_pace(capacity * options.times, options.seconds)
            peak, under = await watch, await reading
            after = await rush.at_most(4, _MEASURED_SECONDS)
            calm = await rush.reads(3.0)
            settled = door.memory_info().rss
        async with house.database.read() as connection:
            stand = (await connection.execute(select(func.count()).select_from(_CASES))).scalar_one()
            chain = await verify_chain(connection)
    kept = rush.numbers
    only = set(rush.answers) <= {201, 200, 429}
    good = only and len(kept) == stand and chain.broken_at is None and peak - before < 200e6 and under["p99_ms"] < 2_000
    return {
        "as_it_must_be": good,
        "database": settings.dsn.split(":", 1)[0],
        "taken_a_second": capacity,
        "offered_a_second": offered,
        "answers": {str(status): count for status, count in sorted(rush.answers.items())},
        "without_retry_after": rush.without,
        "lost": len(kept) - stand,
        "memory_mb": {"before": round(before / 1e6), "peak": round(peak / 1e6), "after": round(settled / 1e6)},
        "reads_ms": {"quiet": quiet, "under": under, "after": calm},
        "taken_a_second_afterwards": after,
    }


class _Rush:
    """Callers of one door: what they were answered, and the cases that were acknowledged."""

    http: aiohttp.ClientSession

    def __init__(self, door: str, headers: dict[str, str], bodies: list[bytes]) -> None:
        self.door, self.headers, self.bodies = door, headers, bodies
        self.answers: Counter[int] = Counter()
        self.numbers: set[str] = set()
        self.without = 0

    @classmethod
    async def prepared(cls, house: House, door: str) -> _Rush:
        """With bodies made before, so that the rush itself costs little."""
        handing = await clerks(house, [door])
        people = [one.model_dump_json().encode() for one, _ in synthetic_applications(6_000, 5, date(2014, 11, 3))]
        return cls(door, handing.headers | {"content-type": "application/json"}, people)

    async def at_most(self, at_once: int, seconds: float) -> float:
        """So many callers, each waiting for its answer: applications taken a second."""
        started, before = time.perf_counter(), len(self.numbers)

        async def caller() -> None:
            while time.perf_counter() < started + seconds:
                await self._hand_in()

        await asyncio.gather(*(caller() for _ in range(at_once)))
        return round((len(self.numbers) - before) / (time.perf_counter() - started), 1)

    async def at_pace(self, rate: float, seconds: float) -> float:
        """``rate`` applications a second, whatever is answered; how many a second there were in truth."""
        started, sent = time.perf_counter(), 0
        tasks: set[asyncio.Task[None]] = set()
        while (now := time.perf_counter()) < started + seconds:
            for _ in range(int((now - started) * rate) - sent):
                sent += 1
                task = asyncio.create_task(self._hand_in())
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            await asyncio.sleep(0.005)
        took = time.perf_counter() - started
        await asyncio.gather(*tuple(tasks))
        return round(sent / took, 1)

    async def _hand_in(self) -> None:
        body = self.bodies.pop() if self.bodies else b"{}"
        try:
            answer = await self.http.post(f"{self.door}/api/v1/applications", data=body, headers=self.headers)
            told = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError):
            self.answers[0] += 1
            return
        self.answers[answer.status] += 1
        if answer.status in (200, 201):
            self.numbers.add(told["number"])
        else:
            self.bodies.insert(0, body)
            self.without += answer.status == 429 and "retry-after" not in answer.headers

    async def reads(self, seconds: float) -> dict[str, float]:
        """A page of the list ten times a second: how long it took."""
        took: list[float] = []
        until = time.perf_counter() + seconds
        while (began := time.perf_counter()) < until:
            answer = await self.http.get(f"{self.door}/api/v1/cases?limit=20", headers=self.headers)
            await answer.read()
            assert answer.status == 200, answer.status
            took.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(max(0.0, 0.1 - (time.perf_counter() - began)))
        took.sort()
        return {"p50_ms": round(took[len(took) // 2], 1), "p99_ms": round(took[int(len(took) * 0.99)], 1)}


async def _peak(process: psutil.Process, seconds: float) -> int:
    """The most memory a process held."""
    most, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        most = max(most, process.memory_info().rss)
        await asyncio.sleep(0.1)
    return most


if __name__ == "__main__":
    sys.exit(main())
