"""A full disk: what cannot be written is refused whole, what was acknowledged stands, and with room it goes on."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.errors import UnavailableError
from services.house import open_house
from services.intake.application import Application
from services.intake.register import Registry
from services.migration import upgrade
from services.settings import Settings
from tests.testing.looking import case_row, chain_length
from tests.testing.people import application


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:  # noqa: S603 - our own words
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)  # noqa: S603, S607 - as above


async def _until_full(registry: Registry, taken: list[str], batch: list[Application]) -> None:
    """Register batches: the numbers taken, and the batch that was in hand when there was no more room."""
    for _ in range(200):
        batch[:] = [application() for _ in range(10)]
        taken += [one.number or "" for one in await registry.register(batch, "clerk:test")]


async def test_a_full_disk_loses_nothing_and_does_nothing_by_halves(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    settings = Settings(data_dir=small_disk, database_url="", simulate=True, _env_file=None)
    await asyncio.to_thread(upgrade, settings.dsn)
    async with open_house(settings) as house:
        registry = Registry(house.database, house.keys, house.packs)
        (first,) = await registry.register([application()], "clerk:test")
        ballast.write_bytes(b"\0" * max(0, shutil.disk_usage(small_disk).free - 200_000))
        taken: list[str] = [first.number or ""]
        refused: list[Application] = []
        with pytest.raises(UnavailableError) as told:
            await _until_full(registry, taken, refused)
        assert told.value.status == 503
        entries = await chain_length(house)
        assert entries == len(taken)
        ballast.unlink()
        # The same once more: none of it stood, all of it is taken now, under numbers without a gap.
        again = await registry.register(refused, "clerk:test")
        assert all(one.new for one in again)
        taken += [one.number or "" for one in again]
        assert taken == [f"370303-2014-{number:06d}" for number in range(1, len(taken) + 1)]
        assert await chain_length(house) == len(taken)
        for number in (taken[0], taken[-1]):
            assert (await case_row(house, number)).number == number
