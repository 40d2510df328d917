"""Who may do what: many cases need a second person, nobody approves the own request, nothing is done twice."""

from __future__ import annotations

from typing import Any

import pytest

from models import CaseState, RemedyState, Role
from services.access import Caller, Sight
from services.errors import AccessError, ConflictError, NotFoundError
from services.house import House
from services.remedies.asking import approve_remedy, reject_remedy
from services.remedies.reading import list_remedies, read_remedy
from services.settings import Settings
from tests.testing.departments import Departments
from tests.testing.looking import case_row, chain_length
from tests.testing.people import application, registered


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation in which more than two cases need a second person."""
    return settings.model_copy(update={"approval_above": 2})


@pytest.fixture
async def three(house: House) -> list[str]:
    """Three applications, the last of another district."""
    return await registered(house, application(), application(), application(district="370305"))


async def _states(house: House, numbers: list[str]) -> set[CaseState]:
    return {(await case_row(house, number)).state for number in numbers}


async def test_few_cases_need_nobody_else(house: House, three: list[str], ask: Any) -> None:
    asked = await ask("withdraw", cases=three[:2])
    assert (asked.state, asked.done) == (RemedyState.DONE, 2)
    assert await _states(house, three[:2]) == {CaseState.WITHDRAWN}


async def test_many_cases_wait_for_a_second_person(
    house: House, three: list[str], ask: Any, administrator: Caller, colleague: Caller
) -> None:
    asked = await ask("withdraw", cases=three)
    assert asked.state is RemedyState.PROPOSED
    assert await _states(house, three) == {CaseState.RECEIVED}
    with pytest.raises(AccessError, match="second person"):
        await approve_remedy(house, administrator, asked.id)
    assert await _states(house, three) == {CaseState.RECEIVED}
    done = await approve_remedy(house, colleague, asked.id, "同意")
    assert (done.done, done.refused) == (3, 0)
    assert await _states(house, three) == {CaseState.WITHDRAWN}
    with pytest.raises(ConflictError, match="waits for nobody"):
        await approve_remedy(house, colleague, asked.id)
    with pytest.raises(ConflictError, match="waits for nobody"):
        await reject_remedy(house, colleague, asked.id, "再议")
    row = (await read_remedy(house, asked.id)).remedy
    assert (row.asked_by, row.decided_by) == ("administrator:wang", "administrator:li")
    await chain_length(house)


async def test_what_changed_while_it_waited_is_left_alone_and_told(
    house: House, three: list[str], ask: Any, colleague: Caller
) -> None:
    asked = await ask("withdraw", cases=three)
    await ask("withdraw", cases=three[:1])
    done = await approve_remedy(house, colleague, asked.id)
    assert (done.done, done.refused) == (2, 1)
    outcomes = {one.case_number: one for one in (await read_remedy(house, asked.id)).outcomes}
    assert outcomes[three[0]].done is False
    assert outcomes[three[0]].problem == "is withdrawn; only an application without a decision can be withdrawn"
    assert all(outcomes[number].done for number in three[1:])


async def test_turned_down_nothing_is_done(house: House, three: list[str], ask: Any, colleague: Caller) -> None:
    asked = await ask("withdraw", cases=three)
    await reject_remedy(house, colleague, asked.id, "理由不足")
    with pytest.raises(ConflictError, match="rejected"):
        await approve_remedy(house, colleague, asked.id)
    assert await _states(house, three) == {CaseState.RECEIVED}
    (row,) = (await list_remedies(house, state=RemedyState.REJECTED)).items
    assert (row.id, row.decided_because) == (asked.id, "理由不足")


async def test_who_asked_may_take_it_back(house: House, three: list[str], ask: Any, administrator: Caller) -> None:
    asked = await ask("withdraw", cases=three)
    taken_back = await reject_remedy(house, administrator, asked.id, "误报")
    assert taken_back.state is RemedyState.REJECTED


async def test_one_case_that_does_not_allow_it_stops_the_whole(
    house: House, three: list[str], departments: Departments, ask: Any
) -> None:
    del departments
    await ask("withdraw", cases=three[:1])
    before = await chain_length(house)
    with pytest.raises(ConflictError, match=three[0]):
        await ask("withdraw", cases=three[:2])
    assert await chain_length(house) == before
    assert (await case_row(house, three[1])).state is CaseState.RECEIVED


async def test_a_district_sees_and_mends_its_own(house: House, three: list[str], ask: Any) -> None:
    linzi = Caller("linzi", Role.ADMINISTRATOR, "370305")
    with pytest.raises(NotFoundError):
        await ask("withdraw", linzi, cases=three[:1])
    asked = await ask("withdraw", linzi, cases=three[2:])
    whole = await ask("withdraw", cases=three[:2])
    sight = Sight(district="370305")
    assert [row.id for row in (await list_remedies(house, sight)).items] == [asked.id]
    with pytest.raises(NotFoundError):
        await read_remedy(house, whole.id, sight)
    assert [row.id for row in (await list_remedies(house)).items] == [whole.id, asked.id]


async def test_a_page_leads_to_the_next(house: House, ask: Any) -> None:
    numbers = await registered(house, *(application() for _ in range(3)))
    ids = [(await ask("withdraw", cases=[number])).id for number in numbers]
    first = await list_remedies(house, limit=2)
    second = await list_remedies(house, before=first.before, limit=2)
    assert [row.id for row in (*first.items, *second.items)] == ids[::-1]
    assert second.before is None
