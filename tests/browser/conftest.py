"""One running system and one Chromium for all browser tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.chromium import Person, chromium, executable, person
from tests.browser.town import Town, running_town
from tests.testing.servers import shared_server

SitDown = Callable[..., Awaitable[Person]]
_NONE = "no Chromium on this machine; install Debian's packages chromium and fonts-noto-cjk (.ci/run does)"


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is. Without one the browser tests are left out, but not where everything must be proved."""
    found = executable()
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(_NONE)
    assert found is not None
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The system, with thirty applications worked on; ``chromium_path`` first, since without it nobody looks."""
    del chromium_path
    with shared_server.use(tmp_path_factory.mktemp("prefect")) as prefect:
        async with running_town(tmp_path_factory.mktemp("town"), prefect, rows=30) as running:
            yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium_path: str) -> AsyncIterator[Browser]:
    """The browser."""
    async with chromium(chromium_path) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def sit_down(town: Town, browser: Browser) -> AsyncIterator[SitDown]:
    """Seats a person: ``await sit_down("coordinator")`` is signed in; without a role nobody is yet."""
    async with AsyncExitStack() as stack:

        async def sit_down(role: str | None = None, **how: object) -> Person:
            seated = await stack.enter_async_context(person(browser, town.url, **how))  # type: ignore[arg-type]
            if role is not None:
                await seated.sign_in(role, town.passwords[role])
            return seated

        yield sit_down
