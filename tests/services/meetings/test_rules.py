"""When the meeting comes together: every second Tuesday, moved off holidays by the official calendar."""

from __future__ import annotations

from datetime import date

import pytest

from models import Role
from services.access import Caller
from services.errors import AccessError, InputError
from services.house import House
from services.meetings.members import members_on
from services.meetings.rules import Rule, read_rule, rule_on, set_rule
from tests.testing.clock import SetClock

OFFICE = Caller("li", Role.COORDINATOR)


def _series(rule: Rule, day: date, count: int) -> list[date]:
    found: list[date] = []
    while len(found) < count:
        found.append(rule.next_day(day))
        day = date.fromordinal(found[-1].toordinal() + 1)
    return found


def test_every_second_tuesday() -> None:
    assert _series(Rule(), date(2014, 10, 9), 3) == [date(2014, 10, 14), date(2014, 10, 28), date(2014, 11, 11)]
    assert Rule().next_day(date(2014, 10, 14)) == date(2014, 10, 14)


def test_a_holiday_moves_it_to_the_next_working_day() -> None:
    # The Spring Festival of 2015 is 18 to 24 February; that of Qingming 2016 is 2 to 4 April.
    rule = Rule(first_on=date(2015, 2, 24), every_weeks=1)
    assert _series(rule, date(2015, 2, 18), 2) == [date(2015, 2, 25), date(2015, 3, 3)]
    assert rule.next_day(date(2015, 2, 25)) == date(2015, 2, 25)


def test_a_make_up_workday_is_a_day_to_meet() -> None:
    # Saturday, 28 February 2015 was worked.
    rule = Rule(first_on=date(2015, 2, 28), every_weeks=4)
    assert rule.next_day(date(2015, 2, 25)) == date(2015, 2, 28)


def test_working_days_before_and_between() -> None:
    assert Rule().workdays_before(date(2015, 3, 3), 3) == date(2015, 2, 27)
    assert Rule().workdays_between(date(2015, 2, 17), date(2015, 2, 28)) == 4
    assert Rule().workdays_between(date(2015, 2, 28), date(2015, 2, 17)) == 0


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"weekday": 2}, "weekday"),
        ({"every_weeks": 0}, "every_weeks"),
        ({"every_weeks": True}, "every_weeks"),
        ({"first_on": "next week"}, "first_on"),
        ({"begins": "9.30"}, "begins"),
        ({"place": ""}, "place"),
        ({"answer_days": 8, "papers_days": 3}, "answer_days"),
    ],
)
def test_a_rule_that_does_not_hold_is_told_by_field(content: dict[str, object], place: str) -> None:
    with pytest.raises(InputError) as told:
        read_rule(content)
    assert told.value.place == place


async def test_the_rule_is_dated(house: House, clock: SetClock) -> None:
    await set_rule(house, OFFICE, {"every_weeks": 1, "place": "第二会议室"}, date(2015, 1, 5))
    async with house.database.read() as connection:
        assert (await rule_on(connection, date(2015, 1, 4))) == Rule()
        assert (await rule_on(connection, date(2015, 1, 5))) == Rule(every_weeks=1, place="第二会议室")
    with pytest.raises(InputError):
        await set_rule(house, OFFICE, {"every_weeks": 1}, date(2014, 11, 2))
    with pytest.raises(AccessError):
        await set_rule(house, Caller("a", Role.COORDINATOR, "370303"), {"every_weeks": 1}, date(2015, 1, 5))
    del clock


def test_the_members_of_the_opinion_the_associates_and_the_office(house: House) -> None:
    seats = members_on(house, date(2014, 11, 11))
    standings = [member.standing for member in seats]
    assert (standings.count("member"), standings.count("associate"), standings.count("office")) == (22, 3, 1)
    assert (seats[0].zh, seats[4].zh) == ("宣传部", "公安局")
