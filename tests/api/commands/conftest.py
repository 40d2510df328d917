"""The command line in the process, against an installation in a temporary folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.cli import main
from api.system.installation import prepare_database
from services.settings import Settings


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


Lianban = Callable[..., Said]


@pytest.fixture
def lianban(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lianban:
    """Runs ``lianban …`` as the installed command does, in a simulated installation that stands on 2014-11-03."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATA_DIR": str(tmp_path / "data"), "SIMULATE": "true", "INTRANET": "127.0.0.0/8"}.items():
        monkeypatch.setenv(f"LIANBAN_{name}", value)
    monkeypatch.setenv("COLUMNS", "220")

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["lianban", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        told = capsys.readouterr()
        return Said(code, told.out, told.err)

    return run


@pytest.fixture
def installed(lianban: Lianban) -> Lianban:
    """The same with its database made and its clock set."""
    prepare_database(Settings())
    assert lianban("clock", "move", "2014-11-03").code == 0
    return lianban
