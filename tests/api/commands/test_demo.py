"""The demo interrupted: nothing is left running, and another start goes on where it stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system"), pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[3]


def _start(folder: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LIANBAN_", "PREFECT_"))}
    with (folder / "demo.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "api.cli", "demo"], cwd=folder, stdout=log, stderr=log, start_new_session=True,
            env=environment | {"PYTHONPATH": str(ROOT), "COLUMNS": "160"},
        )  # fmt: skip


def _left_running(folder: Path) -> list[str]:
    """Programs of this demo: they were told its folder by their environment or on their command line."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and str(folder) in repr(process.environ()):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def _wait_until(folder: Path, words: str, seconds: float) -> None:
    """Until the demo has said ``words``."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if words in (folder / "demo.log").read_text(errors="replace"):
            return
        time.sleep(0.2)
    raise AssertionError((folder / "demo.log").read_text(errors="replace")[-3000:])


def _interrupt(demo: subprocess.Popen[bytes], folder: Path) -> None:
    """Ctrl-C: it ends in order, in plain words, and takes everything that it started with it."""
    assert len(_left_running(folder)) > 1
    demo.send_signal(signal.SIGINT)
    assert demo.wait(40) == 130
    assert "Traceback" not in (folder / "demo.log").read_text(errors="replace")
    assert _left_running(folder) == []


def test_interrupted_it_leaves_nothing_running_and_goes_on_afterwards(tmp_path: Path) -> None:
    demo = _start(tmp_path)
    try:
        # While it starts its servers.
        _wait_for_journal(tmp_path, 30)
        time.sleep(4)
        _interrupt(demo, tmp_path)
        # And again in the middle of the work, which it comes to by itself.
        demo = _start(tmp_path)
        _wait_until(tmp_path, "Verify, decide, issue, open services", 80)
        assert "Going on where the last demo stopped" in (tmp_path / "demo.log").read_text(errors="replace")
        time.sleep(3)
        _interrupt(demo, tmp_path)
    finally:
        if demo.poll() is None:
            demo.send_signal(signal.SIGINT)
            demo.wait(40)


def _wait_for_journal(folder: Path, seconds: float) -> None:
    journal = folder / ".lianban" / "demo" / "demo.json"
    until = time.monotonic() + seconds
    while not journal.exists():
        assert time.monotonic() < until, (folder / "demo.log").read_text(errors="replace")[-3000:]
        time.sleep(0.2)
