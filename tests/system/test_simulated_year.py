"""Some weeks of the simulated year: what stands is what a recount says, each working day; nothing is left open."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from api.system.installation import prepare_database
from benchmarks.simulated_year.running import Simulation
from services.settings import Settings

pytestmark = [pytest.mark.system, pytest.mark.timeout(280)]


def test_an_outage_a_dispute_and_a_department_that_nobody_connected(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, simulate=True, _env_file=None)
    prepare_database(settings)
    year = asyncio.run(Simulation(settings, 30, 87, date(2014, 12, 8), date(2015, 1, 14)).run())
    assert year.meetings == 3
    # Every working day, the make-up workday of Sunday, 4 January included.
    assert year.days_compared == 27
    # Those of the three, and of the one that was called for 20 January.
    assert year.agendas_compared == 4
    assert year.matters["dispute:done"] == 1
    assert year.matters["unconnected:done"] == 1
    assert year.resolutions["hand-over:closed"] == 1
    assert year.unfinished == 0
