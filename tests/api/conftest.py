"""The HTTP application in the process, with keys for every role, and a Prefect that only listens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.app import create_app
from models import Role
from services.access import KeyBounds, create_key, passwords
from services.access.accounts import create_account
from services.access.own_account import change_password
from services.access.posts import Post
from services.access.sessions import csrf_token
from services.casework import deliveries
from services.house import House
from tests.testing.accounts import CONSOLE
from tests.testing.departments import Departments

Knock = Callable[..., Awaitable[httpx.AsyncClient]]
SignIn = Callable[..., Awaitable["Browser"]]
Browse = Callable[[], Awaitable["Browser"]]
# The station at which the applications of tests are handed in.
STATION = "科苑派出所"
PASSWORD = "correct horse battery"


class ListeningPrefect:
    """Prefect's API as far as the doors speak to it: what was said to it, and whether it is up."""

    def __init__(self) -> None:
        self.events: list[httpx.Request] = []
        self.up = True
        self.workers: list[str] | None = ["ONLINE"]

    def answer(self, request: httpx.Request) -> httpx.Response:
        if not self.up:
            raise httpx.ConnectError("down", request=request)
        if request.url.path.endswith("/events"):
            self.events.append(request)
            return httpx.Response(204)
        if request.url.path.endswith("/work_pools/lianban/workers/filter"):
            if self.workers is None:
                return httpx.Response(404, json={"detail": "no such pool"})
            return httpx.Response(200, json=[{"name": f"w{n}", "status": one} for n, one in enumerate(self.workers)])
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

        async def knock(
            role: Role | None = None, scope: str | None = None, station: str | None = None
        ) -> httpx.AsyncClient:
            headers = {}
            if role is not None:
                name = f"{role.value}-{scope or 'city'}{'-station' if station else ''}"
                async with house.database.write("administrator:test") as transaction:
                    key = await create_key(
                        transaction, house.packs, house.database.clock.now(), name=name, role=role, scope=scope,
                        days=30, bounds=KeyBounds(station),
                    )  # fmt: skip
                headers["authorization"] = f"Bearer {key}"
            transport = httpx.ASGITransport(app)
            client = httpx.AsyncClient(transport=transport, base_url="http://lianban.test", headers=headers)
            return await stack.enter_async_context(client)

        yield knock


class Browser(httpx.AsyncClient):
    """A person's browser as far as the doors can tell: it keeps cookies and says where its requests come from."""

    @property
    def csrf(self) -> str:
        """The token for forms and scripts of the session that it holds."""
        return csrf_token(self.cookies["lianban"])

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of one of our own pages, with the session's token."""
        return await self.post(path, data={"csrf_token": self.csrf, **fields})


@pytest.fixture
async def browse(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Browse]:
    """Opens a browser in which nobody is signed in."""
    # Hashing a password is dear on purpose; what is tested here is everything else.
    monkeypatch.setattr(passwords, "_hasher", cheap_hasher)
    async with AsyncExitStack() as stack:

        async def browse() -> Browser:
            headers = {"sec-fetch-site": "same-origin", "accept": "text/html", "user-agent": "Browser of the tests"}
            transport = httpx.ASGITransport(app)
            return await stack.enter_async_context(
                Browser(transport=transport, base_url="http://lianban.test", headers=headers)
            )

        yield browse


@pytest.fixture
def sign_in(house: House, browse: Browse) -> SignIn:
    """Signs a person in: ``await sign_in(Role.CLERK, "370303")`` gives the browser of a new account, its first password
    changed already. Scripts' requests need ``headers={"x-csrf-token": browser.csrf}``, forms ``browser.submit(…)``.
    """

    async def sign_in(
        role: Role, scope: str | None = None, name: str | None = None, station: str | None = None
    ) -> Browser:
        name = name or f"{role.value}.{scope or 'city'}"
        if role is Role.CLERK:
            scope, station = scope or "370303", station or STATION
        made = await create_account(house.database, house.packs, CONSOLE, name, Post(role, scope, station))
        await change_password(house.database, made.account.caller, made.password, PASSWORD)
        browser = await browse()
        answer = await enter(browser, name, PASSWORD)
        assert answer.status_code == 303, answer.text
        return browser

    return sign_in


async def enter(browser: Browser, name: str, password: str, wanted: str = "") -> httpx.Response:
    """Open the sign-in page, fill in its form and send it."""
    shown = await browser.get("/sign-in", params={"next": wanted} if wanted else {})
    token = re.search(r'name="csrf_token" value="(\w+)"', shown.text)
    if token is None:
        return shown
    fields = {"csrf_token": token[1], "next": wanted, "name": name, "password": password}
    return await browser.post("/sign-in", data=fields)


def cheap_hasher() -> PasswordHash:
    """Argon2 at its cheapest."""
    return PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


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
