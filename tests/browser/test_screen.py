"""The overview in one screen, tables by keyboard, and a failed flow run that is run again from the console."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest
from playwright.async_api import expect

from api.system.deploying import deploy
from tests.browser.axe import violations
from tests.browser.conftest import SitDown
from tests.browser.town import Town

pytestmark = [
    pytest.mark.system, pytest.mark.xdist_group("browser"), pytest.mark.timeout(280),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
# What of a page cannot be seen without scrolling: of the window, or of a table within it.
_OUT_OF_SIGHT = """() => {
  const root = document.documentElement, found = [];
  if (root.scrollHeight > window.innerHeight) found.push(`height ${root.scrollHeight}`);
  if (root.scrollWidth > window.innerWidth) found.push(`width ${root.scrollWidth}`);
  for (const box of document.querySelectorAll("main .scroll")) {
    const shut = box.closest("details:not([open])");
    if (!shut && box.scrollWidth > box.clientWidth + 1) found.push(box.getAttribute("aria-label"));
  }
  for (const part of document.querySelectorAll("[data-live]"))
    if (part.getBoundingClientRect().bottom > window.innerHeight) found.push(part.id);
  return found;
}"""
# Every department has something to do, and every line of every other list is taken.
_FILL = """() => {
  for (const body of document.querySelectorAll("#departments tbody")) {
    body.closest("table").classList.add("crowded");
    while (body.rows.length < 14) body.append(body.rows[0].cloneNode(true));
  }
  const incidents = document.querySelector("#incidents tbody");
  while (incidents && incidents.rows.length < 5) incidents.append(incidents.rows[0].cloneNode(true));
  for (const place of document.querySelectorAll("#figures strong")) place.textContent = "1,234,567";
  for (const row of document.querySelectorAll("#districts tbody tr")) {
    const numbers = row.querySelectorAll("td.n > :first-child");
    numbers.forEach((one, place) => { one.textContent = place ? "123" : "12,345"; });
  }
}"""


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_overview_is_one_screen(sit_down: SitDown, language: str) -> None:
    coordinator = await sit_down("coordinator", screen={"width": 1440, "height": 900})
    await coordinator.open(f"/console/overview?lang={language}")
    assert await coordinator.page.evaluate(_OUT_OF_SIGHT) == []
    await coordinator.page.evaluate(_FILL)
    assert await coordinator.page.evaluate(_OUT_OF_SIGHT) == []


async def test_every_number_of_the_overview_is_a_link(sit_down: SitDown) -> None:
    coordinator = await sit_down("coordinator")
    loose = await coordinator.page.evaluate(
        """() => Array.from(document.querySelectorAll("main td.n, main .figure strong"))
             .filter((one) => /[1-9]/.test(one.textContent) && !one.closest("a") && !one.querySelector("a"))
             .map((one) => one.closest("[id]").id + " " + one.textContent.trim())"""
    )
    assert loose == []


async def test_a_table_is_sorted_by_keyboard(sit_down: SitDown) -> None:
    coordinator = await sit_down("coordinator")
    page = coordinator.page
    await coordinator.open("/console/endpoints")
    head = page.locator("th", has_text="部门").first
    await head.locator("a").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("th[aria-sort=ascending]")).to_contain_text("部门")
    await page.locator("th[aria-sort=ascending] a").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("th[aria-sort=descending]")).to_contain_text("部门")


async def test_a_change_of_the_calendar_is_looked_at_and_then_made(sit_down: SitDown) -> None:
    administrator = await sit_down("administrator")
    page = administrator.page
    await administrator.open("/console/limits")
    await page.fill("[name=first]", "2015-01-05")
    await page.fill("[name=last]", "2015-01-06")
    await page.fill("[name=note]", "停办公两天")
    await page.locator("#calendar form button.primary").click()
    await expect(page.locator("#seen")).to_contain_text("2015-01-05 至 2015-01-06 休息")
    assert await violations(page) == []
    await expect(page.locator("#calendar tbody tr")).to_have_count(0)
    await page.locator("#seen button.primary").click()
    await expect(page.locator("#calendar tbody tr")).to_have_count(2)
    await expect(page.locator("#calendar tbody")).to_contain_text("停办公两天")


async def test_a_failed_flow_run_is_run_again_from_the_console(town: Town, sit_down: SitDown) -> None:
    system = town.system
    await deploy(system.running.run)
    # A real failure: the database is not where this run looks for it.
    lost = await system.start_flows("reconcile()", LIANBAN_DATABASE_URL="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    await lost.communicate()
    assert lost.returncode

    administrator = await sit_down("administrator")
    page = administrator.page
    await administrator.open("/console/flows")
    row = page.locator("tr", has=page.locator("form[action$='/again']"), has_text="逐日核对").first
    await expect(row).to_be_visible()
    failed = await row.locator("form").get_attribute("action")
    await row.get_by_role("button", name="重新运行").click()
    await page.wait_for_url("**/console/flows")

    async with system.house.database.read() as connection:
        started = (
            await connection.exec_driver_sql("SELECT detail FROM audit_entries WHERE action = 'flow.started'")
        ).scalar_one()
    fresh = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(started))
    assert failed is not None
    assert failed.split("/")[-2] in fresh
    (run,) = set(fresh) - {failed.split("/")[-2]}
    # What a worker does with it: it comes to its end this time.
    await system.running.run("again", [sys.executable, "-m", "prefect", "--no-prompt", "flow-run", "execute", run])
    prefect = system.house.settings.prefect_api_url
    state = await asyncio.to_thread(_state, prefect, run)
    assert state == "COMPLETED"


def _state(prefect: str, run: str) -> str:
    import httpx  # noqa: PLC0415

    answer = httpx.get(f"{prefect}/flow_runs/{run}", timeout=20.0, trust_env=False)
    return str(answer.raise_for_status().json()["state_type"])
