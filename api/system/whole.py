"""The whole system on one machine: Prefect server, worker, HTTP door, and the sandbox departments on a rehearsal."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from api.system.programs import Program, Programs
from services.errors import UnavailableError
from services.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
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
    }


async def start_prefect(programs: Programs, ports: Ports) -> None:
    """Start the Prefect server, deploy the flows, and start a worker. The slowest part of a start: about 20 s."""
    prefect = [sys.executable, "-m", "prefect", "--no-prompt"]
    if not (ROOT / "prefect.yaml").exists():
        raise UnavailableError("prefect.yaml is missing; run from a checkout of the project", place=str(ROOT))
    serve = [*prefect, "server", "start", "--host", "127.0.0.1", "--port", str(ports.prefect)]
    server = Program("prefect-server", serve, f"{ports.prefect_url}/health")
    await programs.start(server, within=_PREFECT_START_SECONDS)
    await programs.run("work-pool", [*prefect, "work-pool", "create", "lianban", "--type", "process", "--overwrite"])
    await programs.run("deploy", [*prefect, "deploy", "--all", "--prefect-file", str(ROOT / "prefect.yaml")])
    await programs.start(Program("prefect-worker", [*prefect, "worker", "start", "--pool", "lianban"]))


async def start_api(programs: Programs, ports: Ports) -> None:
    """Start the HTTP door."""
    serve = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", "--host", "127.0.0.1"]
    # Whoever follows changes would keep it from ending for as long as they like.
    options = ["--port", str(ports.api), "--log-level", "warning", "--no-access-log"]
    options += ["--timeout-graceful-shutdown", "5"]
    await programs.start(Program("api", [*serve, *options], f"{ports.api_url}/healthz"))


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
