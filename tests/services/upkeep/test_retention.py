"""What is over its time goes, all of it and nothing else, and the chain still holds."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models import Attempt, CaseState, Decision, InboundMessage, Role
from services.access import WHOLE_CITY, Caller
from services.database import table
from services.dossiers.access_log import read_access_log
from services.dossiers.decisions import open_decision
from services.dossiers.listing import CaseFilter, find_person, list_cases
from services.dossiers.reading import read_case
from services.dossiers.stories import tell_story
from services.house import House
from services.sealing import ErasedError
from services.upkeep.retention import Removed, preview, retain
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.looking import case_row, chain_length
from tests.testing.people import application, registered

CLERK = Caller("test", Role.COORDINATOR)


async def _refused(house: House, departments: Departments, **changes: Any) -> str:
    """A case that was refused, because the department denied what it rests on."""
    departments.facts = dict.fromkeys(("employed_insured", "employment", "labour_contract"), False)
    departments.facts |= {fact: False for pack in house.packs.packs for fact in pack.facts}
    (number,) = await registered(house, application(**changes))
    await work(house, number)
    departments.facts = {}
    assert (await case_row(house, number)).state is CaseState.REFUSED
    return number


async def _column(house: House, model: Any, column: str) -> list[Any]:
    async with house.database.read() as connection:
        return list((await connection.execute(select(table(model).c[column]))).scalars())


async def test_nothing_goes_before_its_time(house: House, departments: Departments, clock: SetClock) -> None:
    await _refused(house, departments)
    clock.pass_(days=1_094)
    assert await preview(house) == Removed(0, 0, 0)
    assert await retain(house, "retain") == Removed(0, 0, 0)


async def test_the_person_of_a_refused_case_goes(house: House, departments: Departments, clock: SetClock) -> None:
    person = application()
    number = await _refused(house, departments, application_number=person.application_number)
    (kept,) = await registered(house, application())
    await work(house, kept)
    before = house.caseworker.applications.open(number, (await case_row(house, number)).sealed)
    clock.pass_(days=1_096)
    assert (await preview(house)).cases == 1
    assert (await retain(house, "retain")).cases == 1
    row = await case_row(house, number)
    after = house.caseworker.applications.open(number, row.sealed)
    assert (after.person.name, after.person.phone, after.children) == ("已清除", None, ())
    assert after.person.id_number != before.person.id_number
    assert (await find_person(house, CLERK, id_number=before.person.id_number)) == ((), False)
    assert (await find_person(house, CLERK, name=before.person.name)) == ((), False)
    with pytest.raises(ErasedError):
        await open_decision(house, CLERK, number, 1)
    # What is left can still be read, and the other case is whole.
    await read_case(house, number)
    await tell_story(house, number)
    await read_access_log(house, number)
    assert len((await list_cases(house, WHOLE_CITY, CaseFilter())).items) == 2
    await open_decision(house, CLERK, kept, 1)
    await chain_length(house)
    assert await retain(house, "retain") == Removed(0, 0, 0)


async def test_what_departments_wrote_goes_and_digests_stay(
    house: House, departments: Departments, clock: SetClock
) -> None:
    (number,) = await registered(house, application())
    departments.silent.add("culture")
    await work(house, number)
    departments.silent.clear()
    await departments.call_back(house, number, "culture")
    excerpts = [one for one in await _column(house, Attempt, "excerpt") if one]
    bodies = [one for one in await _column(house, InboundMessage, "sealed") if one]
    assert excerpts
    assert bodies
    clock.pass_(days=1_096)
    expected = Removed(len(excerpts), len(bodies), 0)
    assert await preview(house) == expected
    assert await retain(house, "retain") == expected
    assert not any(await _column(house, Attempt, "excerpt"))
    assert not any(await _column(house, InboundMessage, "sealed"))
    assert all(await _column(house, InboundMessage, "digest"))
    assert all(await _column(house, Decision, "sealed"))
    await chain_length(house)


async def test_small_batches_miss_nothing(
    house: House, departments: Departments, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.upkeep.retention.BATCH", 2)
    for _ in range(3):
        await _refused(house, departments)
    clock.pass_(days=1_096)
    expected = await preview(house)
    assert expected.cases == 3
    assert (await retain(house, "retain")).cases == 3
    assert await preview(house) == Removed(0, 0, 0)


async def test_nought_keeps_for_ever(house: House, departments: Departments, clock: SetClock) -> None:
    await _refused(house, departments)
    clock.pass_(days=9_000)
    house.settings = house.settings.model_copy(update={"answers_kept_days": 0, "refused_kept_days": 0})
    assert await preview(house) == Removed(0, 0, 0)
