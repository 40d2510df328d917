"""Deliveries a second, single and batched, through our own delivery and through bare httpx, one after the other."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from api.system.installation import connect_sandbox
from api.system.programs import Program, Programs, free_port
from models import Step
from services.database import table
from services.endpoints import open_targets
from services.exchange.addresses import Guard
from services.exchange.client import connected, open_client
from services.exchange.delivery import Target, deliver
from services.exchange.messages import BATCH_CONTENT_TYPE, CONTENT_TYPE, Message, batch_body, batch_id
from services.exchange.orders import read_order
from services.exchange.signatures import signature_headers
from services.house import House

BATCH = 50
# httpx is fastest so; with more calls at once its pool takes longer than the calls.
_BARE_AT_ONCE = 8
_LANES = ("single", "batched")


async def rates(house: House, running: Programs, folder: Path, count: int) -> dict[str, Any]:
    """Deliveries a second to departments that verify every message and keep nothing."""
    port, steps = free_port(), table(Step)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "api.cli", "sandbox", "--port", str(port), "--no-records"]
    await running.start(
        Program("sandbox-rates", [*command, "--secrets", str(folder / "sandbox.json")], f"{url}/healthz")
    )
    await connect_sandbox(house, url, json.loads((folder / "sandbox.json").read_text(encoding="utf-8")))
    async with house.database.read() as connection:
        targets = await open_targets(connection, house.keys)
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


async def measure(targets: Mapping[str, Target], messages: Mapping[str, Sequence[Message]]) -> dict[str, Any]:
    """Events a second: ``ours`` with verdicts, digests and outcomes read, through the address guard; ``bare`` httpx
    posting the same bodies, signed beforehand, with answers read and thrown away. Nothing is stored by either.
    """
    count = sum(map(len, messages.values()))
    result: dict[str, Any] = {"messages": count}
    for lane, size in zip(_LANES, (1, BATCH), strict=True):
        ours = count / await _ours(targets, messages, size)
        bare = count / await _bare(targets, messages, size)
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
