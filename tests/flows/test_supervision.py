"""Whatever goes wrong while looking after incidents ends no dispatcher."""

from __future__ import annotations

import asyncio
import logging

import pytest

import flows.dispatch as dispatching
from flows.posts import AtPost
from services.house import House
from services.operations.dispatchers import Post


@pytest.mark.parametrize("problem", [ValueError("张三"), ConnectionResetError("370303")])
async def test_trouble_with_supervision_holds_up_no_case(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, problem: Exception
) -> None:
    async def fails(_: House) -> None:
        raise problem

    monkeypatch.setattr(dispatching, "supervise", fails)
    monkeypatch.setattr(dispatching, "get_run_logger", lambda: logging.getLogger("dispatch"))
    dispatcher = dispatching._Dispatcher(house, AtPost(house, Post("p", first=True)), 0.0)
    with caplog.at_level(logging.WARNING):
        cases = await asyncio.wait_for(dispatcher.run(), 30)
    assert cases == {}
    assert type(problem).__name__ in caplog.text
    assert str(problem) not in caplog.text
