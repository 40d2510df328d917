"""``lianban up`` on PostgreSQL by one setting: what is killed comes back by itself, nothing is left when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from api.system.programs import free_port
from api.system.whole import ROOT

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system"), pytest.mark.timeout(240)]


async def _answers(url: str, within: float) -> dict[str, object]:
    until = time.monotonic() + within
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
        while time.monotonic() < until:
            try:
                answer = await client.get(url)
                if answer.is_success:
                    told: dict[str, object] = answer.json()
                    return told
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.3)
    raise AssertionError(f"{url} does not answer")


async def _appears(whole: subprocess.Popen[bytes], word: str, besides: int | None, within: float) -> psutil.Process:
    """The program of which ``word`` stands in the command line, once there is one other than ``besides``."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        for one in psutil.Process(whole.pid).children():
            with suppress(psutil.Error):
                if word in " ".join(one.cmdline()) and one.pid != besides:
                    return one
        await asyncio.sleep(0.3)
    raise AssertionError(f"no {word}")


async def test_up_on_postgresql_by_one_setting(tmp_path: Path, fresh_postgres: str) -> None:
    door, prefect, sandbox = free_port(), free_port(), free_port()
    command = [
        sys.executable,
        "-m",
        "api.cli",
        "--data",
        str(tmp_path / "data"),
        "up",
        "--port",
        str(door),
        "--sandbox",
    ]
    command += ["--prefect-port", str(prefect), "--sandbox-port", str(sandbox)]
    told = os.environ | {"LIANBAN_DATABASE_URL": fresh_postgres, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "up.log").open("wb") as log:
        whole = subprocess.Popen(command, env=told, stdout=log, stderr=log)  # noqa: S603, ASYNC220 - our own program
    started: list[psutil.Process] = []
    try:
        await _answers(f"http://127.0.0.1:{prefect}/api/health", 120)
        ready = await _answers(f"http://127.0.0.1:{door}/readyz", 60)
        assert ready["status"] in ("ready", "degraded")
        for word in ("api.cli serve", "worker start"):
            # The worker starts last of all, a while after the door answers.
            victim = await _appears(whole, word, None, 90)
            victim.kill()
            await _appears(whole, word, victim.pid, 60)
            await _answers(f"http://127.0.0.1:{door}/healthz", 60)
        started = psutil.Process(whole.pid).children(recursive=True)
    finally:
        whole.send_signal(signal.SIGTERM)
        whole.wait(60)
    assert not [one for one in started if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert "Ended by itself" in (tmp_path / "up.log").read_text(encoding="utf-8")
