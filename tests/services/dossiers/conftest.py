"""Departments that answer in the process, connected to the house."""

from __future__ import annotations

import pytest

from services.casework import deliveries
from services.house import House
from tests.testing.departments import Departments


@pytest.fixture
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Departments:
    """Every department, willing and quick until a test says otherwise."""
    departments = Departments()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments
