"""Up and ready: each thing we stand on by its name; and the reference data that other programs build on."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.readiness import check_all
from models import Role
from services.exchange.schemas import ANSWER, TYPES
from services.house import House
from services.migration import upgrade
from services.settings import Settings
from tests.api.conftest import Knock, ListeningPrefect


@pytest.fixture
async def stranger(knock: Knock) -> httpx.AsyncClient:
    return await knock()


async def test_the_process_is_up_whatever_else_is_not(
    stranger: httpx.AsyncClient, house: House, prefect: ListeningPrefect
) -> None:
    prefect.up = False
    await house.database.dispose()
    answer = await stranger.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_migrated_system_with_prefect_is_ready(
    empty_dsn: str, settings: Settings, prefect: ListeningPrefect
) -> None:
    await asyncio.to_thread(upgrade, empty_dsn)
    house = House(settings)
    async with httpx.AsyncClient(transport=httpx.MockTransport(prefect.answer)) as listening:
        app = create_app(house=house, prefect=listening)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lianban.test") as client:
            ready = await client.get("/readyz")
            prefect.workers = ["OFFLINE"]
            idle = await client.get("/readyz")
            prefect.workers = None
            emptied = await client.get("/readyz")
            prefect.up = False
            without = await client.get("/readyz")
    await house.close()
    fine = {"ok": True, "trouble": None}
    assert (ready.status_code, ready.json()["checks"]) == (
        200,
        dict.fromkeys(("database", "migration", "prefect", "worker"), fine),
    )
    # The doors are open without a worker: the work waits.
    assert (idle.status_code, idle.json()["status"]) == (200, "degraded")
    assert "none has been heard of" in idle.json()["checks"]["worker"]["trouble"]
    assert "lianban keep" in emptied.json()["checks"]["worker"]["trouble"]
    assert (without.status_code, without.json()["code"]) == (503, "not-ready")
    assert without.json()["checks"] == {
        "database": {"ok": True},
        "migration": {"ok": True},
        "prefect": {"ok": False, "trouble": "does not answer"},
        "worker": {"ok": False, "trouble": "cannot be told while Prefect does not answer"},
    }


async def test_a_redis_that_is_away_is_told(empty_dsn: str, settings: Settings, prefect: ListeningPrefect) -> None:
    await asyncio.to_thread(upgrade, empty_dsn)
    house = House(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    async with httpx.AsyncClient(transport=httpx.MockTransport(prefect.answer)) as listening:
        checks = await check_all(house, listening)
    await house.close()
    assert (checks["redis"].ok, checks["redis"].trouble) == (False, "does not answer")
    assert checks["prefect"].ok


async def test_tables_of_another_shape_are_told(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/readyz")
    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert (checks["database"]["ok"], checks["migration"]["ok"]) == (True, False)
    assert "lianban migrate" in answer.json()["detail"]


async def test_a_database_that_is_away_is_told_without_its_address(
    prefect: ListeningPrefect, settings: Settings
) -> None:
    away = settings.model_copy(update={"database_url": "postgresql+asyncpg://lianban:secret@/x?host=/nonexistent"})
    house = House(away)
    async with httpx.AsyncClient(transport=httpx.MockTransport(prefect.answer)) as listening:
        app = create_app(house=house, prefect=listening)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lianban.test") as client:
            answer = await client.get("/readyz")
            asked = await client.get("/api/v1/cases", headers={"authorization": "Bearer lbk_" + "A" * 43})
    await house.close()
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == {"ok": False, "trouble": "does not answer"}
    assert "secret" not in answer.text
    assert (asked.status_code, asked.json()["code"]) == (503, "unavailable")


async def test_the_application_opens_its_own_house(settings: Settings, empty_dsn: str) -> None:
    await asyncio.to_thread(upgrade, empty_dsn)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://lianban.test") as client:
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/api/v1/cases")).status_code == 401


async def test_schemas_and_reasons_are_public(stranger: httpx.AsyncClient) -> None:
    listed = (await stranger.get("/api/v1/schemas")).json()["items"]
    assert [item["type"] for item in listed] == [*TYPES, ANSWER]
    for item in listed:
        path = item["schema_url"].removeprefix("http://127.0.0.1:8700")
        schema = (await stranger.get(path)).json()
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (await stranger.get("/api/v1/schemas/no.such.type.json")).status_code == 404
    reasons = (await stranger.get("/api/v1/reasons")).json()
    assert {"code": "quota-full", "zh": "名额已满，已列入轮候"}.items() <= reasons["declines"][1].items()
    assert "expired" in [one["code"] for one in reasons["permit_ends"]]


async def test_policies_are_shown_whole(knock: Knock, app: FastAPI) -> None:
    del app
    client = await knock(Role.OFFICER, "hrss")
    (item,) = (await client.get("/api/v1/policies")).json()["items"]
    assert (item["code"], item["first_day"], item["last_day"]) == ("zibo-2014-87", "2014-10-01", "2018-12-31")
    policy = (await client.get("/api/v1/policies/zibo-2014-87")).json()
    assert len(policy["content"]["services"]) == 78
    assert policy["digest"] == item["digest"]
    assert (await client.get("/api/v1/policies/other")).status_code == 404


async def test_what_is_not_prefect_at_its_address_is_told(empty_dsn: str, settings: Settings) -> None:
    await asyncio.to_thread(upgrade, empty_dsn)
    house = House(settings)
    for told in (httpx.Response(200, json=True), httpx.Response(200, json=[{}]), httpx.Response(200, text="<html>")):
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _, told=told: told)) as other:
            app = create_app(house=house, prefect=other)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lianban.test") as client:
                answer = await client.get("/readyz")
        assert "does not speak as Prefect" in answer.json()["checks"]["worker"]["trouble"]
    await house.close()
