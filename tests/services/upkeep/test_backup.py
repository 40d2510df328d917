"""A back-up is proven by restoring it: the chain holds, the cases open, and nothing is ever overwritten."""

from __future__ import annotations

import asyncio
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import select

from models import Case, Incident, IncidentKind
from services.database import Transaction, table
from services.errors import ConflictError, InputError
from services.house import House
from services.migration import _config
from services.sealing import SealError
from services.settings import Settings
from services.upkeep.backup import back_up, new_passphrase, restore
from tests.testing.looking import chain_length
from tests.testing.people import application, registered

PASSPHRASE = "correct horse battery"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Settings:
    """Another, empty folder."""
    return Settings(data_dir=tmp_path / "elsewhere", _env_file=None)


@pytest.fixture
async def busy(embedded_house: House) -> House:
    await registered(embedded_house, application(), application())
    return embedded_house


async def _names(house: House) -> list[str]:
    cases = table(Case)
    async with house.database.read() as connection:
        rows = (await connection.execute(select(cases.c.number, cases.c.sealed).order_by(cases.c.number))).all()
    return [house.caseworker.applications.open(row.number, row.sealed).person.name for row in rows]


async def test_what_is_restored_is_what_was_there(busy: House, elsewhere: Settings, tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    # A house that is open all the while: nothing was stopped.
    taken = await back_up(busy.settings, path, PASSPHRASE)
    await registered(busy, application())
    restored = await restore(elsewhere, path, PASSPHRASE)
    assert restored == taken
    assert taken.keys
    house = House(elsewhere)
    try:
        assert await chain_length(house) == taken.entries == 2
        assert await _names(house) == (await _names(busy))[:2]
    finally:
        await house.close()


async def test_without_a_passphrase_the_keys_stay_at_home(busy: House, elsewhere: Settings, tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    await back_up(busy.settings, path)
    await restore(elsewhere, path)
    assert not elsewhere.keys_path.exists()
    house = House(elsewhere)
    try:
        with pytest.raises(SealError):
            await _names(house)
    finally:
        await house.close()


async def test_a_back_up_bears_nothing_in_the_clear(busy: House, tmp_path: Path) -> None:
    await _no_secret(busy.settings, await _names(busy), tmp_path / "backup.zip")


async def _no_secret(settings: Settings, names: list[str], path: Path) -> None:
    await back_up(settings, path, PASSPHRASE)
    ring = json.loads(settings.keys_path.read_text())
    secrets = [*ring["keys"].values(), ring["lookup"], PASSPHRASE, *names]
    with zipfile.ZipFile(path) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert not [secret for secret in secrets if secret.encode() in content]
    assert _mode(path) == 0o600


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_restoring_overwrites_nothing(busy: House, tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    await back_up(busy.settings, path, PASSPHRASE)
    with pytest.raises(ConflictError, match="stands already"):
        await restore(busy.settings, path, PASSPHRASE)
    assert len(await _names(busy)) == 2


async def test_restoring_does_not_replace_other_keys(busy: House, elsewhere: Settings, tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    await back_up(busy.settings, path, PASSPHRASE)
    standing = elsewhere.keys.lookup
    with pytest.raises(ConflictError, match="key ring"):
        await restore(elsewhere, path, PASSPHRASE)
    assert Settings(data_dir=elsewhere.data_dir, _env_file=None).keys.lookup == standing
    _assert_empty(elsewhere)


@pytest.mark.parametrize("passphrase", [None, "another passphrase"])
async def test_the_wrong_passphrase_restores_nothing(
    busy: House, elsewhere: Settings, tmp_path: Path, passphrase: str | None
) -> None:
    path = tmp_path / "backup.zip"
    await back_up(busy.settings, path, PASSPHRASE)
    with pytest.raises(InputError, match="passphrase"):
        await restore(elsewhere, path, passphrase)
    _assert_empty(elsewhere)


def _files(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def _assert_empty(settings: Settings) -> None:
    assert [one.name for one in settings.data_dir.iterdir() if one.name != "keys.json"] == []


def _rewrite(path: Path, part: str, content: bytes | None, **manifest: Any) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if content is None:
        del parts[part]
    else:
        parts[part] = content
    if manifest:
        parts["manifest.json"] = json.dumps(json.loads(parts["manifest.json"]) | manifest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, inside in parts.items():
            archive.writestr(name, inside)


@pytest.mark.parametrize("content", [b"", b"no database", None])
async def test_a_damaged_back_up_restores_nothing(
    busy: House, elsewhere: Settings, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "backup.zip"
    await back_up(busy.settings, path)
    _rewrite(path, "lianban.db", content)
    with pytest.raises(InputError, match="damaged"):
        await restore(elsewhere, path)
    _assert_empty(elsewhere)


async def test_a_back_up_whose_chain_was_altered_is_not_restored(
    busy: House, elsewhere: Settings, tmp_path: Path
) -> None:
    async with busy.database.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE audit_entries SET actor = 'nobody' WHERE sequence = 1")
    path = tmp_path / "backup.zip"
    await back_up(busy.settings, path)
    with pytest.raises(ConflictError, match="chain"):
        await restore(elsewhere, path)
    _assert_empty(elsewhere)


async def test_the_manifest_must_tell_of_this_database(busy: House, elsewhere: Settings, tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    await back_up(busy.settings, path)
    _rewrite(path, "x", b"", audit={"entries": 9, "head": "0" * 64})
    with pytest.raises(ConflictError, match="manifest"):
        await restore(elsewhere, path)
    _assert_empty(elsewhere)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x00" * 4_000])
async def test_what_is_no_back_up_is_said_to_be_none(elsewhere: Settings, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(InputError):
        await restore(elsewhere, path)
    with pytest.raises(InputError, match="cannot be read"):
        await restore(elsewhere, tmp_path / "none.zip")


async def test_a_back_up_overwrites_no_file_and_needs_a_database(
    busy: House, elsewhere: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "backup.zip"
    path.write_bytes(b"mine")
    with pytest.raises(InputError, match="stands already"):
        await back_up(busy.settings, path)
    assert path.read_bytes() == b"mine"
    with pytest.raises(InputError, match="no database"):
        await back_up(elsewhere, tmp_path / "other.zip")
    with pytest.raises(InputError, match="at least 12"):
        await back_up(busy.settings, tmp_path / "other.zip", "short")
    assert _files(tmp_path) == ["backup.zip", "installation"]


async def test_from_either_database_into_either(
    house: House, spare_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``house`` is on SQLite and on PostgreSQL in turn; it is restored into PostgreSQL, and from there into a file."""
    monkeypatch.setattr("services.upkeep.transfer._ROWS", 2)
    await registered(house, application(), application(), application())
    there = Settings(data_dir=tmp_path / "there", database_url=f"{spare_postgres}", _env_file=None)
    back = Settings(data_dir=tmp_path / "back", _env_file=None)
    # The tables of the tests are made from the models; a back-up is of an installation that was migrated.
    await asyncio.to_thread(command.stamp, _config(house.settings.dsn), "head")
    taken = await back_up(house.settings, tmp_path / "one.zip", PASSPHRASE)
    await restore(there, tmp_path / "one.zip", PASSPHRASE)
    again = await back_up(there, tmp_path / "two.zip", PASSPHRASE)
    await restore(back, tmp_path / "two.zip", PASSPHRASE)
    for settings in (there, back):
        copy = House(settings)
        try:
            assert await chain_length(copy) == taken.entries == again.entries
            assert await _names(copy) == await _names(house)
            # New rows are numbered after those that came.
            await registered(copy, application())
            async with copy.database.write("administrator:test") as transaction:
                await keep_rows(transaction)
            assert await chain_length(copy) > taken.entries
        finally:
            await copy.close()
    with pytest.raises(ConflictError, match="in use already"):
        await restore(
            Settings(data_dir=tmp_path / "third", database_url=spare_postgres, _env_file=None), tmp_path / "one.zip",
            PASSPHRASE,
        )  # fmt: skip


async def keep_rows(transaction: Transaction) -> None:
    """A row in a table whose keys the database counts."""
    row = {
        "kind": "failed", "department": "hrss", "reason": "x", "since": transaction.at, "opened_at": transaction.at,
        "most_steps": 1, "most_cases": 1,
    }  # fmt: skip
    await transaction.insert(Incident, [{**row, "kind": IncidentKind.FAILED}])
    transaction.note("incident.opened", "hrss")


def test_passphrases_are_long_and_differ() -> None:
    assert len(new_passphrase()) == 29
    assert new_passphrase() != new_passphrase()
