"""``lianban audit``, ``backup``, ``restore``, ``keys`` and ``retention``, as an operator types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli import build
from services.errors import ConflictError, LianbanError
from services.migration import upgrade
from services.settings import Settings

NAMES = ("audit", "backup", "restore", "keys", "retention")
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an installation of its own; ``data`` names another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIANBAN_DATABASE_URL", raising=False)
    monkeypatch.delenv("LIANBAN_KEYS_FILE", raising=False)
    app = build(NAMES)

    def run(*words: object, data: str = "here", **env: str) -> Result:
        monkeypatch.setenv("LIANBAN_DATA_DIR", str(tmp_path / data))
        return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200", **env})

    monkeypatch.setenv("LIANBAN_DATA_DIR", str(tmp_path / "here"))
    upgrade(Settings().dsn)
    return run


def test_the_log_is_carried_away_and_checked_offline(run: Run, tmp_path: Path) -> None:
    assert run("retention").exit_code == 0
    assert run("keys", "rotate").exit_code == 0
    assert "已导出" in run("audit", "export", "log.jsonl").stdout
    # In another folder, where there is no installation at all.
    held = run("audit", "verify", "--file", "log.jsonl", data="nowhere")
    assert held.exit_code == 0
    assert "The chain holds" in held.stdout
    assert not (tmp_path / "nowhere").exists()
    file = tmp_path / "log.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"operator"', b'"nobody"', 2))
    broken = run("audit", "verify", "--file", "log.jsonl")
    assert isinstance(broken.exception, ConflictError)


def test_the_log_is_read_and_that_is_noted(run: Run) -> None:
    run("keys", "rotate")
    first = json.loads(run("audit", "list", "--json", "--action", "keys.").stdout)
    assert [one["action"] for one in first["items"]] == ["keys.added"]
    second = json.loads(run("audit", "list", "--json", "--limit", 1).stdout)
    (read,) = second["items"]
    assert (read["actor"], read["action"]) == ("administrator:operator", "audit.read")
    assert second["next"] == read["sequence"]
    assert "keys.added" in run("audit", "list").stdout


def test_backed_up_with_keys_and_restored_elsewhere(run: Run, tmp_path: Path) -> None:
    run("keys", "rotate")
    taken = json.loads(run("backup", "b.zip", "--keys", "--json").stdout)
    assert taken["keys"]
    told = run("restore", "b.zip", "--json", data="there", LIANBAN_BACKUP_PASSPHRASE=taken["passphrase"])
    assert told.exit_code == 0, told.exception
    assert json.loads(told.stdout)["keys_missing"] is False
    assert (tmp_path / "there" / "keys.json").read_bytes() == (tmp_path / "here" / "keys.json").read_bytes()
    assert run("audit", "verify", data="there").exit_code == 0
    again = run("restore", "b.zip", data="there", LIANBAN_BACKUP_PASSPHRASE=taken["passphrase"])
    assert isinstance(again.exception, ConflictError)


def test_a_back_up_without_keys_says_so_at_both_ends(run: Run, tmp_path: Path) -> None:
    assert "密钥不在备份中" in run("backup", "b.zip").stdout
    assert "放回" in run("restore", "b.zip", data="there").stdout
    assert not (tmp_path / "there" / "keys.json").exists()


def test_keys_are_listed_without_the_keys(run: Run, tmp_path: Path) -> None:
    run("keys", "rotate")
    listed = run("keys", "list", "--json")
    old, new = json.loads(listed.stdout)
    assert (old["current"], old["sealed"], new["current"]) == (False, 0, True)
    ring = json.loads((tmp_path / "here" / "keys.json").read_text())
    assert not [secret for secret in (*ring["keys"].values(), ring["lookup"]) if secret in listed.stdout]
    early = run("keys", "retire")
    assert isinstance(early.exception, LianbanError)
    assert "less than an hour" in str(early.exception)


def test_a_dry_run_says_so(run: Run) -> None:
    assert json.loads(run("retention", "--dry-run", "--json").stdout)["dry_run"] is True
    assert "将清除" in run("retention", "--dry-run").stdout
