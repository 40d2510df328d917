"""Prefect's server as the doors ask it: patient with one that is overwhelmed, and never asking for a second run."""

from __future__ import annotations

import json

import httpx
import pytest

from api.system import prefect_api
from api.system.prefect_api import PrefectApi
from services.errors import UnavailableError


class _Server:
    """Answers 503 to so many requests for a run, then takes one."""

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.keys: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"id": "d1"})
        self.keys.append(json.loads(request.content)["idempotency_key"])
        if len(self.keys) <= self.busy:
            return httpx.Response(503)
        return httpx.Response(201, json={"id": "r1"})


def _asking(monkeypatch: pytest.MonkeyPatch, server: _Server) -> PrefectApi:
    monkeypatch.setattr(prefect_api, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(
        prefect_api, "prefect_client",
        lambda _auth, **options: httpx.AsyncClient(transport=httpx.MockTransport(server.answer), **options),
    )  # fmt: skip
    return PrefectApi("http://prefect.test/api")


async def test_a_server_that_is_overwhelmed_is_asked_again_for_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    server = _Server(busy=2)
    assert await _asking(monkeypatch, server).start_run("dispatch/dispatch") == "r1"
    assert len(server.keys) == 3
    assert len(set(server.keys)) == 1


async def test_one_that_stays_so_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    server = _Server(busy=9)
    with pytest.raises(UnavailableError):
        await _asking(monkeypatch, server).start_run("dispatch/dispatch")
    assert len(server.keys) == 3
