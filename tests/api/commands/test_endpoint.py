"""``lianban endpoint``: the operator's twin of the departments' self-service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import build
from services.doors.registration import Registration
from services.doors.viewing import standing_registration
from services.house import open_house
from services.migration import upgrade
from services.settings import Settings

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in an installation of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIANBAN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LIANBAN_INTRANET", "10.0.0.0/8, 127.0.0.1")
    monkeypatch.setenv("COLUMNS", "200")
    upgrade(Settings(_env_file=None).dsn)
    app = build(["endpoint"])
    return lambda *words: CliRunner().invoke(app, ["endpoint", *words])


def test_a_push_is_registered_as_a_draft_and_its_secret_shown_once(run: Run) -> None:
    made = run("register", "hrss", "http://10.1.2.3:9000/webhook", "--sign", "v1", "--sign", "v1a")
    assert made.exit_code == 0
    secret, public = made.stdout.split()
    assert secret.startswith("whsec_")
    assert public.startswith("whpk_")
    listed = run("list").output
    assert "hrss" in listed
    assert "draft" in listed
    assert secret not in listed
    fresh = run("rotate", "hrss", "--overlap", "2")
    assert fresh.stdout.startswith("whsec_")
    assert "v1+v1a（新旧并用）" in run("list").output


def test_what_is_not_named_stays_as_it_stands(run: Run) -> None:
    named = [
        "--sign",
        "v1",
        "--sign",
        "v1a",
        "--batch",
        "50",
        "--rate",
        "5",
        "--service",
        "ZB87-3.1.1b",
        "--timeout",
        "9",
    ]
    assert run("register", "hrss", "http://10.1.2.3:9000/webhook", *named).exit_code == 0
    changed = run("register", "hrss", "--concurrency", "3")
    assert changed.exit_code == 0
    assert not changed.stdout
    before = asyncio.run(_standing())
    assert (before.url, before.signing) == ("http://10.1.2.3:9000/webhook", ("v1", "v1a"))
    assert (before.batch_size, before.rate_per_second, before.timeout_seconds) == (50, 5.0, 9.0)
    assert (before.services, before.concurrency) == (("ZB87-3.1.1b",), 3)
    # What comes for its steps itself has no address.
    assert run("register", "hrss", "--door", "poll").exit_code == 0
    assert asyncio.run(_standing()).url is None


async def _standing() -> Registration:
    async with open_house() as house:
        return await standing_registration(house, "hrss")


def test_an_address_is_refused_with_its_reason(run: Run) -> None:
    refused = run("register", "hrss", "http://192.168.1.1/")
    assert refused.exit_code != 0
    assert "endpoint.url: leads to a private address" in str(refused.exception)


def test_a_trial_that_fails_ends_with_status_1(run: Run) -> None:
    run("register", "hrss", "http://127.0.0.1:1025/webhook")
    tried = run("trial", "hrss")
    assert tried.exit_code == 1
    assert "✗ good-signature" in tried.output
    assert "draft" in tried.output


def test_the_sheets_of_a_department_without_a_server(run: Run, tmp_path: Path) -> None:
    assert run("register", "hrss", "--door", "inbox").exit_code == 0
    taken = run("work", "hrss", "work.xlsx", "--officer", "li")
    assert taken.exit_code == 0
    assert (tmp_path / "work.xlsx").stat().st_mode & 0o077 == 0
    again = run("work", "hrss", "work.xlsx", "--officer", "li")
    assert "work.xlsx" in str(again.exception)
    handed = run("answers", "hrss", "work.xlsx", "--officer", "li")
    assert handed.exit_code == 0
    assert "settled 0" in handed.output


def test_messages_and_a_preview_of_none(run: Run) -> None:
    run("register", "hrss", "--door", "poll")
    assert run("messages", "hrss").exit_code == 0
    preview = run("replay", "hrss", "2014-11-01", "2014-11-30")
    assert preview.output.startswith("0 ")
    assert "sent no such message" in str(run("resend", "hrss", "x").exception)
