"""An installation's settings, and the keys that are made once and never again."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.errors import InputError
from services.settings import Settings


def _settings(folder: Path, **given: object) -> Settings:
    return Settings(data_dir=folder, _env_file=None, **given)  # type: ignore[arg-type]  # as a test says


def test_everything_lives_in_one_folder(tmp_path: Path) -> None:
    assert _settings(tmp_path).dsn == f"sqlite+aiosqlite:///{tmp_path / 'lianban.db'}"
    assert _settings(tmp_path, database_url="postgresql+asyncpg://x/y").dsn == "postgresql+asyncpg://x/y"


def test_the_environment_sets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANBAN_LEASE_SECONDS", "7.5")
    monkeypatch.setenv("LIANBAN_SIMULATE", "true")
    monkeypatch.setenv("LIANBAN_PACKS", f"{tmp_path / 'a'}, {tmp_path / 'b'}")
    read = _settings(tmp_path)
    assert (read.lease_seconds, read.simulate) == (7.5, True)
    assert read.packs == (tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    "given", [{"lease_seconds": 0}, {"batch_limit": 0}, {"batch_limit": 9999}, {"poll_seconds": -1}]
)
def test_what_cannot_work_is_refused(tmp_path: Path, given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _settings(tmp_path, **given)


def test_keys_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    first = _settings(tmp_path / "new").keys
    path = tmp_path / "new" / "keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _settings(tmp_path / "new").keys.open(first.seal(b"x", "c"), "c") == b"x"
    assert [one.name for one in path.parent.iterdir()] == ["keys.json"]


def test_many_who_start_at_once_have_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: _settings(tmp_path / "new").keys, range(16)))
    assert len({ring.lookup for ring in rings}) == 1


def test_keys_that_are_named_are_not_made_up(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="keys_file"):
        _ = _settings(tmp_path, keys_file=tmp_path / "absent.json").keys
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"current": "k1", "keys": {}, "lookup": ""}'])
def test_a_broken_ring_is_told_and_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="key ring"):
        _ = _settings(tmp_path).keys
    assert (tmp_path / "keys.json").read_text(encoding="utf-8") == text
