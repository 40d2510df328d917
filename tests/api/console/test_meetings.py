"""The joint meeting's pages: a matter put forward, a sitting followed and written down, minutes signed."""

from __future__ import annotations

import re
from datetime import date

from models import Role
from services.house import House
from services.meetings.preparing import prepare
from services.supervision.supervise import supervise
from tests.api.conftest import Knock, SignIn
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, work
from tests.testing.people import application, registered


async def test_a_meeting_held_on_the_console(
    house: House, departments: Departments, clock: SetClock, sign_in: SignIn
) -> None:
    departments.silent.add("joint-meeting")
    numbers = await registered(house, application(grounds=["other"]), application(grounds=["other"]))
    await work(house, *numbers)
    prepared = (await prepare(house)).prepared
    clock.set_day(prepared.held_on)
    await prepare(house)
    office, second = await sign_in(Role.COORDINATOR, name="li"), await sign_in(Role.COORDINATOR, name="zhao")
    education = await sign_in(Role.OFFICER, "education")
    put = await education.submit("/console/matters", department="education", text="学位不足，建议轮候")
    assert put.status_code == 303
    assert "学位不足，建议轮候" in (await office.get("/console/matters")).text
    path = f"/console/meetings/{prepared.meeting}"
    called = (await education.get(path)).text
    assert "按“其他情形”申领3年期居住证的认定" in called
    assert "涉及办件 2 件、2 人" in called
    assert (await office.submit(f"{path}/open", chair="副市长")).status_code == 303
    assert (
        await office.submit(f"{path}/attendance", department="education", present="true", delegate="副局长")
    ).status_code == 303
    assert "副局长" in (await office.get(path)).text
    ground = re.search(r"/console/matters/(\d+)\">按“其他情形”", (await office.get(path)).text)
    assert ground
    assert (await office.submit(f"{path}/matters/{ground[1]}/take-up")).status_code == 303
    assert "正在讨论" in (await education.get(path)).text
    agreed = {"matter": ground[1], "text": "认定属于其他情形", "department": "police", "due_on": "2014-12-05"}
    agreed["helpers"] = "education"
    assert (await office.submit(f"{path}/resolutions", action="accept-ground", **agreed)).status_code == 303
    assert (await office.submit(f"{path}/close")).status_code == 303
    resolution = "/console/resolutions/1"
    assert (await office.submit(f"{resolution}/ask")).status_code == 303
    assert "办件 2 件" in (await second.get(resolution)).text
    assert "提出人不能复核自己的申请" in (await office.get(resolution)).text
    assert (await second.submit(f"{resolution}/approve")).status_code == 303
    await dispatch(house)
    await prepare(house)
    done = (await education.get(resolution)).text
    assert "发放居住证 2 张" in done
    assert numbers[0] in done
    drafted = await office.submit(f"{path}/minutes")
    minutes = drafted.headers["location"]
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', (await second.get(minutes)).text)
    assert digest
    assert (await second.submit(f"{minutes}/sign", digest=digest[1])).status_code == 303
    signed = (await education.get(minutes)).text
    assert "已签发" in signed
    assert re.search(r"出席：[^<]*（副局长）", signed)
    assert re.search(r"未到会：[^<]*人力资源社会保障局", signed)
    assert "配合单位：教育局" in signed
    assert "系统执行：" in signed
    assert "配合单位" in done
    # What an officer may not do is not offered either.
    assert "申请执行" not in done
    assert (await education.submit(f"{path}/close")).status_code == 403


async def test_a_departments_desk_shows_the_meeting_its_papers_and_until_when_to_answer(
    house: House, departments: Departments, clock: SetClock, sign_in: SignIn
) -> None:
    departments.silent.add("hrss")
    numbers = await registered(house, application())
    await work(house, *numbers)
    clock.set_day(date(2014, 11, 19))
    await supervise(house)
    await prepare(house)
    hrss, education = await sign_in(Role.OFFICER, "hrss"), await sign_in(Role.OFFICER, "education")
    office = await sign_in(Role.COORDINATOR)
    desk = (await hrss.get("/console/desk")).text
    matter = re.search(r"/console/matters/(\d+)\">去说明", desk)
    assert matter
    assert "请本部门会前说明的议题" in desk
    assert "涉及本部门" in desk
    # Its red card stands there as well, and at the coordinators' first page.
    assert "协办事项时限已于2014年11月17日届满，发红牌" in desk
    assert "协办事项时限已于2014年11月17日届满，发红牌" in (await office.get("/console/overview")).text
    others = (await education.get("/console/desk")).text
    assert "去说明" not in others
    assert "涉及本部门" not in others
    assert "发红牌" not in others
    await hrss.submit(f"/console/matters/{matter[1]}/remarks", department="hrss", text="系统升级所致", answer="true")
    assert "去说明" not in (await hrss.get("/console/desk")).text
    # The meeting was called that day: every member finds its papers at the desk.
    for member in (hrss, education):
        shown = (await member.get("/console/desk")).text
        assert "会议材料" in shown
        assert "涉及办件 1 件、1 人" in shown
    assert "系统升级所致" in (await education.get(f"/console/matters/{matter[1]}")).text


async def test_what_cannot_be_done_is_told_on_a_page(sign_in: SignIn) -> None:
    office = await sign_in(Role.COORDINATOR)
    refused = await office.submit("/console/meetings", held_on="2014-11-08")
    assert refused.status_code == 422
    assert (await office.get("/console/meetings/9")).status_code == 404


async def test_what_if_is_asked_by_address(house: House, departments: Departments, knock: Knock) -> None:
    del departments
    await work(house, *await registered(house, application()))
    member = await knock(Role.OFFICER, "hrss")
    page = (await member.get("/console/what-if?parameter=working-age&value=40")).text
    assert "有效居住证 1 件，受影响 1 件" in page
    assert "ZB87-3.1.2a" in page
