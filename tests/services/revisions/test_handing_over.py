"""A service that is handed over to another department: its holder never stands without it, whatever comes between."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import select

from models import Entitlement, EntitlementState, IncidentKind, MatterKind
from services.casework.advance import advance
from services.casework.deliveries import deliver_steps
from services.database import table
from services.dossiers.prospects import read_prospects
from services.house import House
from services.meetings.causes import Cause as MatterCause
from services.meetings.causes import live_causes as live_matters
from services.meetings.rules import Rule
from services.notices.rights import read_rights_notice
from services.operations.incidents import live_causes
from services.operations.troubles import Cause
from services.remedies.asking import ask_remedy
from services.remedies.orders import read_order
from services.revisions.looking import look_through
from tests.services.revisions.conftest import Adopt
from tests.testing.accounts import person
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, reconcile, work
from tests.testing.looking import case_row, steps
from tests.testing.people import application, registered

DAY, LATER = date(2014, 12, 1), date(2014, 12, 15)
SPORT = "ZB87-3.1.7e"
OLD, NEW = "sports", "culture"
TO_NEW = {"kind": "owner", "services": [SPORT], "department": NEW}
BACK = {"kind": "owner", "services": [SPORT], "department": OLD}
IN_FORCE, ENDED, DECLINED = EntitlementState.IN_FORCE, EntitlementState.ENDED, EntitlementState.DECLINED
PROVISIONING, WITHDRAWING = EntitlementState.PROVISIONING, EntitlementState.WITHDRAWING


async def _stands(house: House, number: str) -> dict[str, EntitlementState]:
    """How the service stands, by department."""
    rows = table(Entitlement)
    query = select(rows.c.department, rows.c.state).where(rows.c.case_number == number, rows.c.service == SPORT)
    async with house.database.read() as connection:
        return {row.department: row.state for row in await connection.execute(query)}


def _told(departments: Departments) -> list[tuple[str, str]]:
    """Who was told to open or to withdraw the service, in the order of the messages."""
    return [
        (event["id"].rsplit("-", 2)[-2], kind)
        for event in departments.sent
        for kind in ("open", "withdraw")
        if SPORT in json.dumps(event["data"].get(kind, []))
    ]


async def _handed_over(house: House, clock: SetClock, adopt: Adopt, day: date = DAY) -> None:
    """Adopt it, let its day come, and plan what follows; nothing is sent yet."""
    await adopt(TO_NEW, from_on=day)
    await look_through(house, "reconcile")
    clock.set_day(day)


async def _declined(house: House) -> list[Cause]:
    async with house.database.read() as connection:
        return [cause for cause in await live_causes(house, connection) if cause.kind is IncidentKind.DECLINED]


@pytest.fixture
async def holder(house: House) -> str:
    """A permit by which the service is open at the old department."""
    (number,) = await registered(house, application())
    await work(house, number)
    assert await _stands(house, number) == {OLD: IN_FORCE}
    return number


async def test_it_is_opened_first_and_withdrawn_when_the_new_one_has_confirmed(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt, holder: str
) -> None:
    departments.silent.add(NEW)
    departments.sent.clear()
    await _handed_over(house, clock, adopt)
    await reconcile(house)
    await dispatch(house)
    assert _told(departments) == [(NEW, "open")]
    assert await _stands(house, holder) == {OLD: IN_FORCE, NEW: PROVISIONING}
    (told,) = [one for one in await read_prospects(house, holder) if one.service.code == SPORT]
    assert (told.department.code, told.stands.code if told.stands else None) == (OLD, "in_force")
    notice = await read_rights_notice(house, holder)
    assert [desk.department.code for desk in notice.has for one in desk.rights if one.service.code == SPORT] == [OLD]
    await departments.call_back(house, holder, NEW)
    await dispatch(house)
    assert _told(departments) == [(NEW, "open"), (OLD, "withdraw")]
    assert await _stands(house, holder) == {OLD: ENDED, NEW: IN_FORCE}
    assert (await case_row(house, holder)).state.value == "closed"
    sent = len(departments.sent)
    await work(house, holder)
    clock.set_day(LATER)
    await reconcile(house)
    assert len(departments.sent) == sent


async def test_declined_by_the_new_one_it_stays_and_somebody_is_told(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt, holder: str
) -> None:
    departments.declines[SPORT] = "not-our-duty"
    await _handed_over(house, clock, adopt)
    departments.sent.clear()
    await reconcile(house)
    await dispatch(house)
    assert _told(departments) == [(NEW, "open")]
    assert await _stands(house, holder) == {OLD: IN_FORCE, NEW: DECLINED}
    assert await _declined(house) == [Cause(NEW, IncidentKind.DECLINED, "not-our-duty")]
    async with house.database.read() as connection:
        matters = await live_matters(house, connection, Rule())
    assert matters[MatterCause(MatterKind.DISPUTE, NEW, SPORT)].size == 1
    # Settled in its favour, it opens; only then the old one lets go.
    departments.declines.clear()
    reopened = read_order({"kind": "reopen", "reason": "联席会议议定由该部门承办", "cases": [holder]})
    await ask_remedy(house, await person(house, "zhao"), reopened)
    await dispatch(house)
    assert await _stands(house, holder) == {OLD: ENDED, NEW: IN_FORCE}


async def test_handed_back_after_it_was_declined_nothing_changes_for_the_holder(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt, holder: str
) -> None:
    departments.declines[SPORT] = "not-our-duty"
    await _handed_over(house, clock, adopt)
    await reconcile(house)
    await dispatch(house)
    departments.sent.clear()
    await adopt(BACK, from_on=LATER)
    await look_through(house, "reconcile")
    clock.set_day(LATER)
    await reconcile(house)
    await dispatch(house)
    assert _told(departments) == []
    assert await _stands(house, holder) == {OLD: IN_FORCE, NEW: ENDED}
    assert await _declined(house) == []


async def test_a_crash_in_between_leaves_the_old_one_until_the_work_goes_on(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt, holder: str
) -> None:
    await _handed_over(house, clock, adopt)
    departments.sent.clear()
    # Planned, and the process ended before anything was sent; then sent, and it ended before anything was planned.
    await advance(house.database, house.caseworker, [holder], "reconcile")
    assert await _stands(house, holder) == {OLD: IN_FORCE, NEW: PROVISIONING}
    await deliver_steps(house, "dispatch")
    assert await _stands(house, holder) == {OLD: IN_FORCE, NEW: IN_FORCE}
    assert _told(departments) == [(NEW, "open")]
    await advance(house.database, house.caseworker, [holder], "dispatch")
    await advance(house.database, house.caseworker, [holder], "dispatch")
    assert await _stands(house, holder) == {OLD: WITHDRAWING, NEW: IN_FORCE}
    await dispatch(house)
    assert _told(departments) == [(NEW, "open"), (OLD, "withdraw")]
    assert await _stands(house, holder) == {OLD: ENDED, NEW: IN_FORCE}


@pytest.mark.parametrize("answered", [False, True], ids=["unsent", "answered-late"])
async def test_the_permit_ends_in_between(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt, holder: str, answered: bool
) -> None:
    departments.silent.add(NEW)
    await _handed_over(house, clock, adopt)
    departments.sent.clear()
    await advance(house.database, house.caseworker, [holder], "reconcile")
    if answered:
        await deliver_steps(house, "dispatch")
    cancel = read_order({"kind": "cancel", "reason": "持证人离开本市", "cases": [holder], "end": "left-city"})
    await ask_remedy(house, await person(house, "zhao"), cancel)
    await dispatch(house)
    if not answered:
        assert _told(departments) == [(OLD, "withdraw")]
        assert await _stands(house, holder) == {OLD: ENDED, NEW: ENDED}
        return
    assert await _stands(house, holder) == {OLD: ENDED, NEW: PROVISIONING}
    departments.silent.clear()
    await departments.call_back(house, holder, NEW)
    await dispatch(house)
    assert _told(departments) == [(NEW, "open"), (OLD, "withdraw"), (NEW, "withdraw")]
    assert await _stands(house, holder) == {OLD: ENDED, NEW: ENDED}


async def test_an_opening_that_was_not_sent_goes_to_the_new_one(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt
) -> None:
    await departments.disconnect(house, OLD)
    (number,) = await registered(house, application())
    await work(house, number)
    assert await _stands(house, number) == {OLD: PROVISIONING}
    await _handed_over(house, clock, adopt)
    departments.sent.clear()
    await reconcile(house)
    await dispatch(house)
    assert _told(departments) == [(NEW, "open")]
    assert await _stands(house, number) == {OLD: ENDED, NEW: IN_FORCE}
    # What else the old one owes still waits for its door.
    others = [step for step in await steps(house, number) if step.department == OLD]
    assert {step.state.value for step in others} <= {"superseded", "held"}
    asked = [one["service"] for step in others if step.state.value == "held" for one in step.content.get("open", [])]
    assert SPORT not in asked


async def test_what_the_old_one_may_have_taken_is_withdrawn_when_the_new_one_has_it(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt
) -> None:
    departments.failing[OLD] = 400
    (number,) = await registered(house, application())
    await work(house, number)
    await _handed_over(house, clock, adopt)
    departments.failing.clear()
    departments.sent.clear()
    await reconcile(house)
    await dispatch(house)
    assert _told(departments) == [(NEW, "open"), (OLD, "withdraw")]
    assert await _stands(house, number) == {OLD: ENDED, NEW: IN_FORCE}


async def test_declined_by_the_old_one_it_is_asked_of_the_new_one(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt
) -> None:
    departments.declines[SPORT] = "not-our-duty"
    (number,) = await registered(house, application())
    await work(house, number)
    departments.declines.clear()
    await _handed_over(house, clock, adopt)
    await reconcile(house)
    await dispatch(house)
    assert await _stands(house, number) == {OLD: ENDED, NEW: IN_FORCE}


async def test_handed_back_before_the_old_one_let_go_it_is_never_gone(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt, holder: str
) -> None:
    departments.silent.add(OLD)
    await _handed_over(house, clock, adopt)
    await reconcile(house)
    await dispatch(house)
    assert await _stands(house, holder) == {OLD: WITHDRAWING, NEW: IN_FORCE}
    await adopt(BACK, from_on=LATER)
    await look_through(house, "reconcile")
    clock.set_day(LATER)
    await reconcile(house)
    assert (await _stands(house, holder))[NEW] is IN_FORCE
    departments.silent.clear()
    for _ in range(3):
        await departments.call_back(house, holder, OLD)
        await dispatch(house)
        assert IN_FORCE in (await _stands(house, holder)).values()
    assert await _stands(house, holder) == {OLD: IN_FORCE, NEW: ENDED}
