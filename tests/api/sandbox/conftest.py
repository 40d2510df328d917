"""Sandboxes that close themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.sandbox import SandboxSettings, create_sandbox
from services.exchange.messages import MessageWriter
from services.policy.registry import default_registry
from tests.api.sandbox.town import PEOPLE, SECRETS, Inbox, Town


@pytest.fixture
async def open_town(tmp_path: Path) -> AsyncIterator[Callable[..., Town]]:
    """Opens a sandbox; ``known`` is the fixture text of the one person it knows."""
    writer = MessageWriter(default_registry().named("zibo-2014-87"), public_url="http://lianban")
    async with AsyncExitStack() as stack:

        def open_(known: str = "", **settings: Any) -> Town:
            people = tmp_path / "people.csv"
            people.write_text(PEOPLE.format(known=known), encoding="utf-8")
            inbox = Inbox()
            back = httpx.AsyncClient(transport=httpx.MockTransport(inbox))
            parts = {"secrets": SECRETS, "people": people, "delay_seconds": 0.0} | settings
            app = create_sandbox(SandboxSettings(**parts), client=back)
            http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))
            for close in (back.aclose, app.state.sandbox.close, http.aclose):
                stack.push_async_callback(close)
            return Town(http, app.state.sandbox, inbox, writer)

        yield open_
