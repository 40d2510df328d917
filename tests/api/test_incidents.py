"""``/api/v1/incidents`` and ``lianban incidents``: one row a cause, in sight, and nothing of a person."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from typer.testing import CliRunner

from api.cli import build
from api.commands import incidents as command
from models import Role
from services.house import House
from services.operations.watching import list_incidents, show_incident
from tests.api.conftest import Knock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


@pytest.fixture
async def numbers(house: House, departments: Departments) -> list[str]:
    """Two cases at which the police answers 503."""
    departments.failing["police"] = 503
    numbers = await registered(house, application(), application())
    await work(house, *numbers)
    return numbers


async def test_an_incident_and_its_steps(coordinator: httpx.AsyncClient, numbers: list[str]) -> None:
    (item,) = (await coordinator.get("/api/v1/incidents")).json()["items"]
    assert (item["department"]["code"], item["kind"]["code"], item["cases"]) == ("police", "retrying", 2)
    assert item["told"]["zh"].endswith("由该部门处理")
    first = (await coordinator.get(f"/api/v1/incidents/{item['id']}?limit=1")).json()
    second = (await coordinator.get(f"/api/v1/incidents/{item['id']}?limit=1&after={first['next']}")).json()
    assert {first["steps"][0]["case_number"], second["steps"][0]["case_number"]} == set(numbers)
    assert second["next"] is None
    assert (await coordinator.get("/api/v1/incidents?state=closed")).json() == {"items": []}
    assert (await coordinator.get("/api/v1/incidents/999")).status_code == 404
    for bad in ("state=other", "limit=0", "before=x", "unknown=1"):
        assert (await coordinator.get(f"/api/v1/incidents?{bad}")).status_code == 422


@pytest.mark.usefixtures("numbers")
async def test_officers_and_districts_see_their_own(knock: Knock) -> None:
    city = await knock(Role.ADMINISTRATOR)
    (item,) = (await city.get("/api/v1/incidents")).json()["items"]
    assert len((await (await knock(Role.OFFICER, "police")).get("/api/v1/incidents")).json()["items"]) == 1
    for role, scope in ((Role.OFFICER, "hrss"), (Role.COORDINATOR, "370302")):
        stranger = await knock(role, scope)
        assert (await stranger.get("/api/v1/incidents")).json() == {"items": []}
        assert (await stranger.get(f"/api/v1/incidents/{item['id']}")).status_code == 404
    assert (await (await knock(Role.CLERK, "370303")).get("/api/v1/incidents")).status_code == 403


async def test_a_contradiction_is_put_away_by_who_may(house: House, departments: Departments, knock: Knock) -> None:
    (number,) = await registered(house, application())
    await work(house, number)
    step = f"{number}-v-hrss-1"
    await departments.report(house, "hrss", {"step": step, "facts": {"labour_contract": False}})
    path, body = f"/api/v1/incidents/contradictions/{step}/seen", {"found": "first-right"}
    assert (await (await knock(Role.OFFICER, "hrss")).post(path, json=body)).status_code == 403
    assert (await (await knock(Role.COORDINATOR, "370303")).post(path, json=body)).status_code == 403
    city = await knock(Role.COORDINATOR)
    assert len((await city.get("/api/v1/incidents")).json()["items"]) == 1
    assert (await city.post(path, json={"found": "whatever"})).status_code == 422
    assert (await city.post(path, json=body)).json() == {"seen": 1}
    assert (await city.post(path, json=body)).status_code == 409
    assert (await city.get("/api/v1/incidents")).json() == {"items": []}


async def test_the_command_tells_the_same(house: House, numbers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    listed = await list_incidents(house)
    file = await show_incident(house, listed[0].id)

    async def all_(limit: int, *, closed: bool) -> object:
        del limit, closed
        return listed

    async def one(incident: int, after: str | None, limit: int) -> object:
        del incident, after, limit
        return file

    monkeypatch.setattr(command, "_all", all_)
    monkeypatch.setattr(command, "_one", one)

    def run(*words: str) -> str:
        result = CliRunner().invoke(build(["incidents"]), ["incidents", *words])
        assert result.exit_code == 0, result.output
        return result.output

    told = await asyncio.to_thread(run)
    assert listed[0].told.zh in told
    (item,) = json.loads(await asyncio.to_thread(run, "--json"))
    assert item["cases"] == len(numbers)
    shown = json.loads(await asyncio.to_thread(run, str(listed[0].id), "--json"))
    assert {step["case_number"] for step in shown["steps"]} == set(numbers)
