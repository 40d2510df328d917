"""Cards: ahead of time and past it, to who has custody, once a cause, and never for time that was another's."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from models import AuditEntry, CardColour, CardState, Door, Endpoint, RemedyKind, Role, Step
from services.access import Caller, Sight
from services.casework.deliveries import deliver_steps
from services.changes.reading import read_changes
from services.clock import CHINA
from services.database import table
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from services.operations.watching import list_incidents
from services.remedies.asking import ask_remedy
from services.remedies.corrections import take_correction
from services.remedies.orders import read_order
from services.supervision.board import CardFilter, CardView, contest_card, lift_card, list_cards, uphold_card
from services.supervision.calendar import list_calendar, preview_calendar, set_calendar
from services.supervision.cards import look
from services.supervision.clocks import read_clocks
from services.supervision.limits import list_limits, set_limit
from services.supervision.outages import declare_outage, end_outage
from services.supervision.supervise import supervise
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.looking import case_row, chain_length, steps
from tests.testing.people import application, registered

DUE = date(2014, 11, 17)
NEXT = date(2014, 11, 18)
COORDINATOR = Caller("office", Role.COORDINATOR)


async def _waiting(house: House, departments: Departments, *silent: str) -> str:
    """A case of 3 November that waits for the departments that keep silent."""
    departments.silent |= set(silent)
    (number,) = await registered(house, application())
    await work(house, number)
    return number


async def _dealt(house: House, sight: Sight | None = None) -> set[tuple[str, str, str, str | None]]:
    page = await list_cards(house, sight or Sight())
    return {
        (one.colour.code, one.cause.code, one.holder.code, one.department.code if one.department else None)
        for one in page.items
    }  # fmt: skip


async def _only(house: House, **wanted: object) -> CardView:
    (card,) = (await list_cards(house, wanted=CardFilter(**wanted))).items  # type: ignore[arg-type]
    return card


async def test_yellow_ahead_then_red_once_each_and_the_whole_not_a_second_time(
    house: House, clock: SetClock, departments: Departments
) -> None:
    number = await _waiting(house, departments, "hrss")
    assert (await case_row(house, number)).promised_by == DUE
    clock.set_day(date(2014, 11, 13))
    await supervise(house)
    assert await _dealt(house) == set()
    clock.set_day(date(2014, 11, 14))
    assert (await look(house)).yellow == 1
    assert await _dealt(house) == {("yellow", "own", "department", "hrss")}
    clock.set_day(NEXT)
    for _ in range(3):
        await look(house)
    # The case is late by the same department's time: it has its card, and nobody is dealt another.
    assert await _dealt(house) == {("yellow", "own", "department", "hrss"), ("red", "own", "department", "hrss")}
    assert (
        await _only(house, colour=CardColour.RED)
    ).told.zh == "人力资源社会保障局：协办事项时限已于2014年11月17日届满，发红牌"
    assert await _dealt(house, Sight(department="police")) == set()
    assert len(await _dealt(house, Sight(department="hrss"))) == 2
    assert len(await _dealt(house, Sight(district="370303"))) == 2
    entries = table(AuditEntry)
    async with house.database.read() as connection:
        told = select(func.count()).where(entries.c.action == "card.dealt", entries.c.subject == number)
        assert (await connection.execute(told)).scalar_one() == 2
    await chain_length(house)


async def test_a_card_reaches_who_has_custody_and_the_coordinators(
    house: House, clock: SetClock, departments: Departments
) -> None:
    departments.failing["police"] = 503
    number = await _waiting(house, departments, "hrss")
    clock.set_day(NEXT)
    await look(house)
    red = next(one for one in (await list_cards(house, Sight(department="hrss"))).items if one.colour.code == "red")
    await contest_card(house, Caller("wang", Role.OFFICER, "hrss"), red.id, "系统故障")
    await lift_card(house, COORDINATOR, red.id, "属实")
    async with house.database.read() as connection:
        changes, _ = await read_changes(connection, 0)
    cards = [one for one in changes if one.kind.startswith("card.")]
    kinds = {(one.kind, one.figures["colour"]) for one in cards if one.seen_by(Caller("wang", Role.OFFICER, "hrss"))}
    assert kinds == {("card.dealt", "red"), ("card.contested", "red"), ("card.lifted", "red")}
    # The door of police was dead: that time is not its own, and it is told of no card.
    assert not any(one.seen_by(Caller("zhou", Role.OFFICER, "police")) for one in cards)
    assert {one.subject for one in cards} == {number}
    for coordinator in (COORDINATOR, Caller("zhangdian", Role.COORDINATOR, "370303")):
        assert all(one.seen_by(coordinator) for one in cards)
    assert not any(one.seen_by(Caller("boshan", Role.COORDINATOR, "370304")) for one in cards)


async def test_a_card_on_the_case_as_a_whole_is_told_to_its_department(
    house: House, clock: SetClock, departments: Departments
) -> None:
    await set_limit(house, "coordinator:office", "hrss", 30)
    await _waiting(house, departments, "hrss")
    clock.set_day(NEXT)
    await look(house)
    card = await _only(house, colour=CardColour.RED)
    assert (card.step, card.cause.code, card.department and card.department.code) == (None, "promised", "hrss")
    async with house.database.read() as connection:
        changes, _ = await read_changes(connection, 0)
    (told,) = [one for one in changes if one.kind == "card.dealt" and one.figures["colour"] == "red"]
    assert told.seen_by(Caller("wang", Role.OFFICER, "hrss"))


async def test_time_before_a_dead_door_is_no_departments(
    house: House, clock: SetClock, departments: Departments
) -> None:
    departments.failing["hrss"] = 503
    number = await _waiting(house, departments)
    clock.set_day(NEXT)
    await look(house)
    found = await _dealt(house)
    assert ("red", "own", "channel", "hrss") in found
    assert not {one for one in found if one[2] == "department"}
    # It gets through on the 18th, and only from then on it is the department's, with all its days.
    departments.failing.clear()
    departments.silent.add("hrss")
    await deliver_steps(house, "dispatch", cases=[number])
    (step,) = [one for one in await steps(house, number) if one.department == "hrss" and one.received_at]
    await look(house)
    (step,) = [one for one in await steps(house, number) if one.id == step.id]
    assert step.answer_by == date(2014, 12, 2)
    clock.set_day(date(2014, 12, 3))
    await look(house)
    assert ("red", "own", "department", "hrss") in await _dealt(house)


async def test_an_inbox_that_nobody_opens_is_its_departments_time(
    house: House, clock: SetClock, departments: Departments
) -> None:
    async with house.database.write("test") as transaction:
        mine = update(table(Endpoint)).where(table(Endpoint).c.department == "hrss").values(door=Door.INBOX)
        await transaction.connection.execute(mine)
    await _waiting(house, departments)
    clock.set_day(NEXT)
    await look(house)
    assert ("red", "own", "department", "hrss") in await _dealt(house)


async def test_a_correction_stops_every_clock_and_gives_back_what_it_took(
    house: House, clock: SetClock, departments: Departments
) -> None:
    departments.silent.add("hrss")
    first = application()
    (number,) = await registered(house, first)
    await work(house, number)
    admin = Caller("admin", Role.ADMINISTRATOR)
    clock.set_day(date(2014, 11, 5))
    order = {"kind": RemedyKind.CORRECT.value, "reason": "照片不清", "cases": [number], "missing": ["照片"]}
    await ask_remedy(house, admin, read_order(order))
    row, (step,) = await case_row(house, number), [one for one in await steps(house, number) if one.state == "received"]
    assert (row.promised_by, row.look_on, step.answer_by, step.look_on) == (None, None, None, None)
    times = await read_clocks(house, number)
    assert {one.state.code for one in times.clocks if one.subject in (number, step.id)} == {"stopped"}
    assert [one.why.code for one in times.stops] == ["correction"]
    clock.set_day(date(2014, 11, 24))
    await look(house)
    assert await _dealt(house) == set()
    # No deadline stands, so none is missed.
    assert all(one.overdue == 0 for one in await list_incidents(house))
    await take_correction(house, admin, number, first)
    row, (step,) = await case_row(house, number), [one for one in await steps(house, number) if one.state == "received"]
    # From ten o'clock on the 5th to ten o'clock on the 24th: thirteen working days.
    assert (row.promised_by, step.answer_by) == (date(2014, 12, 4), date(2014, 12, 4))
    shares = {one.holder.code: one.hours for one in (await read_clocks(house, number)).shares}
    assert shares["applicant"] == 19 * 24
    assert sum(shares.values()) == (await read_clocks(house, number)).elapsed_hours


async def test_a_declared_outage_moves_what_waits_for_the_department_and_back_when_it_ends(
    house: House, clock: SetClock, departments: Departments
) -> None:
    number = await _waiting(house, departments, "hrss")
    start = datetime(2014, 11, 5, tzinfo=CHINA)
    clock.set_day(date(2014, 11, 4))
    found = await declare_outage(house, "operator", "hrss", start, start + timedelta(days=2))
    (step,) = [one for one in await steps(house, number) if one.department == "hrss" and one.state == "received"]
    assert {(one.subject, one.after) for one in found} == {(step.id, date(2014, 11, 19))}
    clock.instant = (start + timedelta(days=1)).astimezone(clock.instant.tzinfo)
    ended, back = await end_outage(house, "operator", "hrss")
    assert (ended, {one.after for one in back if one.clock == "own"}) == (1, {date(2014, 11, 18)})
    clock.set_day(NEXT)
    await look(house)
    # The whole is given back the day as well, since it waited for that department alone.
    assert (await case_row(house, number)).promised_by == date(2014, 11, 18)
    assert {one[0] for one in await _dealt(house)} == {"yellow"}
    assert ("yellow", "own", "department", "hrss") in await _dealt(house)


async def test_a_refusal_without_a_reason_is_carded_whatever_the_clock_says(
    house: House, departments: Departments
) -> None:
    departments.says["ZB87-3.1.6a"] = {"state": "declined", "reason": "other"}
    departments.says["ZB87-3.1.4b"] = {"state": "declined", "reason": "other", "note": "材料已另行通知本人"}
    departments.declines["ZB87-3.1.7a"] = "quota-full"
    await _waiting(house, departments)
    assert (await look(house)).red == 1
    assert await _dealt(house) == {("red", "unexplained", "department", "justice")}


async def test_a_card_is_contested_and_lifted_or_upheld_on_record(
    house: House, clock: SetClock, departments: Departments
) -> None:
    await _waiting(house, departments, "hrss")
    clock.set_day(NEXT)
    await look(house)
    card = await _only(house, colour=CardColour.RED)
    officer, other = Caller("li", Role.OFFICER, "hrss"), Caller("wu", Role.OFFICER, "police")
    with pytest.raises(NotFoundError):
        await contest_card(house, other, card.id, "不是我们的")
    with pytest.raises(InputError):
        await contest_card(house, officer, card.id, "  ")
    contested = await contest_card(house, officer, card.id, "申请人资料已退回社区核实")
    assert (contested.state.code, contested.contested_by) == ("contested", "officer:li")
    with pytest.raises(ConflictError):
        await contest_card(house, officer, card.id, "再次申诉")
    assert (await uphold_card(house, COORDINATOR, card.id, "理由不充分")).state.code == "upheld"
    lifted = await lift_card(house, COORDINATOR, card.id, "经核实系统原因")
    assert (lifted.state.code, lifted.decided_by) == ("lifted", "coordinator:office")
    with pytest.raises(ConflictError):
        await lift_card(house, COORDINATOR, card.id, "再次撤销")
    assert {one.state.code for one in (await list_cards(house, wanted=CardFilter(counting=True))).items} == set()
    # Lifted is lifted: the cause is not carded again.
    await look(house)
    assert len((await list_cards(house, wanted=CardFilter(state=CardState.LIFTED))).items) == 1


async def test_a_department_with_days_of_its_own_is_measured_by_them(
    house: House, clock: SetClock, departments: Departments
) -> None:
    await set_limit(house, "operator", "hrss", 5)
    with pytest.raises(InputError):
        await set_limit(house, "operator", "hrss", 0)
    with pytest.raises(NotFoundError):
        await set_limit(house, "operator", "post-office", 5)
    assert [one.days for one in await list_limits(house) if one.department.code in ("hrss", "police")] == [10, 5]
    number = await _waiting(house, departments, "hrss", "police")
    own = {one.department.code: one for one in (await read_clocks(house, number)).clocks if one.department}
    assert (own["hrss"].due_on, own["police"].due_on) == (date(2014, 11, 10), DUE)
    assert (own["hrss"].days, own["hrss"].days_left, own["hrss"].state.code) == (5, 5, "running")
    clock.set_day(date(2014, 11, 11))
    await look(house)
    assert await _dealt(house) == {("red", "own", "department", "hrss")}


async def test_a_changed_holiday_moves_deadlines_in_flight_after_a_preview(
    house: House, departments: Departments
) -> None:
    number = await _waiting(house, departments, "hrss")
    days = {date(2014, 11, 10): False}
    preview = await preview_calendar(house, days)
    assert (preview.cases, preview.by_clock) == (1, {"own": 1, "promised": 1})
    assert (await case_row(house, number)).promised_by == DUE
    made = await set_calendar(house, "operator", days, "市政府通知")
    assert made.moved == preview.moved
    assert (await case_row(house, number)).promised_by == NEXT
    assert {one.answer_by for one in await steps(house, number) if one.state == "received"} == {NEXT}
    # What is made from now on is reckoned by the same calendar.
    (later,) = await registered(house, application())
    await work(house, later)
    assert (await case_row(house, later)).promised_by == NEXT
    assert [(one.on, one.working, one.note) for one in await list_calendar(house)] == [
        (date(2014, 11, 10), False, "市政府通知")
    ]
    await set_calendar(house, "operator", {date(2014, 11, 10): True})
    assert (await case_row(house, number)).promised_by == DUE
    assert await list_calendar(house) == ()
    await chain_length(house)


async def test_nothing_is_looked_at_that_is_not_due(house: House, clock: SetClock, departments: Departments) -> None:
    await _waiting(house, departments)
    await dispatch(house)
    rows = table(Step)
    async with house.database.read() as connection:
        wanted = select(func.count()).where(rows.c.look_on.is_not(None), rows.c.state == "done")
        assert (await connection.execute(wanted)).scalar_one() == 0
    clock.set_day(date(2015, 3, 2))
    entries = await chain_length(house)
    await supervise(house)
    assert await chain_length(house) == entries
