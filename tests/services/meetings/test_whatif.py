"""What if: who would gain and lose is counted by the same engine, never touched, and never named."""

from __future__ import annotations

import pytest

from services.casework.differing import GAINS, LOSES, OWNER
from services.errors import InputError
from services.house import House
from services.meetings.whatif import changed_pack, read_change, what_if
from services.policy.loading import pack_from
from tests.testing.departments import Departments, work
from tests.testing.looking import chain_length
from tests.testing.people import application, registered


@pytest.fixture
async def four(house: House, departments: Departments) -> list[str]:
    """Three permits of 3 years in two districts, and one of 1 year."""
    del departments
    numbers = await registered(
        house,
        application(),
        application(),
        application(district="370305", station="齐都派出所"),
        application(term_years=1, grounds=[]),
    )
    await work(house, *numbers)
    return numbers


def test_a_pack_is_the_same_from_its_own_content(house: House) -> None:
    pack = house.packs.named("zibo-2014-87")
    assert pack_from(pack.content).digest == pack.digest


async def test_nothing_changed_changes_nothing(house: House, four: list[str]) -> None:
    length = await chain_length(house)
    found = await what_if(house, read_change({}))
    assert (found.permits, found.seen, found.affected, found.whole) == (len(four), len(four), 0, True)
    assert await chain_length(house) == length


async def test_a_parameter_raised_takes_services_away(house: House, four: list[str]) -> None:
    # They are about 29: at 40 nobody is of working age.
    found = await what_if(house, read_change({"parameters": {"working-age": 40}}))
    assert found.affected == len(four)
    assert found.by_service()["ZB87-3.1.2a"] == {LOSES: 4}
    assert found.districts == {"370303": 3, "370305": 1}
    assert {department for department, _ in found.load} == {"hrss", "trade-union"}


async def test_a_tier_opened_to_one_year_permits(house: House, four: list[str]) -> None:
    found = await what_if(house, read_change({"terms": {2: [1, 3]}}))
    assert found.affected == 1
    assert found.by_service()["ZB87-3.2.2j"] == {GAINS: 1}
    del four


async def test_a_service_moved_is_load_for_both(house: House, four: list[str]) -> None:
    found = await what_if(house, read_change({"owners": {"ZB87-3.1.7a": "sports"}}))
    assert found.by_service() == {"ZB87-3.1.7a": {OWNER: len(four)}}
    assert found.load == {("sports", "2014-11"): 4, ("culture", "2014-11"): 4}


async def test_a_service_that_falls_away_and_one_that_asks_less(house: House, four: list[str]) -> None:
    found = await what_if(
        house, read_change({"without": ["ZB87-3.2.1b", "ZB87-3.2.1c"], "conditions": {"ZB87-3.2.4": []}})
    )
    assert found.by_service()["ZB87-3.2.4"] == {GAINS: 3}
    del four


async def test_a_look_is_bounded_and_says_how_much_it_saw(house: House, four: list[str]) -> None:
    found = await what_if(house, read_change({"parameters": {"working-age": 40}}), seconds=0.0)
    assert (found.seen, found.permits, found.whole) == (0, len(four), False)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"parameters": {"no-such": 3}}, "parameters"),
        ({"parameters": {"working-age": 1000}}, "parameters.working-age"),
        ({"owners": {"ZB87-9": "hrss"}}, "owners"),
        ({"owners": {"ZB87-3.1.7a": "nobody"}}, None),
        ({"without": ["ZB87-9"]}, "without"),
        ({"more": 1}, "more"),
    ],
)
async def test_a_change_that_makes_no_pack_is_told(house: House, change: dict[str, object], place: str | None) -> None:
    with pytest.raises(InputError) as told:
        changed_pack(house, read_change(change))
    assert place is None or told.value.place == place
