"""Lists of cases: every row once, filters that hold, nothing out of sight, and finding a person."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from models import AuditEntry, CaseState, Role
from services.access import WHOLE_CITY, Caller, Sight
from services.database import table
from services.dossiers.listing import CaseFilter, Order, find_person, list_cases
from services.house import House
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


async def _numbers(house: House, sight: Sight = WHOLE_CITY, **wanted: object) -> list[str]:
    page = await list_cases(house, sight, CaseFilter(**wanted), limit=200)  # type: ignore[arg-type]
    return [row.number for row in page.items]


async def test_pages_hold_every_case_once_newest_first(house: House, clock: SetClock) -> None:
    numbers = []
    for _ in range(3):
        # Five of one instant: their order is told by the number alone.
        numbers += await registered(house, *(application() for _ in range(5)))
        clock.pass_(minutes=1)
    found, after = [], None
    while True:
        page = await list_cases(house, WHOLE_CITY, CaseFilter(), after=after, limit=4)
        found += [row.number for row in page.items]
        if page.next is None:
            break
        after = page.next
        # What comes in meanwhile is newer than the place reached and moves nothing.
        await registered(house, application(district="370305"))
    assert found == sorted(numbers, reverse=True)


async def test_a_full_last_page_is_the_last(house: House) -> None:
    await registered(house, *(application() for _ in range(4)))
    assert (await list_cases(house, WHOLE_CITY, CaseFilter(), limit=4)).next is None


@pytest.mark.parametrize("order", [Order.NEAREST, Order.FARTHEST])
async def test_by_deadline_every_case_stands_once_and_those_without_one_last(
    house: House, departments: Departments, clock: SetClock, order: Order
) -> None:
    departments.silent.add("hrss")
    decided = await registered(house, *(application(term_years=1, grounds=[]) for _ in range(2)))
    numbers = []
    for _ in range(3):
        # Two of one day: their order is told by the number alone.
        waiting = await registered(house, *(application() for _ in range(2)))
        await work(house, *waiting)
        numbers += waiting
        clock.pass_(days=2)
    await work(house, *decided)
    fresh = await registered(house, application())

    rows, after = [], None
    while True:
        page = await list_cases(house, WHOLE_CITY, CaseFilter(), after=after, limit=3, order=order)
        rows += page.items
        if page.next is None:
            break
        after = page.next

    down = order is Order.FARTHEST
    assert [row.number for row in rows] == [*sorted(numbers, reverse=down), *fresh, *reversed(decided)]
    days = [row.due_on for row in rows]
    assert days[:6] == sorted((day for day in days if day is not None), reverse=down)
    assert days[6:] == [None] * 3


async def test_filters_hold(house: House, departments: Departments) -> None:
    departments.silent.add("hrss")
    waiting, short, early = await registered(
        house,
        application(district="3703-gaoxin"),
        application(term_years=1, grounds=[]),
        application(received_on="2014-10-08"),
    )
    await work(house, waiting, short)
    assert await _numbers(house, state=CaseState.RECEIVED) == [early]
    assert await _numbers(house, district="3703-gaoxin") == [waiting]
    assert await _numbers(house, department="hrss", state=CaseState.VERIFYING) == [waiting]
    assert await _numbers(house, department="police") == []
    assert await _numbers(house, term=1) == [short]
    assert await _numbers(house, received_to=date(2014, 10, 8)) == [early]
    assert set(await _numbers(house, received_from=date(2014, 10, 9))) == {waiting, short}
    assert await _numbers(house, number_prefix="3703-gaoxin-2014") == [waiting]
    assert await _numbers(house, number_prefix="%") == []
    assert await _numbers(house, number_prefix="370303_2014") == []


async def test_a_list_shows_no_more_than_its_sight(house: House, departments: Departments) -> None:
    departments.silent |= {"hrss", "police"}
    own, other = await registered(house, application(), application(district="370302"))
    await work(house, own, other)
    assert await _numbers(house, Sight(district="370303")) == [own]
    assert await _numbers(house, Sight(district="370303"), district="370302") == []
    assert await _numbers(house, Sight(department="tax")) == []
    (row, _) = (await list_cases(house, Sight(department="hrss"), CaseFilter())).items
    assert [one.code for one in row.waiting_for] == ["hrss"]
    # Whether police has answered is not for hrss to find out.
    assert await _numbers(house, Sight(department="hrss"), department="police") == []
    assert len(await _numbers(house, Sight(department="hrss"), department="hrss")) == 2


async def test_rows_bear_a_masked_person_only(house: House) -> None:
    applied = application(name="欧阳明珠")
    await registered(house, applied)
    told = repr(await list_cases(house, WHOLE_CITY, CaseFilter()))
    assert "欧**" in told
    assert applied.person.id_number not in told
    assert "欧阳" not in told


@pytest.mark.parametrize("by", ["name", "id_number"])
async def test_a_person_is_found_and_the_search_is_logged_without_whom(house: House, by: str) -> None:
    applied = application(name="欧阳明珠")
    (number,) = await registered(house, applied)
    await registered(house, application())
    value = getattr(applied.person, by)
    rows, more = await find_person(house, Caller("zhang", Role.CLERK, "370303"), **{by: value})
    assert ([row.number for row in rows], more) == ([number], False)
    async with house.database.read() as connection:
        entries = (await connection.execute(select(table(AuditEntry)))).all()
    assert (entries[-1].action, entries[-1].actor) == ("person.searched", "clerk:zhang")
    assert entries[-1].detail == {"by": [by], "found": 1, "purpose": "handling"}
    assert str(value) not in str(entries)


async def test_a_person_out_of_sight_is_not_found(house: House, departments: Departments) -> None:
    del departments
    applied = application(name="欧阳明珠")
    (number,) = await registered(house, applied)
    await work(house, number)
    for caller in (Caller("a", Role.CLERK, "370302"), Caller("b", Role.OFFICER, "tax")):
        assert await find_person(house, caller, name="欧阳明珠") == ((), False)
    rows, _ = await find_person(house, Caller("c", Role.OFFICER, "hrss"), name="欧阳明珠")
    assert [row.number for row in rows] == [number]
