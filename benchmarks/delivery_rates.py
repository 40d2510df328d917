"""Deliveries a second, single and batched, through our own delivery and through bare httpx, one after the other.

``python -m benchmarks.delivery_rates`` prints one JSON line, for entitlements of made-up people at every department.
The fault run measures the same on the messages of its own cases (``rates``). Each lane is measured several times, ours
and bare in turn, and the fastest of each counts: other work on the machine only ever slows them down.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from api.demo.people import synthetic_applications
from api.system.installation import connect_sandbox, prepare_database, sandbox_secrets
from api.system.programs import Program, Programs, free_port, programs
from api.system.whole import Ports, environment
from models import Step
from services.database import table
from services.endpoints import open_targets
from services.exchange.addresses import Guard
from services.exchange.client import connected, open_client
from services.exchange.delivery import Target, deliver
from services.exchange.messages import BATCH_CONTENT_TYPE, CONTENT_TYPE, Message, batch_body, batch_id
from services.exchange.orders import ENTITLEMENTS, Opening, PermitTerm, StepOrder, read_order, step_id
from services.exchange.signatures import signature_headers
from services.house import House, open_house
from services.settings import Settings

BATCH = 50
# httpx is fastest so; with more calls at once its pool takes longer than the calls.
_BARE_AT_ONCE = 8
_LANES = ("single", "batched")
_DAY = date(2014, 11, 10)


def main() -> None:
    """Measure in a house of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=6000)
    parser.add_argument("--times", type=int, default=3, help="how often each is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lianban-rates-") as folder:
        print(json.dumps(asyncio.run(_alone(Path(folder), options.messages, options.times))))


async def _alone(folder: Path, count: int, times: int) -> dict[str, Any]:
    settings = Settings(data_dir=folder, simulate=True, intranet=("127.0.0.1/32",), _env_file=None)
    await asyncio.to_thread(prepare_database, settings)
    async with (
        programs(environment(settings, Ports(free_port(), free_port(), free_port())), folder / "logs") as running,
        open_house(settings) as house,
    ):
        orders = _orders(house, count)
        sandbox_secrets(folder / "sandbox.json", sorted({order.department for order in orders}))
        targets = await _start(house, running, folder)
        writer, messages = house.writer(house.packs.packs[0].code), dict[str, list[Message]]()
        for order, (person, _) in zip(orders, synthetic_applications(count, 7, _DAY), strict=True):
            messages.setdefault(order.department, []).append(writer.build(order, person.person_fields()))
        return await measure(targets, messages, times)


def _orders(house: House, count: int) -> list[StepOrder]:
    """All that each department may ever open, department after department until there are ``count``."""
    services: dict[str, list[str]] = {}
    for code, service in house.packs.packs[0].services.items():
        if service.kind != "public":
            services.setdefault(service.owner_on(_DAY), []).append(code)
    permit = PermitTerm(1, _DAY, _DAY + timedelta(days=364))
    asked_at, departments = datetime.now(UTC), sorted(services)
    orders = []
    for place in range(count):
        department, number = departments[place % len(departments)], f"370303-2014-{place:06}"
        opens = tuple(Opening(one, permit.valid_from, permit.valid_until, (one,)) for one in services[department])
        identity = step_id(number, ENTITLEMENTS, department, 1)
        orders.append(StepOrder(identity, number, department, ENTITLEMENTS, asked_at, open=opens, permit=permit))
    return orders


async def rates(house: House, running: Programs, folder: Path, count: int) -> dict[str, Any]:
    """Deliveries a second to departments that verify every message and keep nothing."""
    steps = table(Step)
    targets = await _start(house, running, folder)
    async with house.database.read() as connection:
        query = select(steps).where(steps.c.department.in_(targets)).order_by(steps.c.id).limit(count)
        rows = (await connection.execute(query)).all()
        people = await house.caseworker.applications.of_cases(connection, {row.case_number for row in rows})
    messages: dict[str, list[Message]] = {}
    for row in rows:
        order = read_order(
            step_id=row.id, case_number=row.case_number, department=row.department, kind=row.kind,
            asked_at=row.created_at, answer_by=row.answer_by, content=row.content,
        )  # fmt: skip
        message = house.writer(row.pack).build(order, people[row.case_number].person_fields())
        messages.setdefault(row.department, []).append(message)
    return await measure(targets, messages)


async def _start(house: House, running: Programs, folder: Path) -> dict[str, Target]:
    """Start departments that keep nothing, and connect them."""
    port, secrets = free_port(), folder / "sandbox.json"
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "api.cli", "sandbox", "--port", str(port), "--no-records"]
    await running.start(Program("sandbox-rates", [*command, "--secrets", str(secrets)], f"{url}/healthz"))
    await connect_sandbox(house, url, json.loads(secrets.read_text(encoding="utf-8")))
    async with house.database.read() as connection:
        return await open_targets(connection, house.keys)


async def measure(
    targets: Mapping[str, Target], messages: Mapping[str, Sequence[Message]], times: int = 1
) -> dict[str, Any]:
    """Events a second: ``ours`` with verdicts, digests and outcomes read, through the address guard; ``bare`` httpx
    posting the same bodies, signed beforehand, with answers read and thrown away. Nothing is stored by either.
    """
    count = sum(map(len, messages.values()))
    result: dict[str, Any] = {"messages": count}
    for lane, size in zip(_LANES, (1, BATCH), strict=True):
        taken = [(await _ours(targets, messages, size), await _bare(targets, messages, size)) for _ in range(times)]
        ours, bare = (count / min(seconds) for seconds in zip(*taken, strict=True))
        result[lane] = {"ours_per_s": round(ours), "bare_httpx_per_s": round(bare), "times_bare": round(ours / bare, 1)}
    return result


async def _ours(targets: Mapping[str, Target], messages: Mapping[str, Sequence[Message]], size: int) -> float:
    pool, guard = open_client(), Guard.of(["127.0.0.1/32"])
    started = time.perf_counter()

    async def one(code: str) -> None:
        target = replace(targets[code], batch_size=size)
        client = connected(pool, guard)
        async with aclosing(deliver(client, target, messages[code], lambda: datetime.now(UTC))) as results:
            async for result in results:
                assert result.status in (200, 202), result

    await asyncio.gather(*(one(code) for code in messages))
    seconds = time.perf_counter() - started
    await pool.aclose()
    return seconds


async def _bare(targets: Mapping[str, Target], messages: Mapping[str, Sequence[Message]], size: int) -> float:
    posts = [
        _signed(targets[code], messages[code][start : start + size], size)
        for code in messages
        for start in range(0, len(messages[code]), size)
    ]
    work: Iterator[tuple[str, bytes, dict[str, str]]] = iter(posts)
    async with httpx.AsyncClient(timeout=15.0, trust_env=False) as http:

        async def pull() -> None:
            for url, body, headers in work:
                answer = await http.post(url, content=body, headers=headers)
                assert answer.is_success, answer.status_code

        started = time.perf_counter()
        await asyncio.gather(*(pull() for _ in range(_BARE_AT_ONCE)))
        return time.perf_counter() - started


def _signed(target: Target, group: Sequence[Message], size: int) -> tuple[str, bytes, dict[str, str]]:
    body = batch_body(group) if size > 1 else group[0].body
    key = batch_id(message.step_id for message in group) if size > 1 else group[0].step_id
    headers = signature_headers(key, body, target.secrets, datetime.now(UTC))
    return target.url, body, {**headers, "content-type": BATCH_CONTENT_TYPE if size > 1 else CONTENT_TYPE}


if __name__ == "__main__":
    main()
