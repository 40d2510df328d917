"""The HTTP application in the process, with keys for every role, and a Prefect that only listens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from models import Role
from services.access import create_key
from services.casework import deliveries
from services.house import House
from tests.testing.departments import Departments

Knock = Callable[..., Awaitable[httpx.AsyncClient]]


class ListeningPrefect:
    """Prefect's API as far as the doors speak to it: what was said to it, and whether it is up."""

    def __init__(self) -> None:
        self.events: list[httpx.Request] = []
        self.up = True

    def answer(self, request: httpx.Request) -> httpx.Response:
        if not self.up:
            raise httpx.ConnectError("down", request=request)
        if request.url.path.endswith("/events"):
            self.events.append(request)
            return httpx.Response(204)
        return httpx.Response(200, json=True)


@pytest.fixture
def prefect() -> ListeningPrefect:
    return ListeningPrefect()


@pytest.fixture
async def app(house: House, prefect: ListeningPrefect) -> AsyncIterator[FastAPI]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(prefect.answer)) as client:
        app = create_app(house=house, prefect=client)
        yield app
        await app.state.doors.bell.close()


@pytest.fixture
async def knock(app: FastAPI, house: House) -> AsyncIterator[Knock]:
    """Makes a client: ``await knock()`` without a key, ``await knock(Role.CLERK, "370303")`` with one of its own."""
    async with AsyncExitStack() as stack:

        async def knock(role: Role | None = None, scope: str | None = None) -> httpx.AsyncClient:
            headers = {}
            if role is not None:
                name = f"{role.value}-{scope or 'city'}"
                async with house.database.write("administrator:test") as transaction:
                    key = await create_key(
                        transaction, house.packs, house.database.clock.now(), name=name, role=role, scope=scope, days=30
                    )
                headers["authorization"] = f"Bearer {key}"
            transport = httpx.ASGITransport(app)
            client = httpx.AsyncClient(transport=transport, base_url="http://lianban.test", headers=headers)
            return await stack.enter_async_context(client)

        yield knock


@pytest.fixture
async def clerk(knock: Knock) -> httpx.AsyncClient:
    """A clerk of 张店区."""
    return await knock(Role.CLERK, "370303")


@pytest.fixture
async def coordinator(knock: Knock) -> httpx.AsyncClient:
    """A coordinator of the whole city."""
    return await knock(Role.COORDINATOR)


@pytest.fixture
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Departments:
    """Every department, willing and quick until a test says otherwise."""
    departments = Departments()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments
