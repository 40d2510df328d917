"""``prefect deploy --all`` and a worker: what runs in production, and the schedule that keeps it going."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.system.prefect_api import PrefectApi
from api.system.programs import Program
from api.system.whole import ROOT
from models import CaseState
from tests.testing.looking import case_row
from tests.testing.people import application
from tests.testing.servers import PrefectServer, installation

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system"), pytest.mark.timeout(240)]
PREFECT = ("-m", "prefect", "--no-prompt")


async def _scheduled(server: PrefectServer, deployment: str, within: float) -> list[Any]:
    """Runs that the server's own scheduler made for a deployment."""
    wanted = {"name": {"any_": [deployment]}}
    until = time.monotonic() + within
    while True:
        runs = [
            run for run in await asyncio.to_thread(server.ask, "/flow_runs/filter", deployments=wanted, limit=100)
            if run["auto_scheduled"]
        ]  # fmt: skip
        if runs or time.monotonic() > until:
            return runs
        await asyncio.sleep(0.5)


async def test_deployed_flows_run_by_a_worker_and_by_their_schedule(
    tmp_path: Path, prefect_server: PrefectServer
) -> None:
    declared = {one["name"] for one in yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]}
    async with installation(tmp_path, prefect_server) as town:
        await town.start_sandbox()
        await town.run_program("pool", *PREFECT, "work-pool", "create", "lianban", "--type", "process", "--overwrite")
        await town.run_program("deploy", *PREFECT, "deploy", "--all", "--prefect-file", str(ROOT / "prefect.yaml"))
        deployed = await asyncio.to_thread(prefect_server.ask, "/deployments/filter")
        assert {one["name"] for one in deployed} == declared
        assert {"dispatch", "issue_permits", "deliver_due", "reconcile"} <= declared

        # Every sixty seconds a run: under SQLAlchemy 2.1 the scheduler dies silently, and nothing ever runs.
        runs = await _scheduled(prefect_server, "dispatch", 30)
        assert runs, "the schedule of dispatch made no runs"
        starts = sorted(run["expected_start_time"] for run in runs)
        assert len(set(starts)) == len(starts)
        assert await _scheduled(prefect_server, "reconcile", 10), "the schedule of reconcile made no runs"

        numbers = await town.receive(*(application() for _ in range(2)))
        work = [sys.executable, *PREFECT, "worker", "start", "--pool", "lianban"]
        await town.running.start(Program("worker", work))
        prefect = PrefectApi(prefect_server.url)
        try:
            run = await prefect.start_run("dispatch/dispatch", {"linger_seconds": 0})
            async with asyncio.timeout(90):
                state = await prefect.wait_for(run)
            # A scheduled run may have been first: then ours is cancelled, and the work is done all the same.
            assert state in {"COMPLETED", "CANCELLED"}, (tmp_path / "logs" / "worker.log").read_text()[-3000:]
            await _closed(town.house, numbers)
        finally:
            await prefect.close()


async def _closed(house: Any, numbers: list[str]) -> None:
    until = time.monotonic() + 60
    states: set[CaseState] = set()
    while states != {CaseState.CLOSED} and time.monotonic() < until:
        await asyncio.sleep(0.5)
        states = {(await case_row(house, number)).state for number in numbers}
    assert states == {CaseState.CLOSED}
