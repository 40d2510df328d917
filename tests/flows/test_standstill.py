"""Nobody waits for Prefect where it takes its time."""

from __future__ import annotations

import asyncio
import logging

import pytest

import flows.posts as posting
from flows.posts import AtPost
from services.house import House
from services.operations.dispatchers import Post


async def never() -> None:
    await asyncio.Event().wait()


async def test_what_is_asked_of_prefect_holds_up_no_work(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(posting, "get_run_logger", lambda: logging.getLogger("dispatch"))
    asked: list[object] = []

    async def call(*_: object) -> None:
        asked.append(None)
        await never()

    async def fails() -> None:
        raise ConnectionResetError("370303")

    async def may_call(*_: object, **__: object) -> bool:
        return True

    monkeypatch.setattr(posting, "_call_another", call)
    monkeypatch.setattr(posting, "may_call", may_call)
    monkeypatch.setattr(posting, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(posting, "_ERRAND_SECONDS", 0.0)
    post = AtPost(house, Post("p", first=True))
    for _ in range(3):
        await asyncio.wait_for(post.keep(busy=True), 10)
        await asyncio.sleep(0)
    # One call at a time, however long it takes.
    assert len(asked) == 1
    await asyncio.wait_for(post.leave(), 10)
    post.send(fails())
    with caplog.at_level(logging.WARNING):
        await asyncio.wait(post._errands)
    assert "ConnectionResetError" in caplog.text
    assert "370303" not in caplog.text
