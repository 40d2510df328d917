"""Figures count what is there, and nothing out of the reader's sight."""

from __future__ import annotations

from services.access import WHOLE_CITY, Sight
from services.dossiers.figures import Figures, figures
from services.house import House
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


async def _figures(house: House, sight: Sight = WHOLE_CITY) -> Figures:
    async with house.database.read() as connection:
        return await figures(connection, sight)


async def _three_cases(house: House, departments: Departments) -> list[str]:
    """One closed in 张店区, one closed with a service declined in 淄川区, one that waits for hrss in 淄川区."""
    numbers = await registered(house, application(term_years=1, grounds=[]), application(district="370302"))
    departments.declines["ZB87-3.1.5a"] = "quota-full"
    await work(house, *numbers)
    departments.silent.add("hrss")
    numbers += await registered(house, application(district="370302"))
    await work(house, numbers[2])
    return numbers


async def test_an_empty_house_has_empty_figures(house: House) -> None:
    found = await _figures(house)
    assert found == Figures({}, 0, {}, {}, {}, (), (), None)


async def test_everything_is_counted_by_where_it_stands(house: House, departments: Departments) -> None:
    numbers = await _three_cases(house, departments)
    found = await _figures(house)
    assert found.cases == {"verifying": 1, "closed": 2}
    assert found.permits == {1: {"in_force": 1}, 3: {"in_force": 1}}
    assert found.steps["hrss"] == {"received": 1, "done": 4}
    assert found.entitlements["housing-administration"] == {"declined": 2}
    assert [(one.department, one.reason, one.count) for one in found.declined] == [
        ("housing-administration", "quota-full", 2)
    ]
    assert [(one.department, one.state, one.count) for one in found.failures] == [
        ("housing-administration", "declined", 2)
    ]
    assert found.oldest is not None
    assert (found.oldest.department, found.oldest.case_number) == ("hrss", numbers[2])


async def test_a_step_that_is_tried_again_counts_as_retrying(house: House, departments: Departments) -> None:
    departments.failing["police"] = 503
    numbers = await registered(house, application(), application())
    await work(house, *numbers)
    (failure,) = (await _figures(house)).failures
    assert (failure.department, failure.state, failure.reason, failure.count) == ("police", "retrying", "http-503", 2)


async def test_a_district_counts_its_own(house: House, departments: Departments) -> None:
    await _three_cases(house, departments)
    own, other = await _figures(house, Sight(district="370303")), await _figures(house, Sight(district="370302"))
    whole = await _figures(house)
    assert (own.cases, own.permits, own.oldest) == ({"closed": 1}, {1: {"in_force": 1}}, None)
    for department, states in whole.steps.items():
        for state, count in states.items():
            parts = [part.steps.get(department, {}).get(state, 0) for part in (own, other)]
            assert sum(parts) == count
    assert await _figures(house, Sight(district="370323")) == Figures({}, 0, {}, {}, {}, (), (), None)


async def test_a_department_counts_its_own(house: House, departments: Departments) -> None:
    await _three_cases(house, departments)
    own = await _figures(house, Sight(department="housing-administration"))
    assert own.cases == {"closed": 2}
    assert set(own.steps) == set(own.entitlements) == {"housing-administration"}
    assert own.oldest is None
    assert await _figures(house, Sight(department="tax")) == Figures({}, 0, {}, {}, {}, (), (), None)
