"""The story of a case: in order, in plain words, and no more of it than the reader may know."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from models import Case, SystemClock
from services.access import Sight
from services.casework.advance import advance
from services.casework.deliveries import deliver_steps
from services.database import table
from services.dossiers.stories import Story, tell_story
from services.errors import NotFoundError
from services.house import House
from services.ledger.cases import set_aside_poisoned
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


@pytest.fixture
def empty_dsn(tmp_path: Path) -> str:
    """SQLite alone: what is tested here is told in Python; the routes' tests read it from both databases."""
    return f"sqlite+aiosqlite:///{tmp_path / 'lianban.db'}"


def _headlines(story: Story) -> list[str]:
    return [event.zh for event in story.events]


def _everything(story: Story) -> str:
    return "\n".join(
        text for event in story.events for text in (event.zh, event.en, *(line for d in event.details for line in d))
    )


async def _case(house: House, **changes: object) -> str:
    (number,) = await registered(house, application(**changes))
    await work(house, number)
    return number


async def test_a_plain_case_is_told_from_receipt_to_closing(house: House, departments: Departments) -> None:
    del departments
    story = await tell_story(house, await _case(house))
    kinds = [event.kind for event in story.events]
    assert kinds[:3] == ["received", "moved", "asked"]
    assert kinds[-1] == "moved"
    assert kinds.index("issued") < kinds.index("opening")
    headlines = _headlines(story)
    assert headlines[0] == "张店区科苑派出所收到居住证申请，申领期限3年。"
    assert "准予发放3年期居住证，自2014年11月3日起至2017年11月2日止。" in headlines
    assert headlines[-1] == "各部门均已答复，办结。"
    assert story.waiting == ()
    assert (story.state_words.zh, story.permit.term_years if story.permit else None) == ("已办结", 3)


async def test_the_permit_is_told_with_the_clause_that_proves_it(house: House, departments: Departments) -> None:
    del departments
    story = await tell_story(house, await _case(house))
    (issued,) = [event for event in story.events if event.kind == "issued"]
    assert issued.details[0].zh == "依据 ZB87-2.1　二（一）：与用人单位签订劳动合同并按规定参加社会保险"


async def test_a_refusal_names_its_clause(house: House, departments: Departments) -> None:
    departments.facts["residence_registered"] = False
    story = await tell_story(house, await _case(house))
    (refused,) = [event for event in story.events if event.kind == "refused"]
    assert refused.zh == "不予发放居住证。"
    assert any("ZB87-2.0a" in line.zh for line in refused.details)
    assert "已办理居住登记：不属实" in _everything(story)


async def test_a_try_that_failed_is_told_with_its_reason(house: House, departments: Departments) -> None:
    departments.failing["education"] = 503
    number = await _case(house, children=[{"born_on": "2008-05-01"}])
    story = await tell_story(house, number)
    (attempt,) = [event for event in story.events if event.kind == "attempt"]
    assert attempt.zh == "第1次推送教育局未成功：对方接口返回 HTTP 503。"
    assert [words.zh for words in story.waiting] == [
        "待教育局办理并确认：子女平等接受义务教育（公办学校接收为主）（2014年11月17日前答复）"
    ]


async def test_what_no_retry_can_mend_is_told(house: House, departments: Departments) -> None:
    departments.failing["education"] = 400
    number = await _case(house, children=[{"born_on": "2008-05-01"}])
    headlines = _headlines(await tell_story(house, number))
    assert "推送教育局失败，不再重试：对方接口返回 HTTP 400。" in headlines


async def test_a_decline_is_told_with_its_reason(house: House, departments: Departments) -> None:
    departments.declines["ZB87-3.1.6b"] = "not-eligible"
    story = await tell_story(house, await _case(house))
    (told,) = [event for event in story.events if event.zh == "司法局答复办理结果。"]
    assert {line.zh for line in told.details} == {"法律服务：已开通", "法律援助：不符合办理条件"}


async def test_a_department_that_only_received_is_told_as_such(house: House, departments: Departments) -> None:
    departments.silent.add("hrss")
    headlines = _headlines(await tell_story(house, await _case(house)))
    assert "人力资源社会保障局已接收核验请求，尚未答复。" in headlines


async def test_a_second_year_is_told_as_a_reopening(house: House, departments: Departments, clock: SetClock) -> None:
    del departments
    number = await _case(house, children=[{"born_on": "2008-05-01"}])
    clock.set_day(date(2015, 10, 8))
    await work(house, number)
    story = await tell_story(house, number)
    later = [event for event in story.events if event.at.year == 2015]
    assert {event.kind for event in later} >= {"opening", "withdrawing", "moved", "answered"}
    assert "权益事项有变化，办件重新开启。" in [event.zh for event in later]
    assert later[-1].zh == "各部门均已答复，办结。"


async def test_the_end_of_a_permit_is_told(house: House, departments: Departments, clock: SetClock) -> None:
    del departments
    number = await _case(house)
    clock.set_day(date(2017, 11, 3))
    await work(house, number)
    story = await tell_story(house, number)
    assert "居住证终止：有效期届满。" in _headlines(story)
    assert story.permit is not None
    assert story.permit.state_words.zh == "已终止"


async def test_an_officer_is_told_of_the_own_department_only(house: House, departments: Departments) -> None:
    departments.failing["health"] = 503
    departments.declines["ZB87-3.1.6b"] = "not-eligible"
    number = await _case(house)
    told = _everything(await tell_story(house, number, Sight(department="housing-fund")))
    assert "住房公积金管理中心" in told
    for other in ("公安局", "人力资源社会保障局", "卫生计生委", "司法局", "劳动合同", "依据", "申领情形"):
        assert other not in told


async def test_a_story_tells_nobody_by_name(house: House, departments: Departments) -> None:
    del departments
    applied = application(name="欧阳明珠")
    (number,) = await registered(house, applied)
    await work(house, number)
    told = repr(await tell_story(house, number))
    for personal in (applied.person.name, applied.person.id_number, applied.person.phone, applied.person.address):
        assert personal is not None
        assert personal not in told


async def test_a_case_set_aside_says_so(house: House, departments: Departments) -> None:
    del departments
    (number,) = await registered(house, application())
    async with house.database.write("dispatch") as transaction:
        await transaction.connection.execute(table(Case).update().values(tries=9))
        await set_aside_poisoned(transaction, house.database.clock.now())
    story = await tell_story(house, number)
    assert story.set_aside is not None
    assert story.events[-1].kind == "set-aside"


async def test_an_action_nobody_knows_is_told_by_its_name(house: House) -> None:
    (number,) = await registered(house, application())
    async with house.database.write("administrator:li") as transaction:
        transaction.note("case.blessed", number)
    last = (await tell_story(house, number)).events[-1]
    assert (last.zh, last.actor_words.zh) == ("记录：case.blessed。", "系统管理员（li）")


async def test_tries_of_a_simulated_system_stand_in_business_time(
    house: House, departments: Departments, clock: SetClock
) -> None:
    departments.failing["hrss"] = 503
    (number,) = await registered(house, application())
    clock.set_day(date(2026, 11, 24))
    async with house.database.engine.begin() as connection:
        shift = (date(2014, 11, 3) - date(2026, 11, 24)).days * 86_400
        await connection.execute(table(SystemClock).insert().values(id=1, shift_seconds=shift))
    await house.database.refresh_clock()
    await advance(house.database, house.caseworker, [number], "dispatch")
    clock.pass_(seconds=2)
    await deliver_steps(house, "dispatch", cases=[number])
    story = await tell_story(house, number)
    assert {event.at.year for event in story.events} == {2014}
    kinds = [event.kind for event in story.events]
    assert kinds.index("asked") < kinds.index("attempt")


@pytest.mark.parametrize("sight", [Sight(district="370302"), Sight(department="tax")])
async def test_a_story_out_of_sight_is_not_told(house: House, departments: Departments, sight: Sight) -> None:
    del departments
    with pytest.raises(NotFoundError):
        await tell_story(house, await _case(house), sight)
