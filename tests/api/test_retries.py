"""``/api/v1/retries`` and ``lianban retry``: only an administrator acts, and what is told is what the ledger says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.cli import build
from api.commands import retry as command
from models import Role
from services.casework.deliveries import deliver_steps
from services.house import House
from services.supervision.supervise import supervise
from tests.api.conftest import Knock
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

PATH = "/api/v1/retries"


@pytest.fixture
async def administrator(knock: Knock) -> httpx.AsyncClient:
    return await knock(Role.ADMINISTRATOR)


@pytest.fixture
async def failed(house: House, departments: Departments) -> list[str]:
    """Two cases of which a step at the police failed for good."""
    departments.failing["police"] = 400
    numbers = await registered(house, application(), application())
    await work(house, *numbers)
    departments.failing.clear()
    return numbers


async def _go_on(house: House, clock: SetClock) -> None:
    for _ in range(5):
        clock.pass_(seconds=1)
        await supervise(house)
        await deliver_steps(house, "dispatch")


@pytest.mark.usefixtures("failed")
async def test_from_preview_to_closed(
    house: House, administrator: httpx.AsyncClient, knock: Knock, clock: SetClock
) -> None:
    (incident,) = (await administrator.get("/api/v1/incidents")).json()["items"]
    made = await administrator.post(PATH, json={"incident": incident["id"]})
    assert made.status_code == 201
    run = made.json()
    assert (run["state"], run["counts"], run["wanted"]) == (
        "preview", {"waiting": 2}, {"incident": str(incident["id"])},
    )  # fmt: skip
    assert [(one["department"]["code"], one["steps"]) for one in run["shares"]] == [("police", 2)]
    started = (await administrator.post(f"{PATH}/{run['id']}/start")).json()
    assert (started["state"], started["started_by"]) == ("running", "administrator:administrator-city")
    assert (await administrator.post(f"{PATH}/{run['id']}/start")).status_code == 409
    assert (await administrator.post(f"{PATH}/{run['id']}/pause")).json()["state"] == "paused"
    assert (await administrator.post(f"{PATH}/{run['id']}/resume")).json()["state"] == "running"
    await _go_on(house, clock)
    watching = await knock(Role.COORDINATOR)
    seen = (await watching.get(f"{PATH}/{run['id']}")).json()
    assert (seen["state"], seen["counts"]) == ("closed", {"confirmed": 2})
    assert [one["id"] for one in (await watching.get(PATH)).json()["items"]] == [run["id"]]
    assert (await administrator.post(f"{PATH}/{run['id']}/cancel")).status_code == 409
    assert (await administrator.get("/api/v1/incidents")).json() == {"items": []}


async def test_what_is_refused(administrator: httpx.AsyncClient, knock: Knock) -> None:
    assert (await administrator.post(PATH, json={})).status_code == 422
    assert (await administrator.post(PATH, json={"department": "police"})).status_code == 409
    assert (await administrator.post(PATH, json={"incident": 9})).status_code == 404
    assert (await administrator.post(PATH, json={"canary": 9, "case": "x"})).status_code == 422
    assert (await administrator.get(f"{PATH}/9")).status_code == 404
    part = await knock(Role.ADMINISTRATOR, "370303")
    for answer in (await part.get(PATH), await part.post(PATH, json={"department": "police"})):
        assert answer.status_code == 403


async def test_the_command_does_the_same(
    clock: SetClock, house: House, failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()

    def here(act: Callable[[House], Awaitable[Any]]) -> Any:
        async def within() -> Any:
            return await act(house)

        return asyncio.run_coroutine_threadsafe(within(), loop).result(30)

    monkeypatch.setattr(command, "_run", here)

    async def run(*words: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, build(["retry"]), ["retry", *words])
        assert result.exit_code == 0, result.output
        return str(result.output)

    made = json.loads(await run("preview", "--case", failed[0], "--json"))
    assert made["counts"] == {"waiting": 1}
    assert "进行中" in await run("start", str(made["id"]))
    await _go_on(house, clock)
    assert "已结束  共 1 项：已确认 1" in await run("show", str(made["id"]))
    assert [one["id"] for one in json.loads(await run("list", "--json"))] == [made["id"]]
