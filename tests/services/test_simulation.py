"""The business clock of a simulated system: moved for every process alike, forward only, and never on a real one."""

from __future__ import annotations

from datetime import date

import pytest

from services.clock import Clock
from services.database import Database
from services.errors import ConflictError
from services.settings import Settings
from services.simulation import move_clock
from tests.testing.clock import SetClock


async def test_every_process_moves(database: Database, settings: Settings, clock: SetClock) -> None:
    other = Database(settings.dsn, clock.clock)
    await move_clock(database, settings, date(2015, 10, 8))
    assert other.clock.today() == date(2014, 11, 3)
    await other.refresh_clock()
    assert (database.clock.today(), other.clock.today()) == (date(2015, 10, 8), date(2015, 10, 8))
    # Signatures, leases and retries stay on wire time.
    assert other.clock.now() == clock.instant
    await other.dispose()


async def test_a_rehearsal_may_begin_in_the_past_and_then_goes_forward(
    database: Database, settings: Settings, clock: SetClock
) -> None:
    await move_clock(database, settings, date(2014, 10, 1))
    assert database.clock.today() == date(2014, 10, 1)
    await move_clock(database, settings, date(2014, 10, 1))
    with pytest.raises(ConflictError, match="forward"):
        await move_clock(database, settings, date(2014, 9, 30))
    assert (await database.refresh_clock()).today() == date(2014, 10, 1)
    clock.pass_(days=2)
    assert database.clock.today() == date(2014, 10, 3)


async def test_a_real_system_refuses(database: Database, settings: Settings) -> None:
    real = settings.model_copy(update={"simulate": False})
    with pytest.raises(ConflictError, match="simulated"):
        await move_clock(database, real, date(2015, 1, 1))
    assert (await database.refresh_clock()).shift == Clock().shift
