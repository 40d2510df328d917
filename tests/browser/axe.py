"""What axe says is wrong with a page."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page


async def violations(page: Page) -> list[str]:
    """Each rule that the page breaks, with the first place where it does."""
    found = await Axe().run(page)
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:160]}" for one in found.response["violations"]]
