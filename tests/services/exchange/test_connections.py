"""Connections to endpoints: the guard at the socket, tokens, and certificates, against real servers on the loopback."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.errors import InputError
from services.exchange.addresses import Guard
from services.exchange.client import connected, open_client
from services.exchange.connections import Access, ClientCertificate, ClientCredentials, check_certificate
from services.exchange.failures import UNANSWERED, error_kind

LOOPBACK = Guard.of(["127.0.0.1"])
# None: no answer, ever.
Answerer = Callable[[str, dict[str, str]], tuple[int, bytes] | None]


class Server:
    """What was asked of a server: path and headers of each request."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.port = 0
        self.connections = 0


@asynccontextmanager
async def serving(answer: Answerer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that answers each request as ``answer`` says, or never."""
    server = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                await reader.readexactly(int(headers.get("content-length", "0")))
                path = head[0].split()[1]
                server.asked.append((path, headers))
                answered = answer(path, headers)
                if answered is None:
                    continue
                status, body = answered
                extra = "location: http://127.0.0.1:1/\r\n" if 300 <= status < 400 else ""
                writer.write(f"HTTP/1.1 {status} X\r\n{extra}content-length: {len(body)}\r\n\r\n".encode() + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@pytest.fixture
async def pool() -> AsyncIterator[object]:
    client = open_client()
    yield client
    await client.aclose()


async def kind_of(call) -> str:
    with pytest.raises(UNANSWERED) as failed:
        await call
    return error_kind(failed.value)


async def test_an_address_outside_the_list_is_refused_before_anything_is_sent(pool) -> None:
    async with serving(lambda *_: (200, b"")) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert await kind_of(connected(pool, Guard()).post(url, b"{}", {})) == "address"
        assert server.connections == 0
        assert (await connected(pool, LOOPBACK).post(url, b"{}", {})).status == 200


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.0.0.1"])
async def test_no_way_of_writing_an_address_gets_round_the_guard(pool, host: str) -> None:
    async with serving(lambda *_: (200, b"")) as server:
        refused = connected(pool, Guard.of(["10.0.0.0/8"])).post(f"http://{host}:{server.port}/", b"{}", {})
        assert await kind_of(refused) == "address"
        assert server.connections == 0


async def test_a_name_that_changed_its_address_is_judged_anew(pool, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["127.0.0.1", "127.0.0.2"])

    def resolve(_host, port, *_more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with serving(lambda *_: (200, b"")) as server:
        url = f"http://hrss.example:{server.port}/"
        await LOOPBACK.check(url)
        assert await kind_of(connected(pool, LOOPBACK).post(url, b"{}", {})) == "address"
        assert server.connections == 0


async def test_the_address_judged_is_the_address_called(pool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def resolve(host, port, *_more):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with serving(lambda *_: (200, b"")) as server:
        assert (await connected(pool, LOOPBACK).post(f"http://hrss.example:{server.port}/", b"{}", {})).status == 200
    assert asked == ["hrss.example"]


async def test_names_that_hang_hold_up_no_other(pool, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def resolve(host, port, *_more):
        if host.startswith("hung"):
            answers.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    way = connected(pool, LOOPBACK)
    async with serving(lambda *_: (200, b"")) as server:
        # More than an event loop has threads for everything that would block it.
        hung = [
            asyncio.create_task(way.post(f"http://hung{number}.example:{server.port}/", b"{}", {}))
            for number in range(40)
        ]
        try:
            answer = await asyncio.wait_for(way.post(f"http://well.example:{server.port}/", b"{}", {}), 10)
            assert (answer.status, any(one.done() for one in hung)) == (200, False)
        finally:
            answers.set()
        assert {one.status for one in await asyncio.gather(*hung)} == {200}


async def test_connections_that_hang_take_nobodys_place(pool) -> None:
    async with serving(lambda path, _: (200, b"") if path == "/well" else None) as server:
        url = f"http://127.0.0.1:{server.port}"
        way = connected(pool, LOOPBACK)
        # As several departments have out together that allow as much as may be allowed.
        hung = [asyncio.create_task(way.post(f"{url}/hung", b"{}", {})) for _ in range(260)]
        try:
            answer = await asyncio.wait_for(way.post(f"{url}/well", b"{}", {}), 10)
            assert (answer.status, any(one.done() for one in hung)) == (200, False)
        finally:
            for one in hung:
                one.cancel()
            await asyncio.gather(*hung, return_exceptions=True)


async def test_a_name_that_is_none_does_not_resolve(pool) -> None:
    assert await kind_of(connected(pool, LOOPBACK).post("http://a..b.example/", b"{}", {})) == "dns"


async def test_a_redirect_is_told_and_not_followed(pool) -> None:
    async with serving(lambda *_: (307, b"")) as server:
        answer = await connected(pool, LOOPBACK).post(f"http://127.0.0.1:{server.port}/", b"{}", {})
    assert answer.status == 307
    assert len(server.asked) == 1


def _tokens(good: set[str]) -> Answerer:
    given = iter(["first", "second", "third"])

    def answer(path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        if path == "/token":
            token = next(given)
            return 200, json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600}).encode()
        return (200 if headers.get("authorization", "").removeprefix("Bearer ") in good else 401), b""

    return answer


async def test_a_token_is_asked_for_once_and_anew_when_it_is_refused(pool) -> None:
    good = {"first"}
    async with serving(_tokens(good)) as server:
        base = f"http://127.0.0.1:{server.port}"
        access = Access(oauth=ClientCredentials(f"{base}/token", "lian ban", "geh:eim", "hooks"))
        calls = (connected(pool, LOOPBACK, access).post(f"{base}/webhook", b"{}", {}) for _ in range(3))
        assert [answer.status for answer in await asyncio.gather(*calls)] == [200] * 3
        assert [path for path, _ in server.asked].count("/token") == 1
        # bGlhbitiYW46Z2VoJTNBZWlt is `lian+ban:geh%3Aeim`: RFC 6749 has both parts form-encoded.
        assert server.asked[0][1]["authorization"] == "Basic bGlhbitiYW46Z2VoJTNBZWlt"
        good.clear()
        good.add("second")
        assert (await connected(pool, LOOPBACK, access).post(f"{base}/webhook", b"{}", {})).status == 200


@pytest.mark.parametrize(
    "answer", [(500, b""), (200, b"no JSON"), (200, b"[]"), (200, b'{"access_token": "a b"}'), (401, b"{}")]
)
async def test_without_a_token_nothing_is_sent(pool, answer: tuple[int, bytes]) -> None:
    async with serving(lambda *_: answer) as server:
        base = f"http://127.0.0.1:{server.port}"
        access = Access(oauth=ClientCredentials(f"{base}/token", "lianban", "secret"))
        assert await kind_of(connected(pool, LOOPBACK, access).post(f"{base}/webhook", b"{}", {})) == "token"
    assert [path for path, _ in server.asked] == ["/token"]


def _certificate(name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def test_an_authority_of_its_own_and_a_client_certificate(pool, tmp_path: Path) -> None:
    authority = _certificate("Testing CA")
    server_cert, client_cert = _certificate("server", authority), _certificate("lianban", authority)
    for name, (certificate, key) in {"server": server_cert}.items():
        (tmp_path / f"{name}.pem").write_text(_pem(certificate) + _key_pem(key))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=_pem(authority[0]))
    tls.load_cert_chain(tmp_path / "server.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.maximum_version = ssl.TLSVersion.TLSv1_2  # the refusal then comes with the handshake
    shown = ClientCertificate(_pem(client_cert[0]), _key_pem(client_cert[1]))
    check_certificate(shown)
    async with serving(lambda *_: (200, b""), tls) as server:
        url = f"https://127.0.0.1:{server.port}/"
        answer = await connected(pool, LOOPBACK, Access(_pem(authority[0]), shown)).post(url, b"{}", {})
        assert answer.status == 200
        assert await kind_of(connected(pool, LOOPBACK).post(url, b"{}", {})) == "tls"
        without = connected(pool, LOOPBACK, Access(_pem(authority[0]))).post(url, b"{}", {})
        assert await kind_of(without) in {"tls", "reset"}


def test_a_certificate_must_fit_its_key() -> None:
    one, other = _certificate("one"), _certificate("other")
    for certificate, place in (
        (ClientCertificate(_pem(one[0]), _key_pem(other[1])), "client_certificate.key"),
        (ClientCertificate(_pem(one[0]), "no key"), "client_certificate.key"),
        (ClientCertificate("none", _key_pem(one[1])), "client_certificate.chain"),
    ):
        with pytest.raises(InputError) as refused:
            check_certificate(certificate)
        assert refused.value.place == place
