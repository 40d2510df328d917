"""The HTTP client that calls departments: one narrow way to POST, over aiohttp's connection pool.

httpx's own pool collapses beyond some thirty connections, and its interface over aiohttp's pool costs 250 µs of
processor a call more than aiohttp alone, half of what a delivery costs in all. So production speaks to aiohttp, and
an ``httpx.AsyncClient`` is taken wherever a client is asked for, which lets a test call an ASGI application.

Redirects, cookies, proxies of the environment and compressed answers are off: the signature and the person's fields
are meant for one registered address only, and a bound on what is read must bound what it becomes. ``connected`` puts
the address guard before every connection: the name is resolved once, each address judged, and that address called.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult

from services.exchange.addresses import Guard, look_up
from services.exchange.connections import PLAIN, Access, tls_context
from services.exchange.tokens import TokenRefusedError, Tokens, bearing

TIMEOUT = 15.0
MAX_ANSWER = 65_536
# Below the five seconds after which common servers drop an idle connection: a call never meets one just dropped.
IDLE = 4.0

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
_HEADERS = {"user-agent": "Lianban", "accept": "application/json", "accept-encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: its status, the headers that matter here, and at most ``MAX_ANSWER`` bytes of body."""

    status: int
    body: bytes
    retry_after: str | None
    encoding: str | None
    too_large: bool


class Client(Protocol):
    """What sends a message. It raises what ``failures.error_kind`` tells apart, and sets no limit of time."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST ``body`` and read the answer up to the bound."""

    async def aclose(self) -> None:
        """Close every connection."""


@dataclass(frozen=True, slots=True)
class _Way:
    """What sets connections apart: who judges the address, and whom TLS trusts and shows. No way: unguarded."""

    guard: Guard | None = None
    access: Access = PLAIN


class PooledClient:
    """The production client; ``verify`` as TLS needs it where an endpoint has no certificates of its own.

    It bounds no connections: each department's gate (``passage``) bounds what is out to it. A bound on all of them
    would let the departments that hang take the places of those that are well.
    """

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        self._verify = verify
        self._sessions: dict[_Way, aiohttp.ClientSession] = {}
        self._used = False
        self.tokens = Tokens()

    @property
    def closed(self) -> bool:
        """Whether it was used and then closed."""
        return self._used and not self._sessions

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST ``body`` and read the answer up to the bound."""
        return await self.post_by(_Way(), url, body, headers)

    async def post_by(self, way: _Way, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The same over connections of that ``way`` only."""
        # aiohttp binds a session to the running loop, so it is made by the first call.
        session = self._sessions.get(way) or self._open(way)
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            size = response.content_length
            if size is not None and size <= MAX_ANSWER:
                return _answer(response.status, [await response.content.read()], response.headers)
            chunks = await _bounded(response.content.iter_any())
            if not response.content.at_eof():
                # What is left unread would spoil the connection for the next call.
                response.close()
            return _answer(response.status, chunks, response.headers)

    async def aclose(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _open(self, way: _Way) -> aiohttp.ClientSession:
        self._used = True
        guard, access = way.guard, way.access
        own = access.authority is not None or access.certificate is not None
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=IDLE,
            ssl=tls_context(access.authority, access.certificate) if own else self._verify,
            resolver=None if guard is None else _GuardedResolver(guard),
            socket_factory=None if guard is None else _guarded_socket(guard),
        )
        session = self._sessions[way] = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        )
        return session


class _GuardedResolver(AbstractResolver):
    """Names as the system resolves them, if every address of the name may be called: one that may not shows that the
    name is not what it was when it was registered.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await look_up(host, port, family)
        for _, address in found:
            self._guard.check_address(address, port)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=_NUMERIC)
            for kind, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept."""


def _guarded_socket(guard: Guard) -> aiohttp.SocketFactoryType:
    """Sockets for judged addresses only: the last gate, which no way of writing an address gets round."""

    def make(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        guard.check_address(str(address[0]), int(address[1]))
        return socket.socket(family, kind, protocol)

    return make


class ConnectedClient:
    """A pooled client on its way to one endpoint: through the guard, with what the receiver asks us to prove."""

    def __init__(self, pool: PooledClient, guard: Guard, access: Access) -> None:
        self._pool = pool
        self._access = access
        self._guard = guard
        self._ways: dict[str, _Way] = {}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST ``body``; AddressRefusedError if the address may not be called, TokenRefusedError without a token."""
        oauth = self._access.oauth
        if oauth is None:
            return await self._post(url, body, headers, self._access)
        tokens = self._pool.tokens
        token = await tokens.token(oauth, self._ask)
        answer = await self._post(url, body, bearing(token, url, headers), self._access)
        if answer.status == 401:
            # The receiver may have ended the token before its time.
            tokens.forget(oauth, token)
            token = await tokens.token(oauth, self._ask)
            answer = await self._post(url, body, bearing(token, url, headers), self._access)
        return answer

    async def aclose(self) -> None:
        """Leave the connections to the pool."""

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], access: Access) -> Answer:
        way = self._ways.get(url)
        if way is None:
            # What the URL alone tells is judged once; every connection is judged anew.
            scheme = self._guard.check_url(url)
            way = self._ways[url] = _Way(self._guard.of_scheme(scheme), Access(access.authority, access.certificate))
        return await self._pool.post_by(way, url, body, headers)

    async def _ask(self, url: str, form: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        answer = await self._post(url, form, headers, self._access)
        if answer.too_large:
            raise TokenRefusedError("the token server's answer is too long")
        return answer.status, answer.body


class HttpxClient:
    """Any ``httpx.AsyncClient`` as a client; its owner closes it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST ``body`` and read the answer up to the bound."""
        sent = {**_HEADERS, **headers}
        async with self._client.stream("POST", url, content=body, headers=sent, follow_redirects=False) as response:
            # A mock may hand over an answer whose body never was a stream.
            consumed = response.is_stream_consumed
            chunks = [response.content] if consumed else await _bounded(response.aiter_raw())
            return _answer(response.status_code, chunks, response.headers)

    async def aclose(self) -> None:
        """Leave the connections to their owner."""


def open_client(*, verify: ssl.SSLContext | bool = True) -> PooledClient:
    """A client of its own. Close it after use."""
    return PooledClient(verify)


def as_client(client: Client | httpx.AsyncClient) -> Client:
    """``client`` as this room speaks to it."""
    return HttpxClient(client) if isinstance(client, httpx.AsyncClient) else client


def connected(client: Client | httpx.AsyncClient, guard: Guard, access: Access = PLAIN) -> Client:
    """``client`` for one endpoint. A client that is not ours to connect (a test's) is taken as it is."""
    return ConnectedClient(client, guard, access) if isinstance(client, PooledClient) else as_client(client)


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, PooledClient] = WeakKeyDictionary()


def shared_client() -> PooledClient:
    """The client of this process and running event loop, made on first use."""
    loop = asyncio.get_running_loop()
    client = _shared.get(loop)
    if client is None or client.closed:
        client = _shared[loop] = open_client()
    return client


async def close_shared_client() -> None:
    """Close the running loop's client, if it has one."""
    client = _shared.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


async def _bounded(chunks: AsyncIterable[bytes]) -> list[bytes]:
    """What comes, until it is more than ``MAX_ANSWER``."""
    read: list[bytes] = []
    size = 0
    async for chunk in chunks:
        read.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER:
            break
    return read


def _answer(status: int, chunks: list[bytes], headers: Mapping[str, str]) -> Answer:
    body = b"".join(chunks)
    return Answer(
        status, body[:MAX_ANSWER], headers.get("retry-after"), headers.get("content-encoding"), len(body) > MAX_ANSWER
    )
