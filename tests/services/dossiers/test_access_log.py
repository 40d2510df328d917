"""The access log says exactly what left the house: no more, no less."""

from __future__ import annotations

from sqlalchemy import update

from models import Attempt
from services.access import Sight
from services.database import table
from services.dossiers.access_log import read_access_log
from services.evidence.bundle import write_bundle
from services.house import House
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


async def test_it_lists_every_message_with_the_fields_it_bore(house: House, departments: Departments) -> None:
    (number,) = await registered(house, application(children=[{"born_on": "2008-05-01", "relation": "son"}]))
    await work(house, number)
    log = await read_access_log(house, number)
    sent = {event["id"]: event["data"] for event in departments.sent}
    assert {one.step for one in log.sent} == set(sent)
    for one in log.sent:
        data = sent[one.step]
        assert {field.code for field in one.fields} == set(data["person"])
        assert (one.purpose.zh, one.purpose.en) == (data["purpose"]["zh"], data["purpose"]["en"])
        assert [clause.code for clause in one.clauses] == data["clauses"]
        assert one.clauses
        assert (one.tries, one.received, one.recorded) == (1, True, True)
    assert len(sent) > 5
    assert log.opened == ()


async def test_a_try_that_never_left_is_no_disclosure_and_a_failed_one_is(
    house: House, departments: Departments
) -> None:
    departments.failing["hrss"] = 503
    (number,) = await registered(house, application())
    await work(house, number)
    (one,) = [one for one in (await read_access_log(house, number)).sent if one.department.code == "hrss"]
    assert (one.received, {field.code for field in one.fields} >= {"name", "id_number"}) == (False, True)
    attempts = table(Attempt)
    async with house.database.engine.begin() as connection:
        mine = attempts.c.step_id == one.step
        await connection.execute(update(attempts).where(mine).values(status=None, error="connect"))
    assert "hrss" not in {one.department.code for one in (await read_access_log(house, number)).sent}


async def test_what_was_not_written_down_is_told_as_what_is_allowed(house: House, departments: Departments) -> None:
    (number,) = await registered(house, application())
    await work(house, number)
    before = {one.step: one for one in (await read_access_log(house, number)).sent}
    async with house.database.engine.begin() as connection:
        await connection.execute(update(table(Attempt)).values(fields=None))
    for one in (await read_access_log(house, number)).sent:
        assert not one.recorded
        assert set(one.fields) >= set(before[one.step].fields)
    assert departments.sent


async def test_who_opened_it_is_told_and_an_officer_sees_the_own_department_only(
    house: House, departments: Departments
) -> None:
    (number,) = await registered(house, application())
    await work(house, number)
    await write_bundle(house, departments.sent[0]["id"], "auditor:li")
    log = await read_access_log(house, number)
    assert [(one.actor, "证据" in one.what.zh) for one in log.opened] == [("auditor:li", True)]
    own = await read_access_log(house, number, Sight(department="hrss"))
    assert {one.department.code for one in own.sent} == {"hrss"}
    assert own.opened == ()
