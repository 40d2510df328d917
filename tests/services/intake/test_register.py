"""Registering: one application is one case, one person has one open case, and numbers have no gap."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from models import Case, CaseState
from services.casework import deliveries
from services.database import Database, table
from services.house import House
from services.intake.application import Application
from services.intake.register import Registry
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, reconcile, work
from tests.testing.looking import chain_length
from tests.testing.people import application, body

CASES = table(Case)


@pytest.fixture
def registry(house: House) -> Registry:
    return Registry(house.database, house.keys, house.packs)


@pytest.fixture
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Departments:
    departments = Departments()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments


async def _rows(house: House) -> list[Any]:
    async with house.database.read() as connection:
        return list((await connection.execute(select(CASES).order_by(CASES.c.number))).all())


def _same_person(**changes: Any) -> tuple[Any, Any]:
    first = body()
    return Application.model_validate(first), Application.model_validate(first | changes)


async def test_numbers_run_on_by_district_and_year(house: House, registry: Registry) -> None:
    answers = await registry.register(
        [application(), application(district="370302"), application(), application(received_on="2015-01-05")], "clerk"
    )
    assert [one.number for one in answers] == [
        "370303-2014-000001", "370302-2014-000001", "370303-2014-000002", "370303-2015-000001"
    ]  # fmt: skip
    (more,) = await registry.register([application()], "clerk")
    assert more.number == "370303-2014-000003"
    assert {row.state for row in await _rows(house)} == {CaseState.RECEIVED}


async def test_the_same_application_again_is_known(house: House, registry: Registry) -> None:
    same, again = _same_person()
    (first,) = await registry.register([same], "clerk")
    entries = await chain_length(house)
    (second,) = await registry.register([again], "clerk")
    assert (second.number, second.new, second.problem) == (first.number, False, None)
    assert await chain_length(house) == entries


async def test_the_same_number_with_other_content_is_told(registry: Registry) -> None:
    same, other = _same_person(station="和平派出所")
    await registry.register([same], "clerk")
    (answer,) = await registry.register([other], "clerk")
    assert answer.problem is not None
    assert answer.problem.field == "application_number"
    assert answer.number == "370303-2014-000001"


async def test_a_person_with_an_open_case_goes_on_there(registry: Registry) -> None:
    first, second = _same_person(application_number="T-OTHER")
    await registry.register([first], "clerk")
    (answer,) = await registry.register([second], "clerk")
    assert (answer.new, answer.number) == (False, "370303-2014-000001")
    assert answer.problem is not None
    assert "370303-2014-000001" in answer.problem.en
    assert first.person.id_number not in answer.problem.zh + answer.problem.en


async def test_one_file_speaks_of_a_person_once(registry: Registry) -> None:
    first, second = _same_person(application_number="T-OTHER")
    one, other = await registry.register([first, second], "clerk")
    assert (one.new, other.new) == (True, False)
    assert other.problem is not None


async def test_a_batch_is_whole_or_not_at_all(house: House, registry: Registry, monkeypatch: Any) -> None:
    def broken(*_: Any) -> str:
        raise RuntimeError

    monkeypatch.setattr(type(house.keys), "seal", broken)
    with pytest.raises(RuntimeError):
        await registry.register([application(), application()], "clerk")
    assert await _rows(house) == []
    assert await chain_length(house) == 0


async def test_two_doors_at_once_make_one_case(house: House, registry: Registry) -> None:
    people = [application() for _ in range(10)]
    twin = Registry(Database(house.settings.dsn, house.database.clock), house.keys, house.packs)
    answers = await asyncio.gather(*(each.register(people, "clerk") for each in (registry, twin, registry, twin)))
    await twin.database.dispose()
    assert len(await _rows(house)) == 10
    assert sorted(sum(answer.new for answer in one) for one in answers) == [0, 0, 0, 10]
    assert len({tuple(answer.number for answer in one) for one in answers}) == 1
    await chain_length(house)


async def test_two_doors_with_two_applications_of_one_person(house: House, registry: Registry) -> None:
    first, second = _same_person(application_number="T-OTHER")
    answers = await asyncio.gather(registry.register([first], "a"), registry.register([second], "b"))
    assert sorted(one[0].new for one in answers) == [False, True]
    assert len(await _rows(house)) == 1


async def test_nobody_applies_again_before_the_last_month_of_a_permit(
    house: House, registry: Registry, clock: SetClock, departments: Departments
) -> None:
    del departments
    first, second = _same_person(term_years=1, grounds=[], application_number="T-1")
    del first
    (answer,) = await registry.register([second], "clerk")
    assert answer.number is not None
    await work(house, answer.number)
    renewal = second.model_copy(update={"application_number": "T-2"})
    clock.set_day(date(2015, 10, 2))
    (early,) = await registry.register([renewal], "clerk")
    assert early.problem is not None
    assert "2015-11-02" in early.problem.en
    clock.set_day(date(2015, 10, 3))
    (due,) = await registry.register([renewal], "clerk")
    assert due.new


async def test_after_a_permit_ended_one_may_apply_again(
    house: House, registry: Registry, clock: SetClock, departments: Departments
) -> None:
    del departments
    _, once = _same_person(term_years=1, grounds=[])
    (answer,) = await registry.register([once], "clerk")
    assert answer.number is not None
    await work(house, answer.number)
    clock.set_day(date(2015, 12, 1))
    await reconcile(house)
    (again,) = await registry.register([once.model_copy(update={"application_number": "T-9"})], "clerk")
    assert again.new


async def test_nothing_of_a_person_stands_in_the_clear(house: House, registry: Registry) -> None:
    one = application(children=[{"name": "测试娃", "born_on": "2008-05-01"}])
    await registry.register([one], "clerk")
    (row,) = await _rows(house)
    shown = repr(tuple(row))
    for personal in (one.person.name, one.person.id_number, one.person.phone, one.person.address, "测试娃", "1985"):
        assert personal is not None
        assert personal not in shown
        assert personal.encode() not in row.sealed


async def test_a_case_that_is_closed_by_hand_lets_its_person_apply(house: House, registry: Registry) -> None:
    first, second = _same_person(application_number="T-OTHER")
    await registry.register([first], "clerk")
    async with house.database.write("test") as transaction:
        await transaction.connection.execute(update(CASES).values(state=CaseState.REFUSED, is_open=False))
    (answer,) = await registry.register([second], "clerk")
    assert answer.new
