"""Houses at work, and an installation in a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.casework import deliveries
from services.house import House
from services.settings import Settings
from tests.conftest import create_tables
from tests.testing.clock import SetClock
from tests.testing.departments import Departments


@pytest.fixture
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Departments:
    """Every department, willing and quick until a test says otherwise."""
    departments = Departments()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    """An installation on the embedded default: database and keys in one folder."""
    return Settings(data_dir=tmp_path / "installation", simulate=True, _env_file=None)


@pytest.fixture
async def embedded_house(embedded: Settings, clock: SetClock) -> AsyncIterator[House]:
    """A house in it, with its tables."""
    embedded.data_dir.mkdir()
    house = House(embedded, clock.clock)
    await create_tables(house.database)
    yield house
    await house.close()
