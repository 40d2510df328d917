"""One permit case on Lianban and on other engines, one after the other, before the same departments.

    make bench-peers
    python -m benchmarks.peers [--cases 200] [--in-flight 50] [--only dbos,restate] [--within 240]

The engines are installed into ``.peers`` (the dependency group ``peers``, and Restate's server from npm); nothing is
sent to any address but the loopback. An engine that cannot be had or does not end ``within`` so many seconds is named
with its reason. Prints a table, and its rows as one JSON line.

Processor time is all that an engine needs: its servers, its workers, its database; not the departments. Lianban's own
cases are those of ``main_job``: 18.6 signed messages and some 40 services a case, each decided, kept and explained.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from api.system.programs import free_port
from benchmarks.durable_postgres import DurablePostgres

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".peers"
_ENGINES = {
    "restate": ("Restate", "on_restate", 1.0),
    "celery": ("Celery + Redis", "on_celery", 0.5),
    "dbos": ("DBOS, PostgreSQL", "on_dbos", 0.5),
    "prefect": ("Prefect, a task a call", "on_prefect", 0.1),
    "floor": ("no engine, aiohttp, nothing stored", "on_floor", 5.0),
    "floor_httpx": ("no engine, httpx, nothing stored", "on_floor_httpx", 0.5),
}
_LIANBAN = {
    "lianban-sqlite": ("Lianban, SQLite, one message a call", "single", False, 1),
    "lianban-sqlite-batched": ("Lianban, SQLite, batches of 50", "batched", False, 1),
    "lianban": ("Lianban, PostgreSQL, one message a call", "single", True, 2),
    "lianban-batched": ("Lianban, PostgreSQL, batches of 50", "batched", True, 2),
}


@dataclass(slots=True)
class Row:
    """One engine's figures, or why there are none."""

    engine: str
    found: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None


def main() -> None:
    """Measure one after the other and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200, help="for the middling engines; others get more or fewer")
    parser.add_argument("--in-flight", type=int, default=50)
    parser.add_argument("--only", default="", help="names by commas")
    parser.add_argument("--within", type=float, default=240.0, help="seconds for one engine")
    told = parser.parse_args()
    wanted = told.only.split(",") if told.only else [*_LIANBAN, *_ENGINES]
    python = _install() if set(wanted) & _ENGINES.keys() else Path(sys.executable)
    rows: list[Row] = []
    for name in wanted:
        print(f"… {name}", file=sys.stderr)
        rows.append(_lianban(name, told) if name in _LIANBAN else asyncio.run(_engine(name, python, told)))
        print(f"  {rows[-1].problem or rows[-1].found}", file=sys.stderr)
    _print(rows)


def _install() -> Path:
    """The engines, in an environment of their own."""
    python = PLACE / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PLACE / "venv"], check=True)  # noqa: S603
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True)  # noqa: S603
        subprocess.run([*pip, "--group", "peers", "-e", "."], check=True, cwd=ROOT)  # noqa: S603
    if not _restate().exists() and (npm := shutil.which("npm")):
        npm_install = [
            npm,
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            PLACE,
            "@restatedev/restate-server",
        ]
        subprocess.run(npm_install, check=False)  # noqa: S603
    return python


def _restate() -> Path:
    found = sorted(PLACE.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    return found[0] if found else PLACE / "no-restate-server"


async def _engine(name: str, python: Path, told: argparse.Namespace) -> Row:
    title, module, share = _ENGINES[name]
    cases = max(10, round(told.cases * share))
    if name == "restate" and not _restate().exists():
        return Row(title, problem="its server could not be installed from npm")
    departments = free_port()
    url = f"http://127.0.0.1:{departments}"
    played = subprocess.Popen(  # noqa: S603, ASYNC220
        [sys.executable, "-m", "benchmarks.peers.departments", "--port", str(departments)], cwd=ROOT
    )
    with DurablePostgres() if name == "dbos" else _Nothing() as postgres:
        port = _ports()
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DEPARTMENTS_URL": url,
            "PEERS_REDIS": f"redis://127.0.0.1:{port}/0",
            "RESTATE_SERVER": str(_restate()),
        }
        command = [python, "-m", f"benchmarks.peers.{module}", "--url", url, "--cases", cases, "--port", port]
        command += ["--in-flight", told.in_flight, "--database", postgres.plain_dsn]
        try:
            return await _watched(title, [str(one) for one in command], environment, postgres.processes(), told.within)
        finally:
            played.terminate()
            played.wait()


async def _watched(
    title: str, command: list[str], environment: dict[str, str], servers: list[psutil.Process], within: float
) -> Row:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    mine, before = [psutil.Process(process.pid), *servers], 0.0
    try:
        async with asyncio.timeout(within):
            async for line in process.stdout:
                if line.strip() == b"WARM":
                    before = _spent(mine)
                elif line.startswith(b"{"):
                    found = json.loads(line)
                    found["cpu_ms_per_case"] = round((_spent(mine) - before) * 1000 / found["cases"], 1)
                    process.stdin.write(b"\n")
                    return Row(title, found)
        return Row(title, problem=f"ended with {await process.wait()} before it had done its cases")
    except TimeoutError:
        return Row(title, problem=f"not done within {within:.0f} s")
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let it end by itself for a while, then end it and all it started."""
    try:
        await asyncio.wait_for(process.wait(), 20)
    except TimeoutError:
        for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            one.kill()
        await process.wait()


def _lianban(name: str, told: argparse.Namespace) -> Row:
    title, mode, on_postgres, dispatchers = _LIANBAN[name]
    with DurablePostgres() if on_postgres else _Nothing() as postgres:
        command = [sys.executable, "-m", "benchmarks.main_job", "--only", mode, "--cases", str(told.cases * 5)]
        command += ["--dispatchers", str(dispatchers), "--database", postgres.dsn]
        if on_postgres:
            command += ["--postgres", str(postgres.pid)]
        try:
            done = subprocess.run(  # noqa: S603
                command, cwd=ROOT, capture_output=True, text=True, timeout=told.within * 2, check=False
            )
        except subprocess.TimeoutExpired:
            return Row(title, problem=f"not done within {told.within * 2:.0f} s")
    if done.returncode:
        return Row(title, problem=done.stderr.strip().splitlines()[-1][:120])
    found = json.loads(done.stdout)[mode]
    return Row(
        title,
        {
            "cases": told.cases * 5,
            "cases_per_s": found["cases_per_s"],
            "cpu_ms_per_case": round(sum(found["cpu_ms_per_case"].values()), 1),
            "p50_s": found["p50_s"],
            "p99_s": found["p99_s"],
            "alone_ms": found["alone_ms"],
        },
    )


class _Nothing:
    """No PostgreSQL, for engines that need none."""

    dsn = plain_dsn = ""
    pid = 0

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *failure: object) -> None:
        """Nothing to stop."""

    def processes(self) -> list[psutil.Process]:
        """None."""
        return []


def _ports() -> int:
    """The first of five ports that are free in a row."""
    while True:
        first = free_port()
        taken = {one.laddr.port for one in psutil.net_connections("tcp") if one.laddr}
        if first < 60_000 and not taken & set(range(first, first + 5)):
            return first


def _spent(processes: Iterable[psutil.Process]) -> float:
    """Processor seconds of these and all that they started, ended children included."""
    total = 0.0
    for root in processes:
        for one in [root, *root.children(recursive=True)]:
            try:
                times = one.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _print(rows: list[Row]) -> None:
    print(f"\n{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| engine | cases/s | processor, ms a case | p50 / p99 |\n|---|---|---|---|")
    for row in rows:
        if row.problem:
            print(f"| {row.engine} | {row.problem} | | |")
        else:
            one = row.found
            times = f"{one['p50_s']} / {one['p99_s']} s"
            print(f"| {row.engine} | {one['cases_per_s']} | {one['cpu_ms_per_case']} | {times} |")
    print()
    print(json.dumps([{"engine": row.engine, "problem": row.problem, **row.found} for row in rows]))


if __name__ == "__main__":
    main()
