"""What applicants and holders are handed: the same as what was decided, complete, free, and on one page."""

from __future__ import annotations

from datetime import date

import pytest

from models import Role
from services.access import Caller, Sight
from services.errors import ConflictError, NotFoundError
from services.house import House
from services.notices import documents
from services.notices.documents import to_pdf
from services.notices.handing import hand_over_receipt, hand_over_rights
from services.notices.receipt import read_receipt
from services.notices.rights import RightsNotice, read_rights_notice
from services.remedies.asking import ask_remedy
from services.remedies.orders import Cancel, Withdraw
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

LONG_HERE = {"registered_on": "2013-03-01", "intends_half_year": True, "from_outside_county": True}
CLERK = Caller("zhangdian-1", Role.CLERK, "370303")


async def _permit(house: House, **changes: object) -> str:
    (number,) = await registered(house, application(**changes))
    await work(house, number)
    return number


def _services(notice: RightsNotice) -> dict[str, list[str]]:
    return {
        "has": [one.service.code for desk in notice.has for one in desk.rights],
        "coming": [one.service.code for step in notice.coming for desk in step.desks for one in desk.rights],
        "waiting": [one.service.code for desk in notice.waiting for one in desk.rights],
        "for_all": [one.service.code for one in notice.for_all],
    }


async def test_a_notice_tells_of_every_service_once(house: House, departments: Departments) -> None:
    del departments
    notice = await read_rights_notice(house, await _permit(house, children=[{"born_on": "2012-05-01"}]))
    told = [code for codes in _services(notice).values() for code in codes]
    assert len(told) == len(set(told))
    assert len(told) + notice.not_met == 78
    assert notice.document == "淄政办字〔2014〕87号"
    assert (notice.term_years, notice.holder[1]) == (3, "*")
    assert [one.code for one in notice.guarantees] == ["ZB87-3.0a", "ZB87-3.0b", "ZB87-3.0c"]
    assert "免费" in notice.free.zh


async def test_what_comes_later_comes_with_its_day(house: House, departments: Departments, clock: SetClock) -> None:
    del departments
    number = await _permit(house, children=[{"born_on": "2012-05-01"}])
    before = await read_rights_notice(house, number)
    tier_two = next(step for step in before.coming if step.on == date(2015, 10, 8))
    coming = {one.service.code for desk in tier_two.desks for one in desk.rights}
    assert {"ZB87-3.2.1a", "ZB87-3.2.3a"} <= coming
    clock.set_day(date(2015, 10, 8))
    after = await read_rights_notice(house, number)
    assert coming <= set(_services(after)["has"])
    assert after.count > before.count


async def test_a_service_that_the_department_confirmed_says_so(house: House, departments: Departments) -> None:
    departments.silent.add("culture")
    notice = await read_rights_notice(house, await _permit(house))
    opened = {one.service.code: one.opened for desk in notice.has for one in desk.rights}
    assert opened["ZB87-3.1.6a"] is True
    assert opened["ZB87-3.1.7a"] is False


async def test_what_is_not_confirmed_yet_waits_for_its_department(house: House, departments: Departments) -> None:
    departments.facts["honour"] = None
    notice = await read_rights_notice(house, await _permit(house))
    waiting = {desk.department.code: [one.service.code for one in desk.rights] for desk in notice.waiting}
    assert waiting["leading-group-office"] == ["ZB87-3.1.10b"]


async def test_there_is_no_notice_without_a_permit_in_force(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.silent.add("hrss")
    (waiting,) = await registered(house, application())
    await work(house, waiting)
    with pytest.raises(ConflictError, match="no permit was issued"):
        await read_rights_notice(house, waiting)
    departments.silent.clear()
    number = await _permit(house)
    order = Cancel(kind="cancel", cases=(number,), reason="持证人离开本市", end="left-city")
    await ask_remedy(house, Caller("admin", Role.ADMINISTRATOR), order)
    clock.set_day(date(2014, 11, 4))
    with pytest.raises(ConflictError, match="not in force"):
        await read_rights_notice(house, number)


async def test_a_receipt_says_who_is_asked_and_by_when(house: House, departments: Departments) -> None:
    del departments
    (number,) = await registered(house, application())
    receipt = await read_receipt(house, number)
    asked = {one.department.code: {fact.code for fact in one.facts} for one in receipt.asked}
    assert asked["police"] >= {"identity_matches", "residence_registered"}
    assert asked["hrss"] == {"labour_contract", "social_insurance"}
    await work(house, number)
    assert {one.department.code for one in (await read_receipt(house, number)).asked} >= asked.keys()
    # Ten working days from 2014-11-03.
    assert [(term.clock.code, term.by) for term in receipt.terms] == [("promised", date(2014, 11, 17))]
    assert receipt.applicant[1] == "*"


async def test_a_withdrawn_application_has_no_receipt(house: House, departments: Departments) -> None:
    departments.silent.add("hrss")
    number = await _permit(house)
    order = Withdraw(kind="withdraw", cases=(number,), reason="申请人撤回")
    await ask_remedy(house, Caller("admin", Role.ADMINISTRATOR), order)
    with pytest.raises(ConflictError, match="there is no receipt"):
        await read_receipt(house, number)


async def test_notices_are_for_those_who_see_the_case(house: House, departments: Departments) -> None:
    del departments
    number = await _permit(house)
    for read in (read_rights_notice, read_receipt):
        with pytest.raises(NotFoundError):
            await read(house, number, Sight(district="370302"))


async def test_handing_over_opens_the_name_and_says_so_in_the_log(house: House, departments: Departments) -> None:
    del departments
    applied = application(name="欧阳明珠")
    (number,) = await registered(house, applied)
    assert (await hand_over_receipt(house, CLERK, number)).applicant == "欧阳明珠"
    await work(house, number)
    assert (await hand_over_rights(house, CLERK, number)).holder == "欧阳明珠"
    assert await _opened(house, number) == [("clerk:zhangdian-1", "receipt"), ("clerk:zhangdian-1", "rights-notice")]


async def test_what_cannot_be_handed_over_opens_nothing(house: House, departments: Departments) -> None:
    departments.silent.add("hrss")
    number = await _permit(house)
    with pytest.raises(ConflictError):
        await hand_over_rights(house, CLERK, number)
    with pytest.raises(NotFoundError):
        await hand_over_receipt(house, Caller("other", Role.CLERK, "370302"), number)
    assert await _opened(house, number) == []


async def test_notices_are_set_on_one_page(house: House, departments: Departments, clock: SetClock) -> None:
    if not any("CJK" in name for name in documents.fonts()[0]):
        pytest.skip("this machine has no Chinese font")
    del departments
    children = [{"born_on": day} for day in ("2012-05-01", "2008-05-01", "2014-02-01")]
    number = await _permit(house, children=children, residence=LONG_HERE)
    clock.set_day(date(2014, 12, 1))
    for notice in (await read_rights_notice(house, number), await read_receipt(house, number)):
        pdf = to_pdf(notice)
        assert pdf.startswith(b"%PDF-")
        assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type/Page\n") + pdf.count(b"/Type /Page/") <= 1
        assert b"/Count 1" in pdf


async def _opened(house: House, number: str) -> list[tuple[str, str]]:
    from models import AuditEntry  # noqa: PLC0415
    from services.database import table  # noqa: PLC0415

    entries = table(AuditEntry)
    async with house.database.read() as connection:
        query = entries.select().where(entries.c.subject == number, entries.c.action == "notice.printed")
        rows = (await connection.execute(query.order_by(entries.c.sequence))).all()
    assert {row.detail["purpose"] for row in rows} <= {"handling"}
    return [(row.actor, row.detail["notice"]) for row in rows]
