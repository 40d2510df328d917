"""The agenda composes itself; the sitting is written down as it happens; what is not settled goes on."""

from __future__ import annotations

from datetime import date

import pytest

from models import AgendaState, MatterKind, MatterState, MeetingState, Role
from services.access import Caller
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from services.meetings.agenda import call_meeting, convene, prepare_agenda, weight
from services.meetings.handling import put_forward
from services.meetings.preparing import prepare
from services.meetings.reading import meeting_at_hand, show_meeting
from services.meetings.rules import Rule, set_rule
from services.meetings.sitting import attend, call_off, close_sitting, defer, open_sitting, take_up
from tests.services.meetings.conftest import Sit, agenda, matter_row, matters, meeting_rows, officer
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.looking import chain_length
from tests.testing.people import application, registered


async def test_the_next_meeting_is_planned_once(house: House) -> None:
    first = await prepare_agenda(house)
    length = await chain_length(house)
    assert (first.held_on, first.called) == (date(2014, 11, 11), False)
    assert (await prepare_agenda(house)).meeting == first.meeting
    assert await chain_length(house) == length


async def test_matters_are_ranked_by_people_and_time_left() -> None:
    today = date(2014, 11, 3)
    many_later, few_now = weight(Rule(), 40, date(2014, 11, 28), today), weight(Rule(), 5, date(2014, 11, 3), today)
    assert few_now > many_later
    # What is overdue has no time left, however long it is overdue.
    assert weight(Rule(), 5, date(2014, 10, 3), today) == few_now
    assert weight(Rule(), 100, None, today) < few_now < weight(Rule(), 6, date(2014, 11, 3), today)


async def test_members_and_papers_are_fixed_when_it_is_called(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.failing["housing-fund"] = 503
    await work(house, *await registered(house, application(), application()))
    number = await put_forward(house, officer("education"), "education", "学位不足")
    # Five working days before 2014-11-11.
    clock.set_day(date(2014, 11, 4))
    prepared = (await prepare(house)).prepared
    assert prepared.called
    (meeting,) = await meeting_rows(house, MeetingState.CALLED)
    assert len(meeting.members) == 26
    papers = {item.matter_id: item.paper for item in await agenda(house, meeting.id)}
    assert papers[number]["title"]["zh"] == "学位不足"
    # What comes up now is for the meeting after.
    clock.set_day(date(2014, 11, 11))
    await prepare(house)
    trouble = (await matters(house))[MatterKind.TROUBLE]
    assert trouble.id not in papers
    (after,) = await meeting_rows(house, MeetingState.PLANNED)
    assert trouble.id in {item.matter_id for item in await agenda(house, after.id)}
    # And the paper that was sent does not change any more.
    assert {item.matter_id: item.paper for item in await agenda(house, meeting.id)} == papers


async def test_a_name_of_the_day(house: House) -> None:
    async def names(day: date) -> set[str]:
        from services.meetings.members import members_on  # noqa: PLC0415

        return {member.zh for member in members_on(house, day)}

    assert "卫生计生委" in await names(date(2014, 11, 11))


async def test_one_that_resolves_itself_after_the_call_stands_there_as_taken_off(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.silent.add("hrss")
    (number,) = await registered(house, application())
    await work(house, number)
    clock.set_day(date(2014, 11, 18))
    await prepare(house)
    clock.set_day(date(2014, 11, 19))
    await prepare(house)
    (meeting,) = await meeting_rows(house, MeetingState.CALLED)
    late = (await matters(house))[MatterKind.LATE]
    departments.silent.discard("hrss")
    await departments.call_back(house, number, "hrss")
    await dispatch(house)
    await prepare(house)
    item = next(one for one in await agenda(house, meeting.id) if one.matter_id == late.id)
    assert (item.state, item.because) == (AgendaState.OFF, "resolved-itself")


async def test_a_sitting_from_its_opening_to_its_close(
    house: House, sit: Sit, office: Caller, departments: Departments
) -> None:
    departments.declines["ZB87-3.1.7e"] = "not-our-duty"
    await work(house, *await registered(house, application()))
    first = await put_forward(house, officer("education"), "education", "学位不足")
    meeting = await sit()
    assert await meeting_at_hand(house) == meeting
    dispute = (await matters(house))[MatterKind.DISPUTE]
    await attend(house, office, meeting, "education", present=True, delegate="副局长")
    await attend(house, office, meeting, "sports", present=False)
    await attend(house, office, meeting, "sports", present=True)
    with pytest.raises(NotFoundError):
        await attend(house, office, meeting, "joint-meeting", present=True)
    await take_up(house, office, meeting, dispute.id)
    seen = await show_meeting(house, meeting)
    assert [point.matter.id for point in seen.agenda if point.current] == [dispute.id]
    there = {seat.department.code: seat.delegate for seat in seen.seats if seat.present}
    assert there == {"education": "副局长", "sports": None}
    await defer(house, office, meeting, dispute.id, "待法制办研究")
    with pytest.raises(ConflictError):
        await defer(house, office, meeting, dispute.id, "再议")
    left = await close_sitting(house, office, meeting)
    assert first in left
    with pytest.raises(ConflictError):
        await take_up(house, office, meeting, first)
    # Both stand on the next agenda.
    await prepare(house)
    (after,) = await meeting_rows(house, MeetingState.PLANNED)
    assert {first, dispute.id} <= {item.matter_id for item in await agenda(house, after.id)}
    assert (await matter_row(house, first)).state is MatterState.OPEN


async def test_only_a_called_meeting_is_opened_and_another_may_be_called_off(
    house: House, office: Caller, clock: SetClock
) -> None:
    prepared = await prepare_agenda(house)
    with pytest.raises(ConflictError, match="called"):
        await open_sitting(house, office, prepared.meeting, "副市长")
    number = await put_forward(house, officer("education"), "education", "学位不足")
    await call_meeting(house, office, prepared.meeting)
    await call_off(house, office, prepared.meeting, "防汛应急")
    await prepare(house)
    (after,) = await meeting_rows(house, MeetingState.PLANNED)
    assert (after.held_on, after.ordinal) == (date(2014, 11, 25), 2)
    assert number in {item.matter_id for item in await agenda(house, after.id)}
    del clock


async def test_a_meeting_beside_the_regular_ones(house: House, office: Caller) -> None:
    with pytest.raises(InputError, match="day off"):
        await convene(house, office, date(2014, 11, 8))
    extra = await convene(house, office, date(2014, 11, 6))
    with pytest.raises(ConflictError):
        await convene(house, office, date(2014, 11, 6))
    assert (await prepare_agenda(house)).meeting == extra


async def test_a_new_rule_moves_what_was_not_called(house: House, office: Caller) -> None:
    before = await prepare_agenda(house)
    await set_rule(house, office, {"first_on": "2014-11-13"}, house.database.clock.today())
    after = await prepare_agenda(house)
    assert (before.held_on, after.held_on) == (date(2014, 11, 11), date(2014, 11, 13))
    assert len(await meeting_rows(house)) == 1


async def test_only_so_many_matters_fit_on_one_agenda(house: House, office: Caller) -> None:
    await set_rule(house, office, {"agenda_limit": 2}, house.database.clock.today())
    for text in ("甲", "乙", "丙"):
        await put_forward(house, Caller("li", Role.COORDINATOR), "education", text)
    prepared = (await prepare(house)).prepared
    assert [item.position for item in await agenda(house, prepared.meeting)] == [1, 2]
