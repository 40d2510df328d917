"""Why no answer came: one word for each way in which a call can fail, from what the HTTP client raises."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import aiohttp
import httpx

from services.exchange.addresses import AddressRefusedError
from services.exchange.tokens import TokenRefusedError

# All that a client raises when no answer came.
UNANSWERED = (aiohttp.ClientError, httpx.HTTPError, httpx.InvalidURL, OSError)

# The first kind that fits any exception of the chain wins, so the particular stand before the general.
_KINDS: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("address", (AddressRefusedError, httpx.InvalidURL, httpx.UnsupportedProtocol, aiohttp.InvalidURL)),
    ("address", (aiohttp.NonHttpUrlClientError,)),
    ("token", (TokenRefusedError,)),
    ("dns", (aiohttp.ClientConnectorDNSError, socket.gaierror)),
    ("tls", (aiohttp.ClientSSLError, ssl.SSLError)),
    ("reset", (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionResetError, BrokenPipeError)),
    ("timeout", (aiohttp.ServerTimeoutError, TimeoutError)),
    ("connect", (aiohttp.ClientConnectorError, ConnectionError)),
    ("protocol", (aiohttp.ClientResponseError,)),
    # What other transports of httpx raise, without a cause of aiohttp's beneath it.
    ("timeout", (httpx.TimeoutException,)),
    ("connect", (httpx.ConnectError,)),
    ("protocol", (httpx.ProtocolError,)),
)
# An error of our own while sending: it says nothing about the department, and is never counted against it.
INTERNAL = "internal"
ERROR_KINDS = (*dict.fromkeys(kind for kind, _ in _KINDS), "too-large", INTERNAL)


def error_kind(failure: BaseException) -> str:
    """``dns``, ``connect``, ``timeout``, ``reset``, ``tls``, ``protocol``, ``address`` or ``token``; ``reset`` for all
    else.
    """
    chain = tuple(_chain(failure))
    for kind, types in _KINDS:
        if any(isinstance(link, types) for link in chain):
            return kind
    return "reset"


def _chain(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__
