"""The programs that make up a running system, started together and stopped together.

Each runs in a process group of its own with its output in a log file, so that Ctrl-C reaches us first and everything
is stopped in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.errors import UnavailableError

_STOP_SECONDS = 12.0
# So many ends of one program within so many seconds are no accident.
_MOST_ENDS = 5
_WINDOW_SECONDS = 120.0


@dataclass(slots=True)
class Program:
    """One program: what to run, and the URL that answers once it is ready (None: ready at once)."""

    name: str
    arguments: Sequence[str]
    ready_url: str | None = None
    process: asyncio.subprocess.Process | None = field(default=None, init=False)


class Programs:
    """Programs with a common environment and log folder."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self.environment = {**os.environ, **environment}
        self.logs = logs
        self.running: list[Program] = []

    async def start(self, program: Program, *, within: float = 90.0) -> None:
        """Start ``program`` and wait until it answers; UnavailableError names its log if it does not."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{program.name}.log").open("ab") as log:
            program.process = await asyncio.create_subprocess_exec(
                *program.arguments,
                env=self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(program)
        if program.ready_url is not None:
            await self._wait(program, program.ready_url, within)

    async def run(self, name: str, arguments: Sequence[str]) -> None:
        """Run a program to its end; UnavailableError if it fails."""
        program = Program(name, arguments)
        await self.start(program)
        assert program.process is not None  # noqa: S101 - just started
        code = await program.process.wait()
        self.running.remove(program)
        if code != 0:
            raise self._trouble(program, f"ended with status {code}")

    async def stop(self) -> None:
        """Ask every program to end, the last started first, and end those that do not."""
        for program in reversed(self.running):
            await _stop(program)
        self.running.clear()

    async def ended(self) -> Program:
        """Wait until any program ends by itself."""
        waits = {asyncio.create_task(p.process.wait()): p for p in self.running if p.process is not None}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return waits[done.pop()]
        finally:
            for wait in waits:
                wait.cancel()

    async def keep(self, tell: Callable[[str], None]) -> None:
        """Start again, for ever, whatever ends by itself. UnavailableError if one does so again and again."""
        ends: dict[str, list[float]] = {}
        clock = asyncio.get_running_loop().time
        while True:
            program = await self.ended()
            self.running.remove(program)
            await _stop(program)
            lately = [at for at in ends.get(program.name, ()) if clock() - at < _WINDOW_SECONDS]
            if len(lately) >= _MOST_ENDS:
                raise self._trouble(program, "ends again and again")
            ends[program.name] = [*lately, clock()]
            tell(program.name)
            await asyncio.sleep(2.0 ** len(lately) - 1.0)
            await self.start(program)

    async def _wait(self, program: Program, url: str, within: float) -> None:
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    while program.process is not None and program.process.returncode is None:
                        with contextlib.suppress(httpx.HTTPError):
                            if (await client.get(url)).is_success:
                                return
                        await asyncio.sleep(0.2)
        raise self._trouble(program, "did not become ready")

    def _trouble(self, program: Program, what: str) -> UnavailableError:
        return UnavailableError(f"{what}; see {self.logs / program.name}.log", place=program.name)


async def _stop(program: Program) -> None:
    process = program.process
    if process is None:
        return
    if process.returncode is not None:
        # What it started itself may have outlived it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        return
    for word in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, word)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            break
    # Whatever it started itself and left behind goes with it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@asynccontextmanager
async def programs(environment: Mapping[str, str], logs: Path) -> AsyncIterator[Programs]:
    """Programs that are stopped when the block ends, however it ends: SIGTERM ends it like Ctrl-C."""
    started = Programs(environment, logs)
    here = asyncio.current_task()
    if here is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, here.cancel)
    try:
        yield started
    finally:
        await asyncio.shield(started.stop())


def free_port() -> int:
    """A port on this machine that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
