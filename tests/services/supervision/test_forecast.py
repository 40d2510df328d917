"""The forecast is what comes: the same months, departments and children as when time really passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from flows import forecast as flow
from models import Permit, Step
from services.access import Sight
from services.clock import china_day
from services.database import table
from services.errors import InputError
from services.house import House
from services.supervision.forecast import make_forecast, read_forecast, set_catchments
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, reconcile, work
from tests.testing.looking import in_force
from tests.testing.people import application, registered

TODAY = date(2014, 11, 3)


async def _town(house: House) -> list[str]:
    people = [
        application(children=[{"born_on": "2009-05-01"}, {"born_on": "2007-03-01"}]),
        application(children=[{"born_on": "2009-06-01"}], district="370302", station="般阳路派出所"),
        application(term_years=1, grounds=[]),
        application(born_on=date(1999, 3, 5)),
    ]
    numbers = await registered(house, *people)
    await work(house, *numbers)
    return numbers


async def test_what_is_foreseen_is_what_happens(house: House, clock: SetClock, departments: Departments) -> None:
    # What hangs on a fact that is asked only then cannot be foreseen: there it is denied.
    departments.facts |= {"housing_poor": False, "low_income": False}
    numbers = await _town(house)
    assert await make_forecast(house, "forecast") == len(numbers)
    seen = await read_forecast(house)
    told = {(line.name.code, month): count for line in seen.load
            for month, count in zip(seen.months, line.numbers, strict=True) if count}  # fmt: skip
    steps = table(Step)
    end = date(2015, 10, 31)
    day, second, before = TODAY, Counter(), {number: await in_force(house, number) for number in numbers}
    while day < end:
        day += timedelta(days=1)
        clock.set_day(day)
        for number in set(await reconcile(house)):
            now = await in_force(house, number)
            if any(one.startswith("3.2.") for one in now) and not any(one.startswith("3.2.") for one in before[number]):
                second[day.replace(day=1)] += 1
            before[number] = now
    async with house.database.read() as connection:
        rows = (await connection.execute(select(steps))).all()
        permits = (await connection.execute(select(table(Permit)))).all()
    happened = Counter(
        (row.department, china_day(row.created_at).replace(day=1)) for row in rows
        if TODAY < china_day(row.created_at) <= end
    )  # fmt: skip
    assert told == dict(happened)
    assert sum(count for line in seen.tier2 for count in line.numbers) == second.total() == 3
    expired = Counter(row.valid_until.replace(day=1) for row in permits if row.valid_until <= end)
    assert sum(count for line in seen.expiries for count in line.numbers) == expired.total()


async def test_school_places_are_of_children_by_district_and_catchment(house: House, departments: Departments) -> None:
    del departments
    await _town(house)
    await set_catchments(house, "coordinator:office", [("370303", "科苑派出所", "凯瑞小学服务区")])
    with pytest.raises(InputError):
        await set_catchments(house, "coordinator:office", [("110101", "x", "y")])
    await make_forecast(house, "forecast")
    seen = await read_forecast(house)
    assert seen.september == date(2015, 9, 1)
    places = {(one.district.code, one.catchment): (one.children, one.beginning) for one in seen.places}
    # Born in 2007 the one is at school already; those of 2009 turn six by 31 August.
    assert places == {("370303", "凯瑞小学服务区"): (2, 1), ("370302", None): (1, 1)}
    assert {one.district.code for one in (await read_forecast(house, Sight(district="370302"))).places} == {"370302"}
    own = await read_forecast(house, Sight(department="health"))
    assert (own.places, own.tier2, {line.name.code for line in own.load}) == ((), (), {"health"})


async def test_the_flow_makes_it_and_before_that_there_is_none(
    house: House, departments: Departments, monkeypatch: pytest.MonkeyPatch
) -> None:
    del departments
    assert (await read_forecast(house)).made_at is None

    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        yield house

    monkeypatch.setattr(flow, "open_house", opened)
    await _town(house)
    assert await flow.forecast.fn() == {"permits": 4}
    assert await flow.forecast.fn() == {"permits": 4}
    assert (await read_forecast(house)).permits == 4
