"""The service as others meet it: a server on the loopback, with cases in many states behind it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn

from api.app import create_app
from models import Role
from services.access import create_key
from services.casework import deliveries
from services.house import House
from services.migration import upgrade
from services.settings import Settings
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


@dataclass(frozen=True)
class Served:
    """Where the service is, and an administrator's key to it."""

    url: str
    key: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running server over a database with cases received, waiting, refused, provisioning and closed."""
    folder = tmp_path_factory.mktemp("served")
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite+aiosqlite:///{folder / 'lianban.db'}",
        # A stream without an end tells nothing to who waits for it.
        changes_seconds=0.05,
        # The tests ask as one caller, more often than one may: a 429 would hide what is behind it.
        caller_per_second=10_000,
        _env_file=None,
    )
    upgrade(settings.dsn)
    key = asyncio.run(_fill(settings))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        prefect = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=True)))
        server = uvicorn.Server(uvicorn.Config(create_app(settings, prefect=prefect), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        _await(server, url)
        yield Served(url, key)
        server.should_exit = True
        thread.join(timeout=20)


def _await(server: uvicorn.Server, url: str) -> None:
    """Return when the server answers."""
    for _ in range(400):
        if server.started and httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
            return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


async def _fill(settings: Settings) -> str:
    """Put cases into the database; an administrator's key."""
    house, departments = House(settings, SetClock(datetime(2014, 11, 3, 2, 0, tzinfo=UTC)).clock), Departments()
    await departments.connect(house)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deliveries, "shared_client", lambda: departments)
        await work(house, *await registered(house, application(children=[{"born_on": "2008-05-01"}])))
        departments.failing["education"] = 503
        departments.declines["ZB87-3.1.5a"] = "quota-full"
        await work(house, *await registered(house, application(children=[{"born_on": "2009-05-01"}])))
        departments.facts["identity_matches"] = False
        await work(house, *await registered(house, application()))
        departments.silent.add("police")
        await work(house, *await registered(house, application()))
        await registered(house, application())
    async with house.database.write("administrator:test") as transaction:
        key = await create_key(
            transaction, house.packs, datetime.now(UTC), name="test", role=Role.ADMINISTRATOR, scope=None, days=2
        )
    await house.close()
    return key
