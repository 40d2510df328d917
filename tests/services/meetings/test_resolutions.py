"""Resolutions act with a second person's approval, close on evidence alone, and are chased when overdue."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import (
    CaseState,
    MatterKind,
    MatterState,
    Remedy,
    Reminder,
    Resolution,
    ResolutionState,
    Revision,
    StepState,
)
from services.access import Caller, Sight
from services.database import table
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.house import House
from services.meetings.acting import approve_action, ask_action, go_on_with_all, preview_action, reject_action
from services.meetings.actions import cases as for_cases
from services.meetings.following import confirm, follow
from services.meetings.handling import put_forward
from services.meetings.preparing import prepare
from services.meetings.reading import show_resolution, wanted_of
from services.meetings.resolutions import extend, report, revoke, set_action
from services.meetings.sitting import close_sitting
from services.revisions.looking import look_through
from services.supervision.appraisal import appraise
from services.supervision.periods import read_period
from services.supervision.supervise import supervise
from tests.services.meetings.conftest import Resolve, Sit, agenda, matter_row, matters, meeting_rows, officer
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, reconcile, work
from tests.testing.looking import actions, case_row, entitlements, permit_row, steps
from tests.testing.people import application, registered


async def _row(house: House, resolution: int) -> Any:
    rows = table(Resolution)
    async with house.database.read() as connection:
        return (await connection.execute(select(rows).where(rows.c.id == resolution))).one()


async def _on_other_ground(house: House, count: int) -> list[str]:
    numbers = await registered(house, *(application(grounds=["other"]) for _ in range(count)))
    await work(house, *numbers)
    return numbers


async def test_a_ground_is_accepted_for_a_class_and_permits_follow(
    house: House, departments: Departments, sit: Sit, resolve: Resolve, office: Caller, second: Caller
) -> None:
    del departments
    numbers = await _on_other_ground(house, 3)
    meeting = await sit()
    matter = (await matters(house))[MatterKind.OTHER_GROUND].id
    resolution = await resolve(meeting, matter, action={"kind": "accept-ground"})
    assert (await matter_row(house, matter)).state is MatterState.RULED
    preview = await ask_action(house, office, resolution)
    assert preview.figures["cases"] == 3
    assert (await _row(house, resolution)).preview["figures"]["districts"] == {"370303": 3}
    with pytest.raises(AccessError, match="second person"):
        await approve_action(house, office, resolution)
    assert await approve_action(house, second, resolution)
    # Agreed and carried out, but the ledger does not show it yet.
    assert (await follow(house)).closed == ()
    await dispatch(house)
    for number in numbers:
        permit = await permit_row(house, number)
        assert permit is not None
        assert (permit.term_years, permit.grounds) == (3, ["ZB87-2.5"])
        assert "fact.decided" in await actions(house, number)
    assert (await follow(house)).closed == (resolution,)
    whole = await show_resolution(house, resolution)
    assert whole.evidence is not None
    assert whole.evidence["figures"]["permits"] == 3
    assert [one.done for one in whole.outcomes] == [True] * 3
    assert (await matter_row(house, matter)).state is MatterState.DONE
    # The remedy bears both names, and the minutes it rests on.
    remedies = table(Remedy)
    async with house.database.read() as connection:
        remedy = (await connection.execute(select(remedies))).one()
    assert (remedy.asked_by, remedy.decided_by) == (office.actor, second.actor)
    assert remedy.content["document"] == "联席会议纪要〔2014〕1号第1项"


async def test_a_class_is_resolved_when_it_is_approved_and_recorded(
    house: House, departments: Departments, sit: Sit, resolve: Resolve, office: Caller, second: Caller
) -> None:
    del departments
    first = await _on_other_ground(house, 1)
    meeting = await sit()
    matter = (await matters(house))[MatterKind.OTHER_GROUND].id
    resolution = await resolve(meeting, matter, action={"kind": "accept-ground", "value": False})
    await ask_action(house, office, resolution)
    more = await registered(house, application(grounds=["other"], received_on="2014-11-10"))
    await work(house, *more)
    await approve_action(house, second, resolution)
    whole = await show_resolution(house, resolution)
    assert [one.case_number for one in whole.outcomes] == sorted([*first, *more])
    await dispatch(house)
    permit = await permit_row(house, first[0])
    assert permit is not None
    assert permit.term_years == 1


async def test_a_crash_between_two_lots_costs_nothing(  # noqa: PLR0917
    house: House,
    departments: Departments,
    sit: Sit,
    resolve: Resolve,
    office: Caller,
    second: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del departments
    await _on_other_ground(house, 3)
    meeting = await sit()
    matter = (await matters(house))[MatterKind.OTHER_GROUND].id
    resolution = await resolve(meeting, matter, action={"kind": "accept-ground"})
    await ask_action(house, office, resolution)
    monkeypatch.setattr(for_cases, "_LOT", 1)
    settle, calls = for_cases.settle_remedy, []

    async def broken(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return await settle(*given)

    monkeypatch.setattr(for_cases, "settle_remedy", broken)
    with pytest.raises(RuntimeError):
        await approve_action(house, second, resolution)
    done = [one.done for one in (await show_resolution(house, resolution)).outcomes]
    assert sorted(done, key=str) == [None, None, True]
    assert await go_on_with_all(house) == ()
    whole = await show_resolution(house, resolution)
    assert [one.done for one in whole.outcomes] == [True] * 3
    assert whole.carried_out_at is not None
    remedies = table(Remedy)
    async with house.database.read() as connection:
        assert len((await connection.execute(select(remedies))).all()) == 3


async def test_steps_are_waived_for_those_that_hang_on_the_matter(  # noqa: PLR0917
    house: House,
    departments: Departments,
    clock: SetClock,
    sit: Sit,
    resolve: Resolve,
    office: Caller,
    second: Caller,
) -> None:
    departments.failing["housing-fund"] = 503
    (number,) = await registered(house, application())
    await work(house, number)
    clock.set_day(date(2014, 11, 18))
    meeting = await sit()
    matter = (await matters(house))[MatterKind.TROUBLE].id
    action = {"kind": "waive", "clause": "ZB87-4.2a"}
    resolution = await resolve(meeting, matter, action=action)
    await ask_action(house, office, resolution)
    await approve_action(house, second, resolution)
    waived = [step for step in await steps(house, number) if step.state is StepState.WAIVED]
    assert {step.department for step in waived} == {"housing-fund"}
    assert resolution in (await follow(house)).closed
    assert (await case_row(house, number)).state in (CaseState.CLOSED, CaseState.PROVISIONING)


async def test_what_failed_is_sent_again_and_closes_when_confirmed(  # noqa: PLR0917
    house: House,
    departments: Departments,
    clock: SetClock,
    sit: Sit,
    resolve: Resolve,
    office: Caller,
    second: Caller,
) -> None:
    departments.failing["housing-fund"] = 400
    await work(house, *await registered(house, application(), application()))
    clock.set_day(date(2014, 11, 18))
    meeting = await sit()
    matter = (await matters(house))[MatterKind.TROUBLE].id
    resolution = await resolve(meeting, matter, action={"kind": "retry"})
    assert (await ask_action(house, office, resolution)).figures["steps"] >= 2
    departments.failing.clear()
    await approve_action(house, second, resolution)
    assert (await follow(house)).closed == ()
    for _ in range(4):
        # A retry keeps the rate of what piled up: the next step goes out a moment later.
        clock.pass_(seconds=1)
        await supervise(house)
        await dispatch(house)
    await supervise(house)
    assert (await prepare(house)).followed.closed == (resolution,)
    assert (await matter_row(house, matter)).state is MatterState.DONE


async def test_an_outage_is_declared_and_closes_when_it_is_over(  # noqa: PLR0917
    house: House,
    departments: Departments,
    clock: SetClock,
    sit: Sit,
    resolve: Resolve,
    office: Caller,
    second: Caller,
) -> None:
    del departments
    meeting = await sit()
    number = await put_forward(house, officer("housing-fund"), "housing-fund", "业务系统升级")
    await close_sitting(house, office, meeting)
    meeting = await sit()
    until = clock.instant + timedelta(days=2)
    action = {
        "kind": "outage",
        "department": "housing-fund",
        "from_at": clock.instant.isoformat(),
        "until_at": until.isoformat(),
        "note": "系统升级",
    }
    resolution = await resolve(meeting, number, department="housing-fund", action=action)
    await ask_action(house, office, resolution)
    await approve_action(house, second, resolution)
    assert (await follow(house)).closed == ()
    clock.pass_(days=3)
    assert (await follow(house)).closed == (resolution,)


async def test_a_second_persons_no_leaves_everything_as_it_was(
    house: House, departments: Departments, sit: Sit, resolve: Resolve, office: Caller, second: Caller
) -> None:
    del departments
    await _on_other_ground(house, 1)
    meeting = await sit()
    matter = (await matters(house))[MatterKind.OTHER_GROUND].id
    resolution = await resolve(meeting, matter, action={"kind": "accept-ground"})
    await ask_action(house, office, resolution)
    with pytest.raises(ConflictError):
        await set_action(house, office, resolution, None)
    await reject_action(house, second, resolution, "需补充材料")
    assert (await _row(house, resolution)).state is ResolutionState.AGREED
    with pytest.raises(ConflictError):
        await approve_action(house, second, resolution)
    await set_action(house, office, resolution, {"kind": "accept-ground", "of": {"district": "370305"}})
    with pytest.raises(ConflictError, match="no case"):
        await preview_action(house, resolution)
    await revoke(house, office, resolution, "改由公安局先行核实")
    assert (await matter_row(house, matter)).state is MatterState.OPEN


async def test_what_only_people_can_do_closes_on_a_report_that_another_looked_at(
    house: House, sit: Sit, resolve: Resolve, office: Caller, second: Caller, clock: SetClock
) -> None:
    del clock
    number = await put_forward(house, officer("education"), "education", "学位不足")
    meeting = await sit()
    resolution = await resolve(meeting, number, department="education")
    with pytest.raises(ConflictError):
        await ask_action(house, office, resolution)
    with pytest.raises(ConflictError, match="nothing was reported"):
        await confirm(house, office, resolution, "属实")
    with pytest.raises(AccessError):
        await report(house, officer("finance"), resolution, "已办")
    await report(house, officer("education"), resolution, "新增学位 200 个")
    assert (await follow(house)).closed == ()
    await confirm(house, second, resolution, "已现场查看")
    assert (await matter_row(house, number)).state is MatterState.DONE


async def test_an_overdue_one_is_chased_and_comes_back_to_the_agenda(
    house: House, sit: Sit, resolve: Resolve, office: Caller, clock: SetClock
) -> None:
    number = await put_forward(house, officer("education"), "education", "学位不足")
    meeting = await sit()
    resolution = await resolve(meeting, number, department="education", due_on=date(2014, 11, 14))
    await close_sitting(house, office, meeting)
    # A yellow card on the working day before, once.
    clock.set_day(date(2014, 11, 13))
    assert ((await follow(house)).reminded, (await follow(house)).reminded) == ((resolution,), ())
    clock.set_day(date(2014, 11, 17))
    first = await follow(house)
    assert (first.reminded, first.returned) == ((resolution,), (number,))
    # Not twice within three working days, nor does it come back twice.
    clock.set_day(date(2014, 11, 18))
    assert (await follow(house)).reminded == ()
    clock.set_day(date(2014, 11, 20))
    second = await follow(house)
    assert (second.reminded, second.returned) == ((resolution,), ())
    row = await matter_row(house, number)
    assert (row.state, row.returns) == (MatterState.OPEN, 1)
    await prepare(house)
    coming = (await meeting_rows(house))[-1]
    assert (await agenda(house, coming.id))[0].matter_id == number
    rows = table(Reminder)
    async with house.database.read() as connection:
        reminders = (await connection.execute(select(rows).order_by(rows.c.on))).all()
    cards = [(one.department, one.days_over, one.colour) for one in reminders]
    assert cards == [("education", 0, "yellow"), ("education", 1, "red"), ("education", 4, "red")]
    # They count against it, in the city as a whole, as any card does.
    found = (await appraise(house, read_period("2014-11"))).of("education")
    assert found is not None
    assert (found.warned, found.chased, found.score) == (1, 2, 0.0)
    assert (await appraise(house, read_period("2014-11"), Sight(department="health"))).of("education") is None
    wanted = await wanted_of(house, "education")
    assert [(one.id, one.overdue, one.reminders) for one in wanted.owed] == [(resolution, True, 3)]
    assert (await wanted_of(house, "health")).owed == ()
    # The next meeting gives it more time.
    meeting = await sit()
    await extend(house, office, resolution, date(2015, 1, 30), "需跨学期安排")
    assert (await matter_row(house, number)).state is MatterState.RULED


@pytest.mark.parametrize(
    ("changes", "error", "place"),
    [
        ({"text": ""}, InputError, "text"),
        ({"text": "请张三（37030319900101001X）到会"}, InputError, "text"),
        ({"department": "nobody"}, NotFoundError, "nobody"),
        ({"due_on": date(2014, 11, 1)}, InputError, "due_on"),
        ({"action": {"kind": "burn"}}, InputError, "action"),
        ({"action": {"kind": "waive"}}, InputError, "action.clause"),
        ({"action": {"kind": "waive", "clause": "ZB99-1"}}, InputError, "action.clause"),
        ({"action": {"kind": "decide-fact", "fact": "happy", "value": True, "department": "hrss"}}, InputError,
         "action.fact"),
        ({"action": {"kind": "accept-ground", "of": {"district": "110000"}}}, InputError, "action.district"),
    ],
)  # fmt: skip
async def test_a_resolution_that_does_not_hold_is_told_by_field(
    house: House, sit: Sit, resolve: Resolve, changes: dict[str, Any], error: type[Exception], place: str
) -> None:
    number = await put_forward(house, officer("education"), "education", "学位不足")
    meeting = await sit()
    with pytest.raises(error) as told:
        await resolve(meeting, number, **changes)
    assert getattr(told.value, "place", None) == place


async def test_a_service_moves_to_the_department_that_the_meeting_named(  # noqa: PLR0917
    house: House,
    departments: Departments,
    clock: SetClock,
    sit: Sit,
    resolve: Resolve,
    office: Caller,
    second: Caller,
) -> None:
    (number,) = await registered(house, application())
    departments.declines["ZB87-3.1.7e"] = "not-our-duty"
    await work(house, number)
    meeting = await sit()
    matter = (await matters(house))[MatterKind.DISPUTE].id
    action = {"kind": "hand-over", "services": ["ZB87-3.1.7e"], "to": "culture", "from_on": "2014-11-17"}
    resolution = await resolve(meeting, matter, department="culture", action=action)
    preview = await ask_action(house, office, resolution)
    assert preview.figures["permits"] == 1
    assert any("ZB87-3.1.7e" in place for place, _, _ in preview.figures["differences"])
    assert await approve_action(house, second, resolution)
    assert (await follow(house)).closed == ()
    revisions = table(Revision)
    async with house.database.read() as connection:
        revision = (await connection.execute(select(revisions))).one()
    assert (revision.state, revision.asked_by, revision.decided_by) == ("adopted", office.actor, second.actor)
    assert revision.basis == "联席会议纪要〔2014〕1号第1项"
    departments.declines.clear()
    clock.set_day(date(2014, 11, 17))
    await house.refresh_rules()
    await look_through(house, "reconcile")
    await reconcile(house)
    await dispatch(house)
    assert resolution in (await follow(house)).closed
    service = (await entitlements(house, number))["3.1.7e"]
    assert (service.department, service.state.value) == ("culture", "in_force")


async def test_a_parameter_is_set_by_a_revision_tried_first(  # noqa: PLR0917
    house: House, departments: Departments, clock: SetClock, sit: Sit, resolve: Resolve, office: Caller, second: Caller
) -> None:
    del departments
    await work(house, *await registered(house, application()))
    number = await put_forward(house, officer("hrss"), "hrss", "劳动年龄按新规定", "working-age")
    meeting = await sit()
    action = {"kind": "set-parameter", "parameter": "working-age", "value": 40, "from_on": "2014-11-17"}
    resolution = await resolve(meeting, number, department="hrss", action=action)
    assert (await ask_action(house, office, resolution)).figures["affected"] == 1
    assert house.packs.on("zibo-2014-87", date(2014, 11, 17)).parameters["working-age"].value == 16
    await approve_action(house, second, resolution)
    await house.refresh_rules()
    assert house.packs.on("zibo-2014-87", date(2014, 11, 17)).parameters["working-age"].value == 40
    assert house.packs.on("zibo-2014-87", date(2014, 11, 16)).parameters["working-age"].value == 16
    clock.set_day(date(2014, 11, 17))
    await look_through(house, "reconcile")
    assert (await follow(house)).closed == (resolution,)
