"""``lianban sandbox`` as a process: it serves, stops on SIGTERM, and knows afterwards what it answered for."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook
from typer import Typer
from typer.testing import CliRunner

from api.commands.sandbox import sandbox
from api.sandbox.settings import read_secrets
from services.errors import InputError
from tests.api.sandbox.town import SECRETS, now


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.system
def test_it_serves_stops_on_sigterm_and_forgets_nothing(tmp_path: Path):
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps(SECRETS))
    data = tmp_path / "sandbox.db"
    for times in (1, 2):
        port = free_port()
        program = "import typer; from api.commands.sandbox import sandbox; typer.run(sandbox)"
        options = ["--secrets", str(secrets), "--data", str(data), "--port", str(port)]
        process = subprocess.Popen([sys.executable, "-c", program, *options], stderr=subprocess.PIPE)  # noqa: S603 - our own
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/healthz", process)
            body = json.dumps(
                {"id": "m-1", "type": "t", "data": {"case": "c", "step": "m-1", "person": {}, "permit": {}}}
            )
            headers = {
                "webhook-id": "m-1",
                "webhook-timestamp": str(int(now().timestamp())),
                "webhook-signature": Webhook(SECRETS["hrss"]).sign("m-1", now(), body),
            }
            answer = httpx.post(f"{url}/departments/hrss/webhook", content=body, headers=headers)
            assert answer.json() == {"outcomes": [{"step": "m-1", "received": True}]}
            (message,) = httpx.get(f"{url}/departments/hrss/records").json()["received"]
            assert message["times"] == times
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)
        assert b"Traceback" not in errors


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the sandbox did not start")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("nonsense", "secrets.json"),
        ("[]", "secrets.json"),
        ('{"hrss": "secret"}', "secrets.json.hrss"),
        ('{"hrss": 7}', "secrets.json.hrss"),
        ('{"hrss": ["whsec_AAAA"]}', "secrets.json.hrss"),
    ],
)
def test_a_file_that_holds_no_secrets_is_refused(tmp_path: Path, text: str, place: str):
    path = tmp_path / "secrets.json"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read_secrets(path)
    assert refused.value.place == place


def test_what_cannot_be_opened_is_named(tmp_path: Path):
    app = Typer()
    app.command()(sandbox)
    missing = CliRunner().invoke(app, ["--secrets", str(tmp_path / "none.json")])
    assert isinstance(missing.exception, InputError)
    assert missing.exception.place == "none.json"
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps(SECRETS))
    closed = CliRunner().invoke(app, ["--secrets", str(secrets), "--data", str(tmp_path / "no" / "such.db")])
    assert isinstance(closed.exception, InputError)
    assert re.search("cannot be opened", str(closed.exception))
