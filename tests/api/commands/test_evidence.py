"""``lianban evidence`` and ``lianban access-log`` as processes, on an installation of their own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.casework import deliveries
from services.evidence.seal import Seal
from services.house import House
from services.settings import Settings
from tests.conftest import create_tables
from tests.testing.departments import SECRET, Departments, work
from tests.testing.people import application, registered


async def _lianban(folder: Path, *words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.cli", *words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "LIANBAN_DATA_DIR": str(folder), "COLUMNS": "200"},
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.mark.system
async def test_a_bundle_is_written_checked_and_found_out_when_altered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(Settings(data_dir=tmp_path, _env_file=None))
    departments = Departments()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await create_tables(house.database)
    await departments.connect(house)
    (number,) = await registered(house, application())
    await work(house, number)
    public = Seal.of(house.keys).public_key
    await house.close()
    file, keys = tmp_path / "bundle.json", tmp_path / "keys.txt"
    keys.write_text(SECRET)
    code, said = await _lianban(tmp_path, "evidence", f"{number}-v-hrss-1", "-o", str(file))
    assert code == 0, said
    assert file.stat().st_mode & 0o777 == 0o600
    code, said = await _lianban(tmp_path, "evidence", "key")
    assert (code, said.splitlines()[0]) == (0, public)
    # Checked elsewhere: no keys, no database.
    elsewhere = tmp_path / "elsewhere"
    verify = ("evidence", "verify", str(file), "--key", public, "--secrets", str(keys))
    code, said = await _lianban(elsewhere, *verify)
    assert code == 0, said
    assert "证据包完好" in said
    assert not elsewhere.exists()
    file.write_bytes(file.read_bytes().replace("科苑".encode(), "科学".encode()).replace(b'"done"', b'"duly"'))
    code, said = await _lianban(elsewhere, *verify)
    assert (code, said.count("\n")) == (2, 1)
    assert "altered" in said
    code, said = await _lianban(tmp_path, "evidence", "verify", str(tmp_path / "nothing"))
    assert (code, said.count("\n")) == (2, 1)
    code, said = await _lianban(tmp_path, "access-log", number, "--en")
    assert code == 0, said
    assert "citizen ID number" in said
    assert "had the bundle of evidence of a step written" in said
    assert json.dumps(SECRET) not in said
