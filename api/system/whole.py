"""The whole system on one machine: Prefect server, worker, HTTP door, and the sandbox departments on a rehearsal."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from api.system.deploying import POOL, PREFECT, ROOT, deploy
from api.system.programs import Program, Programs
from services.settings import Settings

__all__ = [
    "LOOPBACK",
    "ROOT",
    "Ports",
    "Sandbox",
    "environment",
    "prefect_server",
    "start_api",
    "start_prefect",
    "start_prefect_server",
    "start_sandbox",
    "start_worker",
]

LOOPBACK = "127.0.0.1"
_PREFECT_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each program listens on the loopback address."""

    api: int
    prefect: int
    sandbox: int

    @property
    def api_url(self) -> str:
        """The HTTP door, and where departments call back."""
        return f"http://127.0.0.1:{self.api}"

    @property
    def prefect_url(self) -> str:
        """Prefect's HTTP API."""
        return f"http://127.0.0.1:{self.prefect}/api"

    @property
    def sandbox_url(self) -> str:
        """The sandbox departments."""
        return f"http://127.0.0.1:{self.sandbox}"


def environment(settings: Settings, ports: Ports, *, sandbox: bool = True) -> dict[str, str]:
    """What every program is told: where the installation is, and that Prefect sends nothing anywhere.

    ``sandbox``: departments are played on this machine, so its own address counts as the intranet.
    """
    return {
        "LIANBAN_DATA_DIR": str(settings.data_dir.resolve()),
        "LIANBAN_DATABASE_URL": settings.database_url,
        "LIANBAN_PREFECT_API_URL": ports.prefect_url,
        "LIANBAN_PUBLIC_URL": ports.api_url,
        "LIANBAN_INTRANET": ",".join((*settings.intranet, *((LOOPBACK,) if sandbox else ()))),
        "LIANBAN_SIMULATE": str(settings.simulate).lower(),
        "PREFECT_HOME": str((settings.data_dir / "prefect").resolve()),
        "PREFECT_API_URL": ports.prefect_url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_API_URL": ports.prefect_url,
        # Prefect's client keeps idle connections for 25 s, its server drops them after 5: who meets one just dropped
        # waits two seconds and more before trying again, and a batch with it.
        "PREFECT_SERVER_API_KEEPALIVE_TIMEOUT": "60",
        "PREFECT_SERVER_DOCKET_NAME": f"lianban-{ports.prefect}",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_COLORS": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "DO_NOT_TRACK": "1",
        "PYTHONUNBUFFERED": "1",
        **prefect_server(settings),
    }


def prefect_server(settings: Settings) -> dict[str, str]:
    """What Prefect's server is told beyond its defaults: its database, Redis for what its processes tell each other,
    the password it asks for. Nothing for what is not set: then it keeps all in SQLite and in its memory.
    """
    told = {}
    if settings.prefect_database_url:
        told["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = settings.prefect_database_url
    if settings.redis_url:
        told |= {
            "LIANBAN_REDIS_URL": settings.redis_url,
            "PREFECT_REDIS_MESSAGING_URL": settings.redis_url,
            "PREFECT_SERVER_DOCKET_URL": settings.redis_url,
            "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
            "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
            "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        }
    if settings.prefect_auth:
        told |= {
            "PREFECT_SERVER_API_AUTH_STRING": settings.prefect_auth,
            "PREFECT_API_AUTH_STRING": settings.prefect_auth,
            "LIANBAN_PREFECT_AUTH": settings.prefect_auth,
        }
    return told


async def start_prefect(programs: Programs, ports: Ports) -> None:
    """Start the Prefect server, deploy the flows, and start a worker. The slowest part of a start: about 20 s."""
    await start_prefect_server(programs, ports)
    await deploy(programs.run)
    await start_worker(programs)


async def start_prefect_server(programs: Programs, ports: Ports) -> None:
    """Start the Prefect server alone."""
    serve = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(ports.prefect)]
    server = Program("prefect-server", serve, f"{ports.prefect_url}/health")
    await programs.start(server, within=_PREFECT_START_SECONDS)


async def start_worker(programs: Programs, name: str = "prefect-worker", *options: str) -> None:
    """Start a worker of our pool; ``options`` are its command line's. Its type is told, for else a worker that starts
    while Prefect is away ends at once.
    """
    await programs.start(Program(name, [*PREFECT, "worker", "start", "--pool", POOL, "--type", "process", *options]))


async def start_api(programs: Programs, ports: Ports, name: str = "api") -> None:
    """Start the HTTP door."""
    serve = [sys.executable, "-m", "api.cli", "serve", "--port", str(ports.api)]
    await programs.start(Program(name, serve, f"{ports.api_url}/healthz"))


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How the sandbox departments are started: whom they know, their secrets, their database, their faults."""

    people: Path | None
    secrets: Path
    data: Path
    faults: tuple[str, ...] = ()


async def start_sandbox(programs: Programs, ports: Ports, sandbox: Sandbox) -> None:
    """Start the sandbox departments."""
    serve = [sys.executable, "-m", "api.cli", "sandbox", "--port", str(ports.sandbox)]
    options = ["--secrets", str(sandbox.secrets), "--data", str(sandbox.data)]
    if sandbox.people is not None:
        options += ["--people", str(sandbox.people)]
    for fault in sandbox.faults:
        options += ["--behaviour", fault]
    await programs.start(Program("sandbox", [*serve, *options], f"{ports.sandbox_url}/healthz"))
