"""``lianban conformance`` against a receiver that listens, and one that does not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer import Typer
from typer.testing import CliRunner

from api.commands.conformance import SECRET, conformance
from services.errors import InputError
from services.exchange.signatures import new_secret

RECEIVER = Path(__file__).resolve().parents[3] / "docs" / "receivers" / "python" / "receiver.py"
app = Typer()
app.command()(conformance)


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """URL and secret of the quick start's receiver."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = new_secret()
    told = {"LIANBAN_SECRET": secret, "LIANBAN_PORT": str(port), "LIANBAN_INBOX": str(tmp_path / "inbox")}
    process = subprocess.Popen([sys.executable, str(RECEIVER)], env={**os.environ, **told})  # noqa: S603 - our own
    url = f"http://127.0.0.1:{port}/webhook"
    with httpx.Client(transport=httpx.HTTPTransport(retries=12), trust_env=False) as client:
        client.get(url)
    yield url, secret
    process.terminate()
    process.wait(10)


@pytest.mark.system
def test_a_report_is_written_that_can_be_handed_in(
    listening: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, secret = listening
    monkeypatch.setenv(SECRET, secret)
    report = tmp_path / "report"
    result = CliRunner().invoke(app, [url, "--department", "education", "--batch", "5", "-o", str(report)])
    assert result.exit_code == 0, result.output
    content = json.loads(report.with_suffix(".json").read_bytes())
    assert content["conforms"]
    assert {check["verdict"] for check in content["checks"]} == {"pass"}
    page = report.with_suffix(".md").read_text(encoding="utf-8")
    assert "教育局 (education)" in page
    assert secret not in page + report.with_suffix(".json").read_text(encoding="utf-8") + result.output


def test_a_receiver_that_does_not_conform_ends_with_one(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(new_secret())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    result = CliRunner().invoke(app, [url, "--secret-file", str(file), "-o", str(tmp_path / "report")])
    assert result.exit_code == 1, result.output
    assert "不符合要求" in (tmp_path / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "secret", "place"),
    [
        (["ftp://x"], "whsec_" + "A" * 44, "url"),
        (["http://x"], "", "secret"),
        (["http://x"], "whsec_short", "secret"),
        (["http://x", "--department", "nobody"], "whsec_" + "A" * 44, "department"),
        (["http://x", "--secret-file", "/nothing/there"], "", "/nothing/there"),
    ],
)
def test_bad_input_is_named(words: list[str], secret: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, secret)
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, InputError)
    assert result.exception.place == place
