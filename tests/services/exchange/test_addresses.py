"""The address guard: nothing but what a department's endpoint may be, however an address is written."""

from __future__ import annotations

import socket

import pytest

from services.errors import InputError
from services.exchange.addresses import AddressRefusedError, Guard

GUARD = Guard.of(["10.1.0.0/16", "127.0.0.1"])


@pytest.mark.parametrize(
    "url",
    [
        "https://8.8.8.8/webhook",
        "https://8.8.8.8:8443/webhook?x=1",
        "https://[2001:4860:4860::8888]/",
        "http://10.1.2.3/webhook",
        "http://10.1.2.3:9000/webhook",
        "https://127.0.0.1:18000/",
        "https://[::ffff:10.1.2.3]/",
    ],
)
def test_what_may_be_called(url: str) -> None:
    assert GUARD.check_url(url) == url.partition(":")[0]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://8.8.8.8/", "needs https"),
        ("https://8.8.8.8:22/", "port 22"),
        ("https://8.8.8.8:9000/", "port 9000"),
        ("https://10.1.2.3:22/", "port 22"),
        ("https://10.2.0.1/", "private"),
        ("https://192.168.1.1/", "private"),
        ("https://100.64.0.1/", "private"),
        ("https://169.254.169.254/latest/meta-data", "link-local"),
        ("https://[fe80::1]/", "link-local"),
        ("https://[fd00::1]/", "private"),
        ("https://127.0.0.2/", "this machine"),
        ("https://[::1]/", "this machine"),
        ("https://[::ffff:127.0.0.2]/", "this machine"),
        ("https://[64:ff9b::7f00:2]/", "this machine"),
        ("https://[2002:7f00:0002::]/", "this machine"),
        ("https://0.0.0.0/", "reserved"),
        ("https://224.0.0.1/", "reserved"),
        ("ftp://8.8.8.8/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("https:///path", "no host"),
        ("https://user:secret@8.8.8.8/", "no password"),
        ("https://8.8.8.8/#x", "fragment"),
        ("https://8.8.8.8:99999/", "no URL"),
        ("https://8.8.8.8:0/", "no host"),
        ("https://8.8.8.8/a b", "blanks"),
        ("https://8.8.8.8/" + "a" * 500, "500"),
        ("https://部门.example/", "ASCII"),
    ],
)
def test_what_may_not_and_why(url: str, reason: str) -> None:
    with pytest.raises(AddressRefusedError, match=reason):
        GUARD.check_url(url)


def _resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def resolve(_host, port, *_more):
        if not addresses:
            raise socket.gaierror(8, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


async def test_every_address_of_a_name_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, "8.8.8.8", "10.1.2.3")
    await GUARD.check("https://hrss.example/webhook")
    _resolving(monkeypatch, "8.8.8.8", "10.9.0.1")
    with pytest.raises(InputError, match=r"endpoint\.url: leads to a private address") as refused:
        await GUARD.check("https://hrss.example/webhook")
    assert "10.9" not in str(refused.value)


async def test_a_name_must_resolve_and_without_tls_lie_in_the_intranet(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch)
    with pytest.raises(InputError, match="does not resolve"):
        await GUARD.check("https://hrss.example/")
    _resolving(monkeypatch, "10.1.2.3")
    await GUARD.check("http://hrss.example/")
    _resolving(monkeypatch, "8.8.8.8")
    with pytest.raises(InputError, match="needs https"):
        await GUARD.check("http://hrss.example/")


def test_the_list_of_the_intranet_must_be_networks() -> None:
    with pytest.raises(InputError, match="intranet"):
        Guard.of(["10.0.0.0/40"])
