"""The appraisal agrees with a recount of the ledger that knows nothing of how it is made."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import Row, select

from models import Card, Contradiction, Role, Step, StepState
from services.access import Caller, Sight
from services.casework.deliveries import deliver_steps
from services.database import table
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.house import House
from services.supervision.appraisal import Scorecard, appraise, percentile, set_weight
from services.supervision.board import CardFilter, lift_card, list_cards
from services.supervision.cards import look
from services.supervision.figures import Behind, decide_dispute, dispute_figure, list_disputes, steps_behind
from services.supervision.periods import month_of, read_period
from services.supervision.uptake import Given, Use, report_uses, service_figures, set_costs, take_satisfaction
from services.supervision.workbook import appraisal_workbook
from services.workdays import is_workday
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.looking import chain_length, steps
from tests.testing.people import application, registered

NOVEMBER, DECEMBER, QUARTER = read_period("2014-11"), read_period("2014-12"), read_period("2014Q4")
COORDINATOR = Caller("office", Role.COORDINATOR)
CHINA_HOURS = timedelta(hours=8)


async def _autumn(house: House, clock: SetClock, departments: Departments) -> list[str]:
    """Some weeks with slow, refusing, contradictory and unreachable departments in two districts."""
    numbers: list[str] = []
    for day, district, silent in (
        (date(2014, 11, 3), "370303", "hrss"), (date(2014, 11, 5), "370302", "police"),
        (date(2014, 11, 7), "370303", ""),
    ):  # fmt: skip
        clock.set_day(day)
        departments.silent = {silent} if silent else set()
        made = await registered(house, *(application(district=district) for _ in range(2)))
        await work(house, *made)
        numbers += made
    departments.failing["health"] = 503
    departments.says["ZB87-3.1.6a"] = {"state": "declined", "reason": "other"}
    departments.declines["ZB87-3.1.7a"] = "quota-full"
    departments.silent.clear()
    clock.set_day(date(2014, 11, 20))
    await look(house)
    for number in numbers[:4]:
        await departments.call_back(house, number, "hrss")
        await departments.call_back(house, number, "police")
    await dispatch(house)
    departments.failing.clear()
    clock.set_day(date(2014, 12, 2))
    await look(house)
    clock.pass_(hours=3)
    await deliver_steps(house, "dispatch")
    await dispatch(house)
    await look(house)
    return numbers


async def _everything(house: House, model: type) -> Sequence[Row[Any]]:
    async with house.database.read() as connection:
        return (await connection.execute(select(table(model)))).all()


def _day(instant: datetime) -> date:
    return (instant.astimezone(UTC) + CHINA_HOURS).date()


def _working_hours(start: datetime, end: datetime) -> float:
    """Minute by minute, by the published calendar: slow, and plain."""
    total, at = 0.0, start
    while at < end:
        step = min(end - at, timedelta(minutes=1))
        if is_workday(_day(at)):
            total += step.total_seconds() / 3600
        at += step
    return total


async def _recount(house: House, first: date, last: date) -> dict[tuple[str, str | None], dict[str, Any]]:
    """From the rows themselves, department by department, written without a look at the appraisal."""
    contradicted = {row.step_id for row in await _everything(house, Contradiction)}
    found: dict[tuple[str, str | None], dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    hours: dict[tuple[str, str | None], list[float]] = defaultdict(list)
    rows = await _everything(house, Step)
    for row in rows:
        for key in ((row.department, None), (row.department, row.district)):
            if first <= _day(row.created_at) <= last and row.state is not StepState.SUPERSEDED:
                found[key]["received"] += 1
            if row.state not in (StepState.DONE, StepState.DECLINED) or not first <= _day(row.settled_at) <= last:
                continue
            found[key]["closed"] += 1
            found[key]["on_time"] += _day(row.settled_at) <= row.answer_by
            found[key]["first_right"] += row.state is StepState.DONE and row.id not in contradicted
            found[key]["declined"] += row.state is StepState.DECLINED
            hours[key].append(_working_hours(row.received_at, row.settled_at))
    for card in await _everything(house, Card):
        if card.department and card.holder == "department" and first <= _day(card.dealt_at) <= last:
            for key in ((card.department, None), (card.department, card.district)):
                found[key][card.colour.value] += card.state != "lifted"
    for key, values in hours.items():
        values.sort()
        half = len(values) // 2
        found[key]["median"] = values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
        found[key]["p90"] = values[math.ceil(0.9 * len(values)) - 1]
    return found


def _agrees(one: Scorecard, told: dict[str, Any]) -> None:
    for name in ("received", "closed", "on_time", "first_right", "declined", "yellow", "red"):
        assert getattr(one, name) == told[name], (one.department.code, name)
    if one.closed:
        assert one.median_hours == pytest.approx(told["median"], abs=0.05)
        assert one.p90_hours == pytest.approx(told["p90"], abs=0.05)


async def test_it_agrees_with_a_straight_recount(house: House, clock: SetClock, departments: Departments) -> None:
    await _autumn(house, clock, departments)
    for period in (NOVEMBER, DECEMBER, QUARTER):
        found = await appraise(house, period)
        told = await _recount(house, period.first_day, period.last_day)
        keys = {(one.department.code, one.district.code if one.district else None) for one in found.cards}
        assert keys == {key for key, values in told.items() if any(values.values())}
        for one in found.cards:
            _agrees(one, told[one.department.code, one.district.code if one.district else None])
    quarter = await appraise(house, QUARTER)
    hrss = quarter.of("hrss")
    assert hrss is not None
    assert hrss.red > 0
    assert hrss.on_time < hrss.judged
    assert hrss.median_hours is not None
    justice = quarter.of("justice")
    assert justice is not None
    assert justice.reasoned < justice.refusals
    # A district's own staff are given that district, and what it comes to is a part of the whole.
    own = await appraise(house, QUARTER, Sight(district="370302"))
    assert {one.district.code for one in own.cards if one.district} == {"370302"}
    assert all(o.district for o in own.cards)
    mine = await appraise(house, QUARTER, Sight(department="hrss"))
    assert {one.department.code for one in mine.cards} == {"hrss"}


async def test_behind_every_figure_stand_its_steps(house: House, clock: SetClock, departments: Departments) -> None:
    await _autumn(house, clock, departments)
    card = (await appraise(house, QUARTER)).of("hrss")
    assert card is not None
    for figure, count in (
        ("received", card.received), ("closed", card.closed), ("on_time", card.on_time),
        ("late", card.judged - card.on_time), ("declined", card.declined),
    ):  # fmt: skip
        seen: list[str] = []
        after = None
        while True:
            page = await steps_behind(house, QUARTER, Behind(figure, "hrss"), after=after, limit=2)
            seen += [one.step for one in page.items]
            assert page.total == count
            after = page.next
            if after is None:
                break
        assert len(seen) == len(set(seen)) == count
    with pytest.raises(NotFoundError):
        await steps_behind(house, QUARTER, Behind("late", "hrss"), Sight(department="police"))
    with pytest.raises(InputError):
        await steps_behind(house, QUARTER, Behind("score", "hrss"))


async def test_a_figure_is_contested_and_a_step_left_out_of_it(
    house: House, clock: SetClock, departments: Departments
) -> None:
    await _autumn(house, clock, departments)
    before = (await appraise(house, NOVEMBER)).of("hrss")
    assert before is not None
    (late, *_) = (await steps_behind(house, NOVEMBER, Behind("late", "hrss"))).items
    officer = Caller("li", Role.OFFICER, "hrss")
    with pytest.raises(AccessError):
        await dispute_figure(house, COORDINATOR, "2014-11", "late", "不对", late.step)
    other = Caller("wu", Role.OFFICER, "police")
    with pytest.raises(NotFoundError):
        await dispute_figure(house, other, "2014-11", "late", "不对", late.step)
    dispute = await dispute_figure(house, officer, "2014-11", "late", "材料由社区补送", late.step)
    assert (dispute.figure.code, dispute.left_out) == ("on_time", None)
    assert (await appraise(house, NOVEMBER)).of("hrss") == before
    await decide_dispute(house, COORDINATOR, dispute.id, True, "属实")
    with pytest.raises(ConflictError):
        await decide_dispute(house, COORDINATOR, dispute.id, False, "再议")
    after = (await appraise(house, NOVEMBER)).of("hrss")
    assert after is not None
    assert (after.judged, after.on_time, after.closed) == (before.judged - 1, before.on_time, before.closed)
    assert [one.id for one in await list_disputes(house, Sight(department="hrss"))] == [dispute.id]
    assert await list_disputes(house, Sight(department="police")) == ()


async def test_a_lifted_card_takes_its_lateness_with_it_and_weights_are_parameters(
    house: House, clock: SetClock, departments: Departments
) -> None:
    await _autumn(house, clock, departments)
    before = (await appraise(house, NOVEMBER)).of("hrss")
    assert before is not None
    assert before.score is not None
    cards = (await list_cards(house, Sight(department="hrss"), CardFilter())).items
    red = next(one for one in cards if one.colour.code == "red" and one.cause.code == "own")
    await lift_card(house, COORDINATOR, red.id, "系统原因")
    after = (await appraise(house, NOVEMBER)).of("hrss")
    assert after is not None
    assert after.score is not None
    assert (after.red, after.on_time) == (before.red - 1, before.on_time + 1)
    assert after.score > before.score
    await set_weight(house, "coordinator:office", "cards", 0)
    weighed = (await appraise(house, NOVEMBER)).of("hrss")
    assert weighed is not None
    assert weighed.score != after.score
    with pytest.raises(InputError):
        await set_weight(house, "coordinator:office", "beauty", 1)


async def test_satisfaction_uses_and_costs_are_taken_in_and_shown(
    house: House, clock: SetClock, departments: Departments
) -> None:
    (first, *_) = await _autumn(house, clock, departments)
    marks = [Given(first, "hrss", 4, date(2014, 12, 2))]
    assert await take_satisfaction(house, COORDINATOR, marks) == 1
    assert await take_satisfaction(house, COORDINATOR, marks) == 0
    with pytest.raises(NotFoundError):
        await take_satisfaction(house, COORDINATOR, [Given(first, "tax", 4, date(2014, 12, 2))])
    with pytest.raises(InputError):
        await take_satisfaction(house, COORDINATOR, [Given(first, "hrss", 9, date(2014, 12, 2))])
    card = (await appraise(house, DECEMBER)).of("hrss")
    assert card is not None
    assert (card.satisfaction, card.answers) == (4.0, 1)
    officer, service = Caller("li", Role.OFFICER, "health"), "ZB87-3.1.4b"
    uses = [Use(service, "370303", date(2014, 11, 1), 3), Use(service, "370302", date(2014, 11, 1), 1)]
    assert await report_uses(house, officer, uses) == 2
    await report_uses(house, officer, [Use(service, "370303", date(2014, 11, 1), 5)])
    with pytest.raises(AccessError):
        await report_uses(house, officer, [Use("ZB87-3.1.6a", "370303", date(2014, 11, 1), 1)])
    await set_costs(house, "coordinator:office", {service: 1250}, date(2014, 10, 1))
    figures = {(one.service.code, one.district.code if one.district else None): one
               for one in await service_figures(house, QUARTER)}  # fmt: skip
    whole, district = figures[service, None], figures[service, "370303"]
    assert (whole.taken_up, whole.unit_fen, whole.cost_fen) == (6, 1250, 7500)
    assert (district.taken_up, district.cost_fen) == (5, 6250)
    assert whole.entitled == sum(one.entitled for (code, at), one in figures.items() if code == service and at)
    assert whole.opened <= whole.entitled
    await chain_length(house)


async def test_the_workbook_bears_figures_and_no_formula(
    house: House, clock: SetClock, departments: Departments
) -> None:
    await _autumn(house, clock, departments)
    appraisal = await appraise(house, QUARTER)
    content = appraisal_workbook(appraisal, await service_figures(house, QUARTER))
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    assert book.sheet_names == ["部门考核", "权益事项"]
    rows = book.get_sheet_by_name("部门考核").to_python()
    assert len(rows) == 2 + len(appraisal.cards)
    whole = next(row for row in rows if row[:2] == ["人力资源社会保障局", "全市"])
    card = appraisal.of("hrss")
    assert card is not None
    assert whole[2:5] == [card.received, card.closed, card.on_time]


def test_periods_and_percentiles() -> None:
    assert (NOVEMBER.first_day, NOVEMBER.last_day) == (date(2014, 11, 1), date(2014, 11, 30))
    assert (QUARTER.first_day, QUARTER.last_day, QUARTER.zh) == (
        date(2014, 10, 1), date(2014, 12, 31), "2014年第4季度",
    )  # fmt: skip
    assert month_of(date(2016, 2, 29)).last_day == date(2016, 2, 29)
    for wrong in ("2014-13", "2014Q5", "2014", "0000-01", "2014-1"):
        with pytest.raises(InputError):
            read_period(wrong)
    assert percentile([], 0.9) is None
    assert percentile([3.0, 1.0, 2.0], 0.9) == 3.0
    assert percentile(list(range(1, 11)), 0.9) == 9


async def test_steps_of_the_autumn_are_of_every_kind(house: House, clock: SetClock, departments: Departments) -> None:
    """The recount above is worth something only if the autumn has late, refused and answered steps."""
    numbers = await _autumn(house, clock, departments)
    states = {one.state for number in numbers for one in await steps(house, number)}
    assert {StepState.DONE, StepState.DECLINED} <= states
