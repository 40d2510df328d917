"""Sending: every way in which a department can answer or fail, over real connections, becomes one result."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook

from services.errors import InputError
from services.exchange.client import MAX_ANSWER, open_client
from services.exchange.delivery import Target, deliver
from services.exchange.messages import Message, batch_id
from services.exchange.outcomes import Outcome
from services.exchange.schedule import Verdict
from services.exchange.signatures import new_secret

SECRETS = (new_secret(), new_secret())
Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def now() -> datetime:
    return datetime.now(UTC)


def message(step: str = "c-1-v-hrss-1", **parts: object) -> Message:
    return Message(step, "t", json.dumps({"id": step, **parts}).encode(), ("name",), ("测试甲",))


@asynccontextmanager
async def listening(handler: Handler):
    """A bare server on the loopback: ``handler`` gets each request whole, as bytes, and writes what it likes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line[16:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                await handler(head + await reader.readexactly(length), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


def saying(status: int, body: bytes = b"", *headers: str) -> Handler:
    """Always the same answer."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers, "", ""]

    async def handler(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + body)

    return handler


async def results_of(url: str, *messages: Message, client=None, **parts):
    target = Target("hrss", url, parts.pop("secrets", SECRETS), **parts)
    owned = client or open_client()
    try:
        return [result async for result in deliver(owned, target, messages or (message(),), now)]
    finally:
        if client is None:
            await owned.aclose()


async def result_of(handler: Handler, *messages: Message, **parts):
    async with listening(handler) as url:
        (result,) = await results_of(url, *messages, **parts)
    return result


async def test_a_message_goes_out_signed_and_the_outcome_comes_back():
    requests: list[bytes] = []
    body = json.dumps({"outcomes": [{"step": "c-1-v-hrss-1", "facts": {"labour_contract": True}}]}).encode()

    async def handler(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        await saying(200, body)(request, writer)

    sent = message()
    result = await result_of(handler, sent)
    head, _, content = requests[0].partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    signed = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert content == sent.body
    assert headers["content-type"] == "application/cloudevents+json"
    for secret in SECRETS:
        Webhook(secret).verify(content, signed)
    assert result.step_ids == ("c-1-v-hrss-1",)
    assert (result.status, result.verdict, result.error, result.problem) == (200, Verdict.RECEIVED, None, None)
    assert result.outcomes == (Outcome("c-1-v-hrss-1", {"labour_contract": True}),)
    assert result.sent_digest == hashlib.sha256(sent.body).hexdigest()
    assert result.started_at.tzinfo is not None
    assert result.duration_ms >= 0


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_a_mere_receipt(status):
    result = await result_of(saying(status))
    assert (result.status, result.verdict, result.outcomes, result.excerpt) == (status, Verdict.RECEIVED, (), None)


@pytest.mark.parametrize(
    ("body", "headers", "problem"),
    [
        (b"OK", (), "body: is not JSON"),
        (b'{"outcomes": [{"step": "a", "fee": 20}]}', (), "outcomes[0]: has a name that is not known: fee"),
        (b"\x1f\x8b\x00", ("content-encoding: gzip",), "body: the answer is compressed"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_receipt_with_a_problem(body, headers, problem):
    result = await result_of(saying(200, body, *headers))
    assert (result.verdict, result.outcomes) == (Verdict.RECEIVED, ())
    assert result.problem is not None
    assert result.problem.startswith(problem)


async def test_an_answer_is_read_up_to_a_bound():
    result = await result_of(saying(200, b"x" * (MAX_ANSWER * 3)))
    assert (result.status, result.verdict, result.error) == (200, Verdict.RECEIVED, "too-large")
    assert result.problem is not None
    assert result.excerpt is not None
    assert len(result.excerpt) == 500
    assert (await result_of(saying(503, b"x" * (MAX_ANSWER * 3)))).verdict is Verdict.RETRY
    assert (await result_of(saying(200, b" " * MAX_ANSWER))).error is None


@pytest.mark.parametrize(
    ("status", "headers", "verdict", "retry_after"),
    [
        (500, (), Verdict.RETRY, None),
        (429, ("Retry-After: 120",), Verdict.RETRY, 120),
        (503, ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT",), Verdict.RETRY, 0),
        (503, ("Retry-After: soon",), Verdict.RETRY, None),
        (503, ("Retry-After: -5",), Verdict.RETRY, None),
        (503, ("Retry-After: Fri, 31 Dec 99999999999999999999 23:59:59 GMT",), Verdict.RETRY, None),
        (404, (), Verdict.REFUSED, None),
        (410, (), Verdict.GONE, None),
    ],
)
async def test_what_is_not_success(status, headers, verdict, retry_after):
    result = await result_of(saying(status, b'{"outcomes": [{"step": "a", "received": true}]}', *headers))
    assert (result.status, result.verdict, result.retry_after) == (status, verdict, retry_after)
    assert result.outcomes == ()
    assert result.error is None


async def test_a_redirect_is_told_and_not_followed():
    elsewhere: list[bytes] = []

    async def handler(request: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/elsewhere" in request:
            elsewhere.append(request)
        await saying(307, b"", "location: /elsewhere")(request, writer)

    assert (await result_of(handler)).verdict is Verdict.REDIRECTED
    assert not elsewhere


async def test_a_connection_that_is_dropped():
    async def handler(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    result = await result_of(handler)
    assert (result.status, result.error, result.verdict) == (None, "reset", Verdict.RETRY)


async def test_an_answer_that_breaks_off():
    async def handler(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{")
        await writer.drain()
        writer.close()

    result = await result_of(handler)
    assert (result.status, result.error, result.verdict) == (None, "reset", Verdict.RETRY)


async def test_an_answer_that_is_not_http():
    async def handler(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n\r\n")

    assert (await result_of(handler)).error == "protocol"


async def test_a_department_that_hangs_is_left_after_the_time_out():
    async def handler(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n")
        await asyncio.sleep(30)

    result = await result_of(handler, timeout=0.05)
    assert (result.status, result.error, result.verdict) == (None, "timeout", Verdict.RETRY)
    assert result.duration_ms >= 50


async def test_nobody_listens():
    async with listening(saying(200)) as url:
        pass
    (result,) = await results_of(url)
    assert (result.error, result.verdict) == ("connect", Verdict.RETRY)


async def test_a_server_that_speaks_no_tls():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    (result,) = await results_of(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    server.close()
    assert (result.error, result.verdict) == ("tls", Verdict.RETRY)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/hook", "http://", "nonsense"])
async def test_an_address_that_is_none_is_not_tried_again(url):
    (result,) = await results_of(url)
    assert (result.error, result.verdict) == ("address", Verdict.REFUSED)


async def test_a_batch_is_one_request_and_silence_about_a_step_is_a_receipt():
    requests: list[bytes] = []
    body = json.dumps({"outcomes": [{"step": "b", "received": True}]}).encode()

    async def handler(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        await saying(200, body)(request, writer)

    async with listening(handler) as url:
        results = await results_of(url, *map(message, "abcde"), batch_size=3, concurrency=1)
    assert [result.step_ids for result in results] == [("a", "b", "c"), ("d", "e")]
    assert results[0].outcomes == (Outcome("b", received=True),)
    head, _, content = requests[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    Webhook(SECRETS[0]).verify(content, headers)
    lowered = {name.lower(): value for name, value in headers.items()}
    assert lowered["content-type"] == "application/cloudevents-batch+json"
    assert lowered["webhook-id"] == batch_id("abc")
    assert [event["id"] for event in json.loads(content)] == ["a", "b", "c"]


async def test_no_more_than_the_agreed_number_of_requests_are_out_at_once():
    out, most = 0, 0

    async def handler(request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal out, most
        out += 1
        most = max(most, out)
        await asyncio.sleep(0.005)
        out -= 1
        await saying(200)(request, writer)

    async with listening(handler) as url:
        results = await results_of(url, *(message(f"s-{n}") for n in range(30)), concurrency=3)
    assert most == 3
    assert sorted(step for result in results for step in result.step_ids) == sorted(f"s-{n}" for n in range(30))


async def test_messages_are_pulled_as_they_are_sent():
    """A thousand orders need not be messages before the first goes out."""
    made: list[str] = []

    def making():
        for number in range(100):
            made.append(f"s-{number}")
            yield message(f"s-{number}")

    async with listening(saying(200)) as url:
        client = open_client()
        async with aclosing(deliver(client, Target("hrss", url, SECRETS, concurrency=2), making(), now)) as results:
            async for _ in results:
                break
        at_exit = len(made)
        await asyncio.sleep(0.02)
        assert at_exit == len(made) < 100
        await client.aclose()


async def test_one_failure_stops_no_other():
    async def handler(request: bytes, writer: asyncio.StreamWriter) -> None:
        if b'"id": "bad"' in request:
            writer.transport.abort()
        else:
            await saying(200)(request, writer)

    async with listening(handler) as url:
        results = await results_of(url, message("a"), message("bad"), message("b"), concurrency=1)
    assert {result.step_ids[0]: result.error for result in results} == {"a": None, "bad": "reset", "b": None}


async def test_an_error_that_nobody_foresaw_is_one_failed_try(caplog):
    class Odd:
        async def post(self, *_):
            raise RecursionError("测试甲")

    async with aclosing(deliver(Odd(), Target("hrss", "http://127.0.0.1/", SECRETS), [message("a")], now)) as results:
        (result,) = [one async for one in results]
    assert (result.status, result.error, result.verdict) == (None, "internal", Verdict.RETRY)
    assert "RecursionError" in caplog.text
    assert "测试甲" not in caplog.text


async def test_nobody_is_recognisable_in_the_record():
    echo = '{"error": "测试甲 440524188001010014 13800001234"}'.encode()
    result = await result_of(saying(422, echo))
    assert result.excerpt == '{"error": "*** 440524********0014 138****1234"}'
    secret = SECRETS[0]
    assert secret not in repr(Target("hrss", "http://127.0.0.1/hook?key=k", SECRETS))
    assert secret not in repr(result)


async def test_a_target_without_secrets_is_the_callers_error():
    with pytest.raises(InputError, match="no signing secret"):
        await results_of("http://127.0.0.1:1/", secrets=())


async def test_no_messages_no_requests():
    client = open_client()
    assert [r async for r in deliver(client, Target("hrss", "http://127.0.0.1:1/", SECRETS), (), now)] == []
    await client.aclose()


async def test_any_client_of_httpx_will_do():
    async def app(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503 if request.headers["webhook-id"] == "a" else 302, headers={"location": "/x"})

    async def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("slow", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(app)) as client:
        results = await results_of("http://there/", message("a"), message("b"), client=client)
    assert {result.step_ids[0]: result.verdict for result in results} == {
        "a": Verdict.RETRY,
        "b": Verdict.REDIRECTED,
    }
    async with httpx.AsyncClient(transport=httpx.MockTransport(broken)) as client:
        (result,) = await results_of("http://there/", client=client)
    assert (result.error, result.verdict) == ("timeout", Verdict.RETRY)
