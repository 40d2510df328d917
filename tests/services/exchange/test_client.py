"""The client: one a process and loop, and no memory from one department to the next."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import httpx
import pytest

from services.exchange.client import close_shared_client, shared_client
from services.exchange.failures import ERROR_KINDS, error_kind


async def test_one_client_a_loop():
    client = shared_client()
    assert shared_client() is client
    await close_shared_client()
    assert shared_client() is not client
    await close_shared_client()
    await close_shared_client()


def test_another_loop_has_another():
    async def mine():
        client = shared_client()
        await close_shared_client()
        return client

    assert asyncio.run(mine()) is not asyncio.run(mine())


async def test_a_client_that_was_closed_is_not_given_out_again():
    client = shared_client()
    with pytest.raises(aiohttp.ClientError):
        await client.post("http://", b"", {})
    await client.aclose()
    assert shared_client() is not client
    await close_shared_client()


async def test_cookies_and_proxies_are_not_kept(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            seen.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
            await reader.readexactly(2)
            writer.write(b"HTTP/1.1 204 X\r\nset-cookie: who=me\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    client = shared_client()
    for _ in range(2):
        assert (await client.post(url, b"{}", {})).status == 204
    await close_shared_client()
    server.close()
    assert len(seen) == 2
    assert not any("cookie" in head for head in seen)
    assert all("accept-encoding: identity" in head and "user-agent: lianban" in head for head in seen)


def caused(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (socket.gaierror(8, "no such name"), "dns"),
        (caused(httpx.ConnectError("x"), socket.gaierror(8, "no such name")), "dns"),
        (httpx.ConnectError("x"), "connect"),
        (ConnectionRefusedError(), "connect"),
        (ConnectionResetError(), "reset"),
        (aiohttp.ServerDisconnectedError(), "reset"),
        (httpx.ReadTimeout("x"), "timeout"),
        (TimeoutError(), "timeout"),
        (httpx.RemoteProtocolError("x"), "protocol"),
        (httpx.UnsupportedProtocol("x"), "address"),
        (OSError("odd"), "reset"),
    ],
)
def test_a_failure_has_one_name(failure, kind):
    assert error_kind(failure) == kind
    assert kind in ERROR_KINDS
    assert len(kind) <= 24
