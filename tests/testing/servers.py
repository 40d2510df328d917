"""Real servers for tests of the whole: a Prefect server, and an installation with its sandbox departments."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from api.system.installation import asked_departments, connect_sandbox, sandbox_secrets
from api.system.programs import Programs, free_port, programs
from api.system.whole import Ports, Sandbox, environment, start_sandbox
from services.house import House, open_house
from services.intake.application import Application
from services.intake.register import Registry
from services.settings import Settings
from services.simulation import move_clock

FIRST_DAY = date(2014, 11, 3)
_START_SECONDS = 120.0
# Runs flows one after the other in a process of its own, as a worker does, and prints what each returned.
_RUNNER = """
import asyncio, json, sys
from flows.deliver_due import deliver_due
from flows.dispatch import dispatch
from flows.issue_permits import issue_permits
from flows.reconcile import reconcile
async def work():
    print(json.dumps([await eval(call) for call in sys.argv[1:]]))
print("ready", flush=True)
asyncio.run(work())
"""


class PrefectServer:
    """A Prefect server in a process of its own; its database and logs in ``folder``."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = Ports(0, self.port, 0)
        told = environment(Settings(data_dir=self.folder, _env_file=None), ports)
        # Else the schedules of a deployment made in a test become runs only after a minute.
        told |= {"PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2"}
        serve = [sys.executable, "-m", "prefect", "--no-prompt", "server", "start", "--host", "127.0.0.1"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [*serve, "--port", str(self.port)], env=os.environ | told, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health", timeout=2.0, trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise RuntimeError((self.folder / "server.log").read_text(errors="replace")[-2000:])

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def ask(self, path: str, **body: Any) -> Any:
        """POST to its API; the answer's JSON."""
        answer = httpx.post(f"{self.url}{path}", json=body, timeout=20.0, trust_env=False)
        answer.raise_for_status()
        return answer.json()


class _Shared:
    """One server for all who ask for it in one process, stopped when the last of them is done."""

    def __init__(self) -> None:
        self.users, self.server = 0, None

    @contextmanager
    def use(self, folder: Path) -> Iterator[PrefectServer]:
        if self.server is None:
            self.server = PrefectServer(folder)
            self.server.start()
        self.users += 1
        try:
            yield self.server
        finally:
            self.users -= 1
            if self.users == 0:
                self.server.stop()
                self.server = None

    server: PrefectServer | None


shared_server = _Shared()


class Installation:
    """An installation in a folder: its house in this process, its programs in theirs."""

    def __init__(self, house: House, running: Programs, ports: Ports) -> None:
        self.house, self.running, self.ports = house, running, ports
        self.folder = house.settings.data_dir

    async def start_sandbox(self, people: Path | None = None, faults: Sequence[str] = ()) -> None:
        """Start the departments and connect them; what they remember stands in a file."""
        secrets = sandbox_secrets(self.folder / "sandbox.json", asked_departments(self.house.packs.packs[0], FIRST_DAY))
        sandbox = Sandbox(people, self.folder / "sandbox.json", self.folder / "sandbox.db", tuple(faults))
        await start_sandbox(self.running, self.ports, sandbox)
        await connect_sandbox(self.house, self.ports.sandbox_url, secrets)

    async def receive(self, *applications: Application) -> list[str]:
        """Register applications; their case numbers."""
        registry = Registry(self.house.database, self.house.keys, self.house.packs)
        return [answer.number or "" for answer in await registry.register(applications, "clerk:test")]

    async def audit(self) -> dict[str, Any]:
        """What the departments say of themselves."""
        async with httpx.AsyncClient(trust_env=False) as client:
            audit: dict[str, Any] = (await client.get(f"{self.ports.sandbox_url}/audit")).json()
        return audit

    async def start_flows(self, *calls: str, **settings: str) -> asyncio.subprocess.Process:
        """Start flows in a process of their own; it says "ready" on a line when it begins on them."""
        with (self.folder / "flows.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _RUNNER, *calls,
                env=self.running.environment | settings, stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n", self.log()
        return process

    async def run_flows(self, *calls: str, **settings: str) -> list[Any]:
        """Run flows to their end; what each returned."""
        process = await self.start_flows(*calls, **settings)
        told, _ = await process.communicate()
        assert process.returncode == 0, self.log()
        returned: list[Any] = json.loads(told)
        return returned

    async def run_program(self, name: str, *arguments: str) -> None:
        """Run a program of the system to its end; it must succeed."""
        await self.running.run(name, [sys.executable, *arguments])

    def log(self) -> str:
        """The end of what the flows wrote."""
        return (self.folder / "flows.log").read_text(errors="replace")[-3000:]


@asynccontextmanager
async def installation(folder: Path, prefect: PrefectServer, day: date = FIRST_DAY) -> AsyncIterator[Installation]:
    """A simulated installation on SQLite, on ``day``, that coordinates by ``prefect``; its programs end with it."""
    ports = Ports(free_port(), prefect.port, free_port())
    settings = Settings(
        data_dir=folder, database_url="", prefect_api_url=prefect.url, public_url=ports.api_url, simulate=True,
        intranet=("127.0.0.0/8",), _env_file=None,
    )  # fmt: skip
    _ = settings.keys
    await asyncio.to_thread(_upgrade, settings.dsn)
    told = environment(settings, ports) | {"LIANBAN_LEASE_SECONDS": "3", "PREFECT_HOME": str(prefect.folder / "client")}
    async with programs(told, folder / "logs") as running, open_house(settings) as house:
        await move_clock(house.database, settings, day)
        yield Installation(house, running, ports)


def _upgrade(dsn: str) -> None:
    from services.migration import upgrade  # noqa: PLC0415 - alembic runs a loop of its own in its thread

    upgrade(dsn)
