"""A real Chromium that can reach this machine and nothing else: what a page asks of elsewhere fails, and is noticed."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=zh-CN",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
DESK = {"width": 1440, "height": 900}


def executable() -> str | None:
    """Where Chromium is on this machine, or None."""
    given = os.environ.get("LIANBAN_TEST_CHROMIUM")
    return given or next((path for name in _NAMES if (path := shutil.which(name))), None)


@asynccontextmanager
async def chromium(path: str) -> AsyncIterator[Browser]:
    """The browser, until the block ends."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


class Person:
    """Somebody at a screen. ``left``: requests that were to leave this machine; ``complaints``: what the browser said
    was wrong with a page.
    """

    def __init__(self, context: BrowserContext, page: Page, url: str) -> None:
        self.context, self.page, self.url = context, page, url
        self.requests: list[str] = []
        self.complaints: list[str] = []
        context.on("request", self._asked)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def left(self) -> list[str]:
        """Requests to anywhere but the system."""
        return [one for one in self.requests if not one.startswith(f"{self.url}/")]

    async def open(self, path: str) -> int:
        """Open a page of the console; its status."""
        answer = await self.page.goto(f"{self.url}{path}")
        assert answer is not None
        return answer.status

    async def sign_in(self, name: str, password: str) -> None:
        """Sign in by the form."""
        await self.open("/sign-in")
        await self.page.fill("#name", name)
        await self.page.fill("#password", password)
        await self.page.click("main button")
        await self.page.wait_for_url(f"{self.url}/console**")

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@asynccontextmanager
async def person(browser: Browser, url: str, *, scripts: bool = True, screen: dict[str, int] | None = None,
                 language: str = "zh-CN") -> AsyncIterator[Person]:  # fmt: skip
    """A person with a browser profile of their own."""
    context = await browser.new_context(
        viewport=screen or DESK, java_script_enabled=scripts, locale=language, timezone_id="Asia/Shanghai"
    )
    try:
        yield Person(context, await context.new_page(), url)
    finally:
        await context.close()
