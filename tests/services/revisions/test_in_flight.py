"""Rules that change while work goes on: who is looked at again, by which version each is decided, what is sent."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import select

from models import Decision, StepKind
from services.casework.deliveries import deliver_steps
from services.casework.differing import GAINS
from services.database import table
from services.house import House
from services.operations.retries import preview_retry
from services.operations.selection import Selection
from services.revisions import looking
from services.revisions.looking import look_through
from services.revisions.reading import preview_revision
from tests.services.revisions.conftest import PACK, Adopt, draft
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, reconcile, work
from tests.testing.looking import actions, case_row, chain_length, in_force, permit_row, steps
from tests.testing.people import application, registered

DAY = date(2014, 12, 1)
DRIVING = {"kind": "parameter", "parameter": "driving-age", "value": 30}
SPORT = "ZB87-3.1.7e"
HAND_OVER = {"kind": "owner", "services": [SPORT], "department": "culture"}


async def _open(house: House, *born: date) -> list[str]:
    numbers = await registered(house, *(application(born_on=day) for day in born))
    await work(house, *numbers)
    return numbers


async def _decisions(house: House, number: str) -> list[tuple[str | None, str | None]]:
    rows = table(Decision)
    query = select(rows.c.pack, rows.c.pack_digest).where(rows.c.case_number == number).order_by(rows.c.sequence)
    async with house.database.read() as connection:
        return [(row.pack, row.pack_digest) for row in await connection.execute(query)]


async def test_only_those_whose_answer_changes_are_touched(house: House, clock: SetClock, adopt: Adopt) -> None:
    young, old = await _open(house, date(1990, 3, 1), date(1980, 3, 1))
    before = {number: (await actions(house, number), await case_row(house, number)) for number in (young, old)}
    tried = await preview_revision(house, draft(DRIVING))
    assert (tried.trial.permits, tried.trial.affected) == (2, 1)
    await adopt(DRIVING)
    assert await look_through(house, "reconcile") == 1
    assert await look_through(house, "reconcile") == 0
    assert (await case_row(house, young)).review_on == DAY
    assert (await case_row(house, old)).review_on == before[old][1].review_on
    assert "3.1.9a" in await in_force(house, young)
    assert await reconcile(house) == []
    clock.set_day(DAY)
    assert await reconcile(house) == [young]
    assert "3.1.9a" not in await in_force(house, young)
    assert "3.1.9a" in await in_force(house, old)
    # Not a line was written about the other.
    assert await actions(house, old) == before[old][0]
    assert [pack for pack, _ in await _decisions(house, young)] == [PACK, f"{PACK}@2"]
    await chain_length(house)


async def test_who_is_issued_a_permit_meanwhile_is_looked_at_too(house: House, clock: SetClock, adopt: Adopt) -> None:
    await adopt(DRIVING)
    await look_through(house, "reconcile")
    young, old = await _open(house, date(1990, 3, 1), date(1980, 3, 1))
    assert (await case_row(house, young)).review_on == DAY
    assert "3.1.9a" in await in_force(house, young)
    clock.set_day(DAY)
    assert await reconcile(house) == [young]
    assert "3.1.9a" not in await in_force(house, young)
    del old


async def test_looking_through_goes_on_where_it_broke_off(
    house: House, adopt: Adopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.revisions.looking._PAGE", 1)
    monkeypatch.setattr("services.casework.pack_trial._PAGE", 1)
    numbers = await _open(house, date(1990, 3, 1), date(1991, 3, 1), date(1992, 3, 1))
    await adopt(DRIVING)
    looks, ask = 0, looking.answers_differ

    def breaks(*answers: object) -> bool:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise RuntimeError("killed")
        return ask(*answers)  # type: ignore[arg-type]

    monkeypatch.setattr(looking, "answers_differ", breaks)
    with pytest.raises(RuntimeError):
        await look_through(house, "reconcile")
    assert await look_through(house, "reconcile") == 2
    assert looks == 4
    assert {(await case_row(house, number)).review_on for number in numbers} == {DAY}


async def test_a_case_under_way_keeps_its_pack_and_asks_the_new_owner(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt
) -> None:
    await departments.disconnect(house, "commerce")
    (number,) = await registered(house, application(grounds=["business"]))
    await work(house, number)
    asked = [step for step in await steps(house, number) if step.department == "commerce"]
    assert [step.state.value for step in asked] == ["held"]
    await adopt({"kind": "owner", "facts": ["business_licence"], "department": "quality"})
    assert await look_through(house, "reconcile") == 1
    clock.set_day(DAY)
    await reconcile(house)
    await dispatch(house)
    found = {step.department: step for step in await steps(house, number) if step.kind is StepKind.VERIFICATION}
    assert found["commerce"].state.value == "superseded"
    assert (found["quality"].state.value, found["quality"].pack) == ("done", f"{PACK}@2")
    row = await case_row(house, number)
    # Services of the closed department wait; the permit does not.
    assert (row.pack, row.state.value) == (PACK, "provisioning")


async def test_a_new_ground_proves_a_case_that_waits(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt
) -> None:
    departments.facts |= {"other_ground_accepted": None}
    (number,) = await registered(house, application(grounds=["other"]))
    await work(house, number)
    assert (await case_row(house, number)).state.value == "verifying"
    await adopt({"kind": "ground", "facts": ["honour"]})
    await look_through(house, "reconcile")
    clock.set_day(DAY)
    await reconcile(house)
    await dispatch(house)
    permit = await permit_row(house, number)
    assert permit is not None
    assert permit.term_years == 3
    first, *_ = await _decisions(house, number)
    assert first[0] == f"{PACK}@2"


async def test_a_late_retry_goes_out_by_the_version_it_was_made_under_and_says_so(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt
) -> None:
    departments.failing["sports"] = 400
    (number,) = await registered(house, application())
    await work(house, number)
    departments.failing.clear()
    await adopt({"kind": "parameter", "parameter": "elderly-age", "value": 60})
    clock.set_day(DAY)
    await reconcile(house)
    run = await preview_retry(house, Selection(case=number), "administrator:test")
    (share,) = run.shares
    assert share.policies == (PACK,)
    (step,) = [one for one in await steps(house, number) if one.department == "sports"]
    assert (step.pack, step.state.value) == (PACK, "failed")


async def test_a_service_that_is_handed_over_moves_on_its_day(
    house: House, departments: Departments, clock: SetClock, adopt: Adopt
) -> None:
    (number,) = await registered(house, application())
    await work(house, number)
    await adopt(HAND_OVER)
    tried = await look_through(house, "reconcile")
    assert tried == 1
    departments.sent.clear()
    clock.set_day(DAY)
    await reconcile(house)
    await deliver_steps(house, "dispatch")
    await dispatch(house)
    assert "3.1.7e" in await in_force(house, number)
    told = [
        (event["id"].rsplit("-", 2)[-2], kind)
        for event in departments.sent
        for kind in ("open", "withdraw")
        if SPORT in json.dumps(event["data"].get(kind, []))
    ]
    assert sorted(told) == [("culture", "open"), ("sports", "withdraw")]


async def test_gains_are_told_before(house: House) -> None:
    await _open(house, date(1954, 6, 1))
    found = await preview_revision(house, draft({"kind": "parameter", "parameter": "elderly-age", "value": 60}))
    assert {shift.change for shift in found.trial.shifts} <= {GAINS, "dates"}
    assert found.trial.affected == 1
