"""The store that benchmarks and rehearsals are filled with is one that the system itself could have left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select

from benchmarks.store import copies
from benchmarks.store.__main__ import fill
from models import Attempt, Case, Decision, Permit, Role, Step
from services.access import WHOLE_CITY, Caller
from services.audit import verify_chain
from services.database import table
from services.dossiers.decisions import open_decision
from services.dossiers.listing import CaseFilter, list_cases
from services.house import open_house
from services.settings import Settings

_CASES, _DECISIONS = table(Case), table(Decision)


async def test_copies_stand_as_if_they_had_been_lived(
    tmp_path: Path, empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Many pages of rows, and none lost between two of them.
    monkeypatch.setattr(copies, "_ROWS", 7)
    monkeypatch.setattr(copies, "_CHUNK", 9)
    settings = Settings(data_dir=tmp_path, database_url=empty_dsn, simulate=True, _env_file=None)

    await asyncio.to_thread(fill, settings, 60, 12)

    async with open_house(settings) as house:
        async with house.database.read() as connection:
            assert (await verify_chain(connection)).problem is None
            people = select(func.count(_CASES.c.person_key.distinct()), func.count())
            assert tuple((await connection.execute(people)).one()) == (60, 60)
            tried = select(func.count()).select_from(table(Attempt).join(table(Step)))
            assert (await connection.execute(tried)).scalar_one() > 60 * 10
            assert (await connection.execute(select(func.count()).select_from(table(Permit)))).scalar_one() > 30
            last = select(_DECISIONS.c.case_number, _DECISIONS.c.sequence).order_by(_DECISIONS.c.case_number.desc())
            number, sequence = (await connection.execute(last.limit(1))).one()
        kept = await open_decision(house, Caller("test", Role.AUDITOR), number, sequence)
        assert kept.same_again
        page = await list_cases(house, WHOLE_CITY, CaseFilter(), limit=60)
        assert len({row.person.id_number for row in page.items}) > 1
        assert house.database.clock.today().isoformat() == "2018-11-28"
