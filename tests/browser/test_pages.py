"""Every page in a real Chromium: opened, judged by axe in both languages, asking nothing of anywhere else."""

from __future__ import annotations

import pytest

from tests.browser.axe import violations
from tests.browser.conftest import SitDown
from tests.browser.pages import SCREENS, places
from tests.browser.town import Town

pytestmark = [
    pytest.mark.system, pytest.mark.xdist_group("browser"), pytest.mark.timeout(280),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
ROLES = sorted({screen.role for screen in SCREENS})


@pytest.mark.parametrize("role", ROLES)
async def test_every_page_is_accessible_and_stays_at_home(town: Town, sit_down: SitDown, role: str) -> None:
    someone = await sit_down(role)
    filled = await places(town)
    found: dict[str, list[str]] = {}
    for screen in SCREENS:
        if screen.role != role:
            continue
        for language in ("zh", "en"):
            address = screen.address.format(**filled)
            status = await someone.open(f"{address}{'&' if '?' in address else '?'}lang={language}")
            assert status == 200, (screen.name, status)
            if wrong := await violations(someone.page):
                found[f"{screen.name} {language}"] = wrong
    assert found == {}, found
    assert someone.left == []
    assert someone.complaints == []


async def test_the_way_in_is_accessible(sit_down: SitDown) -> None:
    stranger = await sit_down()
    await stranger.open("/console/cases")
    assert "/sign-in" in stranger.page.url
    assert await violations(stranger.page) == []
    assert await stranger.open("/console/nowhere") == 404
    assert await violations(stranger.page) == []


@pytest.mark.parametrize("screen", [{"width": 1920, "height": 1080}, {"width": 820, "height": 1180}])
async def test_wide_screens_and_tablets_need_no_sideways_scrolling(
    town: Town, sit_down: SitDown, screen: dict[str, int]
) -> None:
    someone = await sit_down("administrator", screen=screen)
    filled = await places(town)
    wide = []
    for one in SCREENS:
        await someone.open(one.address.format(**filled))
        if await someone.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(one.name)
    assert wide == []
