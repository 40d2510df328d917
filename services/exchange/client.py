"""The HTTP client that calls departments: one narrow way to POST, over aiohttp's connection pool.

httpx's own pool collapses beyond some thirty connections, and its interface over aiohttp's pool costs 250 µs of
processor a call more than aiohttp alone, half of what a delivery costs in all. So production speaks to aiohttp, and
an ``httpx.AsyncClient`` is taken wherever a client is asked for, which lets a test call an ASGI application.

Redirects, cookies, proxies of the environment and compressed answers are off: the signature and the person's fields
are meant for one registered address only, and a bound on what is read must bound what it becomes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import aiohttp
import httpx

TIMEOUT = 15.0
CONNECTIONS = 256
MAX_ANSWER = 65_536
# Below the five seconds after which common servers drop an idle connection: a call never meets one just dropped.
IDLE = 4.0

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


class PooledClient:
    """The production client: at most ``connections`` at once; ``verify`` as TLS needs it."""

    def __init__(self, connections: int, verify: ssl.SSLContext | bool) -> None:
        self._connections = connections
        self._verify = verify
        self._session: aiohttp.ClientSession | None = None

    @property
    def closed(self) -> bool:
        """Whether it was used and then closed."""
        return self._session is not None and self._session.closed

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST ``body`` and read the answer up to the bound."""
        # aiohttp binds a session to the running loop, so it is made by the first call.
        session = self._session or self._open()
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            chunks = await _bounded(response.content.iter_any())
            if not response.content.at_eof():
                # What is left unread would spoil the connection for the next call.
                response.close()
            return _answer(response.status, chunks, response.headers)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=IDLE, ssl=self._verify),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        )
        return self._session


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


def open_client(*, connections: int = CONNECTIONS, verify: ssl.SSLContext | bool = True) -> PooledClient:
    """A client of its own: at most ``connections`` at once. Close it after use."""
    return PooledClient(connections, verify)


def as_client(client: Client | httpx.AsyncClient) -> Client:
    """``client`` as this room speaks to it."""
    return HttpxClient(client) if isinstance(client, httpx.AsyncClient) else client


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
