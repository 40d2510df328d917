"""Each user's main path in a real browser over the running system, and what the pages do while things change."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import SitDown
from tests.browser.pages import places
from tests.browser.town import Town
from tests.testing.people import application

pytestmark = [
    pytest.mark.system, pytest.mark.xdist_group("browser"), pytest.mark.timeout(280),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip


async def test_a_coordinator_goes_from_a_number_to_the_case_behind_it(sit_down: SitDown) -> None:
    coordinator = await sit_down("coordinator")
    page = coordinator.page
    await expect(page.get_by_role("heading", level=1)).to_have_text("全局总览")
    count = await page.locator("#stages a[href*='state=closed']").inner_text()
    await page.click("#stages a[href*='state=closed']")
    await expect(page.locator("#list tbody tr")).to_have_count(int(count))
    first = page.locator("#list tbody tr a").first
    number = await first.inner_text()
    await first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(number)
    await expect(page.locator("#way li.done")).to_have_count(6)
    await expect(page.locator("#services")).to_contain_text("可享有")
    await expect(page.locator("#story")).to_contain_text("准予发放")


async def test_a_person_is_found_by_id_number_which_stands_in_no_address(town: Town, sit_down: SitDown) -> None:
    someone = application()
    (number,) = await town.system.receive(someone)
    coordinator = await sit_down("coordinator")
    page = coordinator.page
    await coordinator.open("/console/cases")
    await page.fill("input[name=who]", someone.person.id_number)
    await page.click("form[action='/console/cases/search'] button")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody")).to_contain_text(number)
    assert await violations(page) == []
    assert not any(someone.person.id_number in one for one in coordinator.requests)
    assert someone.person.id_number not in await page.content()


async def test_the_overview_follows_what_happens_without_reloading(town: Town, sit_down: SitDown) -> None:
    coordinator = await sit_down("coordinator")
    page = coordinator.page
    await expect(page.locator("#live")).to_have_text("实时更新")
    before = int((await page.locator("#figures a strong").first.inner_text()).replace(",", ""))
    await page.evaluate("window.stayed = true")
    await page.locator("#departments thead a").first.focus()

    await town.system.receive(application(received_on=town.system.house.database.clock.today().isoformat()))

    await expect(page.locator("#figures a strong").first).to_have_text(str(before + 1), timeout=15_000)
    assert await page.evaluate("window.stayed") is True
    assert await page.evaluate("document.activeElement.closest('#departments') !== null")


async def test_an_administrator_sends_again_from_preview_to_confirmation(town: Town, sit_down: SitDown) -> None:
    administrator = await sit_down("administrator")
    page = administrator.page
    await administrator.open("/console/incidents?kind=failed&department=sports")
    await page.click("#list tbody a")
    await expect(page.locator("#told")).to_contain_text("体育局")
    await page.click("text=重新推送…")
    # Looked at first: where it would go, and that nothing went.
    await expect(page.get_by_role("heading", level=1)).to_contain_text("重新推送批次")
    await expect(page.locator("#state")).to_contain_text("目前什么都没有发出")
    await expect(page.locator("#state")).to_contain_text("体育局")

    await town.mend("sports")
    await page.click("text=开始试发")
    await expect(page.locator("#state")).to_contain_text("进行中")
    await page.evaluate("window.stayed = true")
    await town.dispatch(8)

    await expect(page.locator("#state .pairs")).to_contain_text("已结束", timeout=20_000)
    await expect(page.locator("#state")).to_contain_text("已确认")
    assert await page.evaluate("window.stayed") is True


async def test_a_remedy_is_asked_for_on_the_case_and_stands_in_its_story(town: Town, sit_down: SitDown) -> None:
    (number,) = await town.system.receive(application())
    administrator = await sit_down("administrator")
    page = administrator.page
    await administrator.open(f"/console/cases/{number}")
    await page.click("#remedies summary:has-text('撤回申请')")
    await page.fill("#remedies details[open] textarea[name=reason]", "申请人书面要求撤回")
    await page.click("#remedies details[open] button")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("处置")
    await expect(page.locator("#outcomes")).to_contain_text("已办理")
    await page.click(f"text={number}")
    await expect(page.locator("#head")).to_contain_text("已撤回")


async def test_what_is_not_allowed_is_said_in_words(town: Town, sit_down: SitDown) -> None:
    (number,) = await town.system.receive(application())
    administrator = await sit_down("administrator")
    page = administrator.page
    await administrator.open(f"/console/cases/{number}")
    await page.click("#remedies summary:has-text('撤回申请')")
    await page.fill("#remedies details[open] textarea[name=reason]", "申请人 370303198502030012 要求撤回")
    await page.click("#remedies details[open] button")
    await expect(page.locator("[role=alert]")).to_contain_text("未办理")
    await expect(page.locator("[role=alert]")).not_to_contain_text("370303198502030012")


async def test_a_clerk_takes_an_application_in_and_is_told_of_mistakes_while_typing(sit_down: SitDown) -> None:
    clerk = await sit_down("clerk")
    page, someone = clerk.page, application()
    await clerk.open("/console/window")
    await page.fill("[name=id_number]", "370303198503020021")
    await expect(page.locator("#check")).to_contain_text("校验码不正确")
    await expect(page.locator("[data-wrong=id_number]")).to_contain_text("校验码不正确")
    await page.fill("[name=id_number]", someone.person.id_number)
    await expect(page.locator("[data-wrong=id_number]")).to_be_empty()
    await page.fill("[name=name]", someone.person.name)
    await page.fill("[name=registered_on]", "2014-10-08")
    for name in ("intends_half_year", "from_outside_county"):
        await page.check(f"[name={name}][value=yes]")
    await page.check("[name=term_years][value='3']")
    await page.check("[name=grounds][value=employment]")
    await page.click("[data-more]")
    await expect(page.locator("#children tbody tr")).to_have_count(3)
    await expect(page.locator("#check")).to_contain_text("填写完整，可以受理。")
    await expect(page.locator("#check")).to_contain_text("人力资源社会保障局")
    await page.click("form.window button.primary")
    await expect(page.get_by_role("heading", level=1)).to_have_text("已受理")
    await expect(page.locator("#papers")).to_contain_text("打印受理回执")
    assert clerk.complaints == []
    assert not any(someone.person.id_number in one for one in clerk.requests)


async def test_an_officer_answers_at_the_desk_and_says_why_not(town: Town, sit_down: SitDown) -> None:
    # A department whose own system never answers finds its work at the desk.
    await town.mend("hrss", forget={})
    (number,) = await town.system.receive(application(grounds=["employment"]))
    await town.dispatch(2)
    await town.mend("hrss")
    officer = await sit_down("officer")
    page = officer.page
    row = page.locator("#list tbody tr", has_text=number)
    await row.get_by_role("button").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("办理事项")
    assert await violations(page) == []
    results, reasons = page.locator("select[name=result]"), page.locator("select[name=reason]")
    await expect(results).to_have_count(2)
    await results.first.select_option("属实")
    await results.last.select_option("无法核验")
    # Without a reason nothing is taken, and the line says so.
    await page.click("form .buttons button.primary")
    await expect(page.locator(".notice.bad")).to_contain_text("有 1 处需要更正")
    await reasons.last.select_option(index=1)
    await page.fill("[name=authority]", "窗口核验")
    await page.click("form .buttons button.primary")
    await expect(page.get_by_role("heading", level=1)).to_have_text("待办事项")
    await expect(page.locator("#list tr", has_text=number)).to_have_count(0)
    await page.goto(f"{town.url}/console/cases/{number}")
    await expect(page.locator("#story")).to_contain_text("未能核验")


async def test_the_language_is_switched_and_stays(sit_down: SitDown) -> None:
    coordinator = await sit_down("coordinator")
    page = coordinator.page
    await page.click("text=English")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    await page.locator(".side a", has_text="Cases").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cases")
    await page.click("text=中文")
    await expect(page.get_by_role("heading", level=1)).to_have_text("办件查询")


async def test_each_role_sees_its_own_and_no_more(town: Town, sit_down: SitDown) -> None:
    clerk = await sit_down("clerk")
    await expect(clerk.page.locator(".side")).not_to_contain_text("异常")
    assert await clerk.open("/console/overview") == 403
    await expect(clerk.page.locator("[role=alert]")).to_contain_text("没有办理此项的权限")

    officer = await sit_down("officer")
    filled = await places(town)
    assert await officer.open(f"/console/cases/{filled['case']}") == 200
    await expect(officer.page.locator("#messages")).to_contain_text("人力资源社会保障局")
    await expect(officer.page.locator("#messages")).not_to_contain_text("公安局")
    await expect(officer.page.locator("#remedies")).to_have_count(0)

    await officer.page.click("text=退出")
    await expect(officer.page.get_by_role("heading", level=1)).to_have_text("登录")
    await officer.open("/console/cases")
    assert "/sign-in" in officer.page.url


async def test_it_works_by_keyboard_and_without_a_script(sit_down: SitDown) -> None:
    plain = await sit_down("coordinator", scripts=False)
    page = plain.page
    await plain.open("/console/cases?limit=20&sort=received")
    await expect(page.locator("#list tbody tr")).to_have_count(20)
    await page.click("text=下一页")
    await expect(page.locator("#list tbody tr").first).to_be_visible()
    await page.select_option("select[name=state]", "closed")
    await page.click("form.query[method=get] button.primary")
    assert "state=closed" in page.url
    await plain.open("/console/cases")
    # The first stop of the keyboard leads past the navigation.
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert page.url.endswith("#main")
