"""The HTTP client that calls departments: httpx's interface over aiohttp's connection pool.

httpx's own pool collapses beyond some thirty connections (192 requests a second at 32, against 3,350 with this
transport on the same machine). One client a process and event loop; redirects, cookies and proxies of the
environment are off, because the signature and the person's fields are meant for one registered address only.
"""

from __future__ import annotations

import asyncio
import ssl
from weakref import WeakKeyDictionary

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

TIMEOUT = 15.0
CONNECTIONS = 256
MAX_ANSWER = 65_536
# Below the five seconds after which common servers drop an idle connection: a call never meets one just dropped.
IDLE = 4.0


class AnswerTooLargeError(Exception):
    """An answer went past the bound; ``head`` is what was read of it."""

    def __init__(self, head: bytes) -> None:
        super().__init__(f"more than {MAX_ANSWER} bytes")
        self.head = head


def open_client(
    *, timeout: float = TIMEOUT, connections: int = CONNECTIONS, verify: ssl.SSLContext | bool = True
) -> httpx.AsyncClient:
    """A client of its own: ``timeout`` seconds a request, at most ``connections`` at once. Close it after use."""
    context = verify if isinstance(verify, ssl.SSLContext) else httpx.create_ssl_context(verify=verify, trust_env=False)

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=IDLE, ssl=context),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    return httpx.AsyncClient(
        transport=AiohttpTransport(client=session, verify=context, trust_env=False),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
        # Compressed answers are refused rather than unpacked: a bound on what is read must bound what it becomes.
        headers={"user-agent": "Lianban", "accept": "application/json", "accept-encoding": "identity"},
    )


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()


def shared_client() -> httpx.AsyncClient:
    """The client of this process and running event loop, made on first use."""
    loop = asyncio.get_running_loop()
    client = _shared.get(loop)
    if client is None or client.is_closed:
        client = _shared[loop] = open_client()
    return client


async def close_shared_client() -> None:
    """Close the running loop's client, if it has one."""
    client = _shared.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


async def read_bounded(response: httpx.Response, limit: int = MAX_ANSWER) -> bytes:
    """The body of a streamed response as it came; AnswerTooLargeError past ``limit`` bytes."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise AnswerTooLargeError(b"".join(chunks)[:limit])
    return b"".join(chunks)
