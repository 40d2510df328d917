"""Incidents: one a cause, told once, counted from the ledger, and over by themselves."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import and_, func, select, update

from models import (
    AuditEntry,
    Door,
    Endpoint,
    EndpointState,
    Entitlement,
    EntitlementState,
    Incident,
    IncidentKind,
    Maintenance,
    Step,
    StepState,
)
from services.access import Sight
from services.casework.deliveries import deliver_steps
from services.database import table
from services.errors import ConflictError, NotFoundError
from services.house import House
from services.operations.contradictions import Found, see_contradictions
from services.operations.incidents import gather
from services.operations.watching import IncidentView, list_incidents, past_incidents, show_incident
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.looking import chain_length, steps
from tests.testing.people import application, registered

FUND = "housing-fund"


def _causes(found: tuple[IncidentView, ...]) -> set[tuple[str, str, str]]:
    return {(one.department.code, one.kind.code, one.reason.code) for one in found}


async def _cases(house: House, count: int, **changes: object) -> list[str]:
    numbers = await registered(house, *(application(**changes) for _ in range(count)))
    await work(house, *numbers)
    return numbers


async def _set(house: House, model: type, *where: object, **values: object) -> None:
    async with house.database.write("test") as transaction:
        await transaction.connection.execute(update(table(model)).where(*where).values(values))


async def _told(house: House, action: str) -> int:
    entries = table(AuditEntry)
    async with house.database.read() as connection:
        query = select(func.count()).where(entries.c.action == action)
        return int((await connection.execute(query)).scalar_one())


@pytest.mark.usefixtures("departments")
async def test_a_quiet_house_has_no_incident(house: House) -> None:
    await _cases(house, 2)
    assert await list_incidents(house) == ()
    assert (await gather(house)).opened == ()


async def test_many_failures_of_one_cause_are_one_incident_told_once(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.failing[FUND] = 503
    await _cases(house, 3)
    (one,) = await list_incidents(house)
    assert (one.department.code, one.kind.code, one.reason.code) == (FUND, "retrying", "http-503")
    assert (one.steps, one.cases, one.people, one.owner.code) == (3, 3, 3, "department")
    clock.pass_(minutes=20)
    await _cases(house, 2)
    (same,) = await list_incidents(house)
    assert (same.id, same.cases, same.since, same.most_cases) == (one.id, 5, one.since, 5)
    assert same.told.zh == f"{one.department.zh}自 10:00 起返回 503，系统正在重试：5 件；由该部门处理"
    assert await _told(house, "incident.opened") == 1
    await chain_length(house)


async def test_it_is_over_when_no_step_is_left_and_opens_anew_when_it_comes_again(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.failing[FUND] = 500
    await _cases(house, 2)
    (one,) = await list_incidents(house)
    departments.failing.clear()
    clock.pass_(hours=1)
    await deliver_steps(house, "dispatch")
    assert await list_incidents(house) == ()
    (past,) = await past_incidents(house)
    assert (past.id, past.state, past.steps, past.most_cases) == (one.id, "closed", 0, 2)
    assert past.closed_at is not None
    closed = await show_incident(house, one.id)
    assert (closed.steps, closed.incident.state) == ((), "closed")
    departments.failing[FUND] = 500
    await _cases(house, 1)
    (again,) = await list_incidents(house)
    assert again.id != one.id
    assert (await _told(house, "incident.opened"), await _told(house, "incident.closed")) == (2, 1)


async def test_what_was_tried_until_its_tries_were_used_up_stays_in_the_incident_of_its_cause(
    house: House, departments: Departments
) -> None:
    departments.failing[FUND] = 503
    numbers = await _cases(house, 3)
    (one,) = await list_incidents(house)
    failed = and_(table(Step).c.department == FUND, table(Step).c.case_number == numbers[0])
    await _set(house, Step, failed, state=StepState.FAILED, reason="tries-used-up:http-503", next_attempt_at=None)
    (same,) = await list_incidents(house)
    assert (same.id, same.kind.code, same.reason.code, same.steps, same.since) == (
        one.id, "failed", "http-503", 3, one.since,
    )  # fmt: skip
    assert len((await show_incident(house, one.id)).steps) == 3
    # Settled by hand, what is still tried again is the incident as before.
    await _set(house, Step, failed, state=StepState.DONE, reason=None)
    (still,) = await list_incidents(house)
    assert (still.id, still.kind.code, still.steps) == (one.id, "retrying", 2)
    assert (await _told(house, "incident.opened"), await _told(house, "incident.closed")) == (1, 0)
    await chain_length(house)


async def test_one_incident_goes_on_of_two_that_were_open_for_one_cause(house: House, departments: Departments) -> None:
    departments.failing[FUND] = 503
    numbers = await _cases(house, 2)
    (one,) = await list_incidents(house)
    old = {"open_key": f"{FUND}|failed|tries-used-up:http-503", "department": FUND, "kind": IncidentKind.FAILED}
    told = {"reason": "tries-used-up:http-503", "since": one.since, "opened_at": one.opened_at, "districts": []}
    async with house.database.write("test") as transaction:
        await transaction.insert(Incident, [old | told])
    failed = and_(table(Step).c.department == FUND, table(Step).c.case_number == numbers[0])
    await _set(house, Step, failed, state=StepState.FAILED, reason="tries-used-up:http-503", next_attempt_at=None)
    (left,) = await list_incidents(house)
    assert (left.kind.code, left.reason.code, left.steps) == ("failed", "http-503", 2)
    assert len(await past_incidents(house)) == 1


async def test_two_who_gather_at_once_tell_it_once(house: House, departments: Departments) -> None:
    departments.failing[FUND] = 503
    await _cases(house, 2)
    await asyncio.gather(*(gather(house) for _ in range(5)))
    assert await _told(house, "incident.opened") == 1
    departments.failing.clear()
    await _set(house, Step, table(Step).c.department == FUND, state=StepState.DONE)
    await asyncio.gather(*(gather(house) for _ in range(5)))
    assert await _told(house, "incident.closed") == 1


@pytest.mark.parametrize(
    ("status", "owner"), [(400, "administrator"), (422, "administrator"), (401, "department"), (404, "department")]
)
async def test_what_no_retry_mends_is_failed_and_lies_with_who_can_mend_it(
    house: House, departments: Departments, status: int, owner: str
) -> None:
    departments.failing[FUND] = status
    await _cases(house, 1)
    (one,) = await list_incidents(house)
    assert (one.kind.code, one.reason.code, one.owner.code) == ("failed", f"http-{status}", owner)


async def test_what_is_held_at_a_shut_door_is_part_of_its_cause(house: House, departments: Departments) -> None:
    endpoints = table(Endpoint)
    departments.failing[FUND] = 503
    await _cases(house, 2)
    await _set(
        house, Endpoint, endpoints.c.department == FUND, state=EndpointState.HELD, because="http-503",
        probe_at=house.database.clock.now() + timedelta(hours=1),
    )  # fmt: skip
    await _cases(house, 2)
    (one,) = await list_incidents(house)
    assert (one.kind.code, one.reason.code, one.cases) == ("retrying", "http-503", 4)
    await _set(house, Endpoint, endpoints.c.department == FUND, state=EndpointState.CLOSED, because="moved")
    causes = _causes(await list_incidents(house))
    assert (FUND, "stuck", "endpoint-closed") in causes


@pytest.mark.usefixtures("departments")
async def test_announced_maintenance_says_so(house: House) -> None:
    now = house.database.clock.now()
    async with house.database.write("test") as transaction:
        window = {"department": FUND, "from_at": now, "until_at": now + timedelta(hours=2), "announced_by": "test"}
        await transaction.insert(Maintenance, [window])
    await _cases(house, 1)
    (one,) = await list_incidents(house)
    assert (one.kind.code, one.reason.code) == ("retrying", "maintenance")


async def test_no_answer_by_the_deadline_is_stuck_since_the_day_after(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.silent.add(FUND)
    (number,) = await _cases(house, 1)
    (step,) = [one for one in await steps(house, number) if one.state is StepState.RECEIVED]
    assert step.answer_by is not None
    clock.set_day(step.answer_by)
    assert await list_incidents(house) == ()
    clock.set_day(step.answer_by + timedelta(days=1))
    (one,) = await list_incidents(house)
    assert (one.kind.code, one.reason.code, one.overdue, one.due_today) == ("stuck", "no-answer", 1, 0)
    assert one.since.date() == step.answer_by
    assert "1 件已逾期" in one.told.zh


@pytest.mark.usefixtures("departments")
async def test_what_never_reached_a_department_is_stuck_too(house: House, clock: SetClock) -> None:
    endpoints = table(Endpoint)
    await _set(house, Endpoint, endpoints.c.department == FUND, door=Door.INBOX)
    await _cases(house, 1)
    clock.set_day(date(2014, 12, 20))
    (one,) = await list_incidents(house)
    assert (one.department.code, one.kind.code, one.reason.code) == (FUND, "stuck", "not-taken")


async def test_deadlines_of_today_are_counted_and_come_first(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.failing |= {FUND: 400, "culture": 400}
    numbers = await _cases(house, 1)
    departments.failing = {"culture": 400}
    await _cases(house, 3)
    due = {one.department: one.answer_by for one in await steps(house, numbers[0]) if one.state is StepState.FAILED}
    await _set(house, Step, table(Step).c.department == "culture", answer_by=due["culture"] + timedelta(days=9))
    clock.set_day(due[FUND])
    first, second = await list_incidents(house)
    assert (first.department.code, first.due_today, first.cases) == (FUND, 1, 1)
    assert (second.department.code, second.due_today, second.cases) == ("culture", 0, 4)
    assert "其中 1 件今天到期" in first.told.zh


async def test_services_declined_are_an_incident_until_nothing_hangs_on_them(
    house: House, departments: Departments
) -> None:
    departments.declines |= {"ZB87-3.1.5a": "quota-full", "ZB87-3.1.7a": "not-our-duty"}
    await _cases(house, 2)
    found = {one.reason.code: one for one in await list_incidents(house)}
    assert {code: (one.kind.code, one.cases, one.owner.code) for code, one in found.items()} == {
        "quota-full": ("declined", 2, "coordinator"),
        "not-our-duty": ("declined", 2, "coordinator"),
    }
    file = await show_incident(house, found["quota-full"].id)
    assert len(file.steps) == 2
    await _set(house, Entitlement, table(Entitlement).c.reason == "quota-full", state=EntitlementState.ENDED)
    assert {one.reason.code for one in await list_incidents(house)} == {"not-our-duty"}


async def test_a_contradiction_waits_until_somebody_has_looked(house: House, departments: Departments) -> None:
    (number,) = await _cases(house, 1)
    step = f"{number}-v-hrss-1"
    await departments.report(house, "hrss", {"step": step, "facts": {"labour_contract": False}})
    (one,) = await list_incidents(house)
    assert (one.kind.code, one.reason.code, one.owner.code) == ("contradicted", "said-otherwise", "coordinator")
    async with house.database.write("coordinator:test") as transaction:
        assert await see_contradictions(transaction, step, Found.FIRST_RIGHT) == 1
    assert await list_incidents(house) == ()
    with pytest.raises(ConflictError):
        async with house.database.write("coordinator:test") as transaction:
            await see_contradictions(transaction, step, Found.FIRST_RIGHT)


async def test_steps_are_given_by_pages_without_a_gap(house: House, departments: Departments) -> None:
    departments.failing[FUND] = 503
    await _cases(house, 5)
    (one,) = await list_incidents(house)
    seen: list[str] = []
    after: str | None = None
    for _ in range(5):
        page = await show_incident(house, one.id, after=after, limit=2)
        seen += [step.id for step in page.steps]
        after = page.next
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert {step.status for step in page.steps} == {503}


async def test_nobody_sees_an_incident_or_a_count_out_of_sight(house: House, departments: Departments) -> None:
    departments.failing |= {FUND: 503, "police": 503}
    await _cases(house, 2)
    departments.failing = {"police": 503}
    await _cases(house, 1, district="370302")
    whole = {one.department.code: one for one in await list_incidents(house)}
    assert whole["police"].cases == 3
    (own,) = await list_incidents(house, Sight(district="370302"))
    assert (own.department.code, own.cases, own.steps, own.most_cases) == ("police", 1, 1, None)
    assert await list_incidents(house, Sight(district="370323")) == ()
    assert await list_incidents(house, Sight(department="tax")) == ()
    for sight in (Sight(district="370323"), Sight(department="tax")):
        with pytest.raises(NotFoundError):
            await show_incident(house, whole["police"].id, sight)
        assert await past_incidents(house, sight) == ()
    page = await show_incident(house, whole["police"].id, Sight(district="370302"))
    assert len(page.steps) == 1
    assert page.next is None


async def test_a_district_sees_what_is_over_of_its_own(house: House, departments: Departments) -> None:
    departments.failing["police"] = 503
    await _cases(house, 1, district="370302")
    (one,) = await list_incidents(house)
    departments.failing.clear()
    await _set(house, Step, table(Step).c.state == StepState.DUE, state=StepState.SUPERSEDED)
    assert await list_incidents(house) == ()
    (own,) = await past_incidents(house, Sight(district="370302"))
    assert (own.id, own.most_cases, own.told.zh) == (one.id, None, "已消除")
    assert (await show_incident(house, one.id, Sight(district="370302"))).incident.state == "closed"
    assert await past_incidents(house, Sight(district="370303")) == ()
    with pytest.raises(NotFoundError):
        await show_incident(house, one.id, Sight(district="370303"))


async def test_a_district_sees_an_incident_that_reached_it_without_growing(
    house: House, departments: Departments
) -> None:
    departments.failing["police"] = 503
    await _cases(house, 1, district="370302")
    (one,) = await list_incidents(house)
    # As many cases as before, in another district.
    await _set(house, Step, table(Step).c.state == StepState.DUE, state=StepState.SUPERSEDED)
    await _cases(house, 1, district="370303")
    assert [own.id for own in await list_incidents(house, Sight(district="370303"))] == [one.id]
    departments.failing.clear()
    await _set(house, Step, table(Step).c.state == StepState.DUE, state=StepState.SUPERSEDED)
    assert await list_incidents(house) == ()
    for reached in ("370302", "370303"):
        assert [past.id for past in await past_incidents(house, Sight(district=reached))] == [one.id]
    assert await past_incidents(house, Sight(district="370323")) == ()


async def test_an_incident_keeps_nothing_but_codes_and_times(house: House, departments: Departments) -> None:
    departments.failing[FUND] = 503
    await _cases(house, 1)
    await gather(house)
    async with house.database.read() as connection:
        row = (await connection.execute(select(table(Incident)))).one()
    assert row.kind is IncidentKind.RETRYING
    assert row.open_key == f"{FUND}|retrying|http-503"


async def test_what_is_over_is_filtered_before_it_is_paged(house: House, departments: Departments) -> None:
    departments.failing |= {FUND: 503, "police": 503}
    await _cases(house, 1)
    opened = {one.department.code: one.id for one in await list_incidents(house)}
    departments.failing.clear()
    await _set(house, Step, table(Step).c.state == StepState.DUE, state=StepState.SUPERSEDED)
    assert await list_incidents(house) == ()
    for department, number in opened.items():
        # One a page: whichever came last, the page of the other is as full.
        page = await past_incidents(house, department=department, limit=1)
        assert [one.id for one in page] == [number]
        kind = IncidentKind(page[0].kind.code)
        assert [one.id for one in await past_incidents(house, department=department, kind=kind, limit=1)] == [number]
        other = next(one for one in IncidentKind if one is not kind)
        assert await past_incidents(house, department=department, kind=other) == ()
