"""The case on plain Prefect: a flow a case, a task a call; its own server, on SQLite."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any

import httpx

from benchmarks.peers.case import (
    MESSAGES,
    VERIFIERS,
    call,
    close,
    decide,
    message,
    options,
    report,
    run_all,
    verification,
)


async def run() -> None:
    """Start the server, run, wait until it has recorded everything, and report."""
    told = options("Prefect")
    folder = tempfile.mkdtemp(prefix="peers-prefect-")
    os.environ |= {
        "PREFECT_HOME": folder,
        "PREFECT_API_URL": f"http://127.0.0.1:{told.port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(told.port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603, ASYNC220
    try:
        await _ready(told.port)
        # Imported only now: the settings above are read once.
        from prefect import flow, task  # noqa: PLC0415

        @task(persist_result=True)
        async def send(body: dict[str, Any]) -> bool:
            return await call(told.url, body)

        @task(persist_result=True)
        async def write_permit(case: str, verified: list[bool]) -> dict[str, Any]:
            return decide(case, verified)

        @flow
        async def permit(case: str) -> None:
            verified = await asyncio.gather(*(send(verification(case, code)) for code in VERIFIERS))
            await write_permit(case, list(verified))
            await asyncio.gather(*(send(message(case, place)) for place in range(MESSAGES)))

        report(await run_all(told, permit))
        await close()
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def _ready(port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(240):
            try:
                if (await client.get(f"http://127.0.0.1:{port}/api/health")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.5)
    raise SystemExit("Prefect did not start")


if __name__ == "__main__":
    asyncio.run(run())
