"""The case on Restate: a handler a case, a durable action a call; its server beside it, from the npm package.

The server's binary is taken from ``RESTATE_SERVER``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import aiohttp
import restate
from restate import Context, Service

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

URL = os.environ.get("DEPARTMENTS_URL", "")
permits = Service("Permits")


@permits.handler()
async def handle(ctx: Context, case: str) -> str:
    """The whole case."""
    asked = [ctx.run_typed(code, call, url=URL, body=verification(case, code)) for code in VERIFIERS]
    verified = await restate.gather(*asked)
    answers = [await one for one in verified]
    await ctx.run_typed("permit", decide, case=case, verified=answers)
    sent = [ctx.run_typed(str(place), call, url=URL, body=message(case, place)) for place in range(MESSAGES)]
    await restate.gather(*sent)
    return "complete"


app = restate.app([permits])


def _start(folder: Path, port: int, url: str) -> list[subprocess.Popen[bytes]]:
    configuration = folder / "restate.toml"
    configuration.write_text(
        f'base-dir = "{folder}/data"\nadvertised-address = "http://127.0.0.1:{port + 3}/"\n'
        f'bind-address = "127.0.0.1:{port + 3}"\ndisable-telemetry = true\ndefault-num-partitions = 4\n'
        f'[ingress]\nbind-address = "127.0.0.1:{port}"\n[admin]\nbind-address = "127.0.0.1:{port + 1}"\n'
    )
    server = [os.environ["RESTATE_SERVER"], "--config-file", str(configuration), "--no-logo"]
    # Two workers of Python, as on two cores its user would.
    module = "benchmarks.peers.on_restate:app"
    serve = [sys.executable, "-m", "hypercorn", "-w", "2", "-b", f"127.0.0.1:{port + 2}", module]
    log = (folder / "log").open("wb")
    environment = {**os.environ, "DEPARTMENTS_URL": url, "RUST_LOG": "error"}
    return [subprocess.Popen(one, stdout=log, stderr=log, env=environment) for one in (server, serve)]  # noqa: S603


async def _register(port: int) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(120):
            try:
                body = {"uri": f"http://127.0.0.1:{port + 2}"}
                async with session.post(f"http://127.0.0.1:{port + 1}/deployments", json=body) as response:
                    if response.status < 300:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.5)
    raise SystemExit("Restate did not start")


async def run() -> None:
    """Start the server and the handlers, run and report."""
    told = options("Restate")
    folder = Path(tempfile.mkdtemp(prefix="peers-restate-"))
    started = _start(folder, told.port, told.url)
    try:
        await _register(told.port)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256)) as session:

            async def one(case: str) -> None:
                async with session.post(f"http://127.0.0.1:{told.port}/Permits/handle", json=case) as response:
                    response.raise_for_status()
                    await response.read()

            report(await run_all(told, one))
        await close()
    finally:
        for process in started:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(run())
