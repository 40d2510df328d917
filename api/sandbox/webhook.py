"""The departments' webhook, as a plain ASGI endpoint: it is also the other side of benchmarks, so it must be fast."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from api.sandbox.callbacks import Caller
from api.sandbox.department import Departments, Reply
from api.sandbox.store import Store

MAX_BODY = 8_000_000
_SIGNED = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
_MALFORMED = b'{"outcomes": [{"step": '


class WebhookEndpoint:
    """``POST /departments/{code}/webhook``: verify, work, keep, answer; or fail in the way that was asked for."""

    def __init__(self, departments: Departments, store: Store, caller: Caller, *, keep_records: bool) -> None:
        self._departments = departments
        self._store = store
        self._caller = caller
        self._keep = keep_records

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        code = scope["path_params"]["code"]
        try:
            reply = await self._take(code, dict(scope["headers"]), receive)
        except _Refusal as refusal:
            await _respond(send, refusal.status, refusal.body, *refusal.headers)
            return
        behaviour, strikes = self._departments.behaviour(code), self._departments.dice.strikes
        if strikes(behaviour.reset):
            await _reset(receive)
        elif strikes(behaviour.malformed):
            await _respond(send, 200, _MALFORMED)
        elif reply.outcomes:
            await _respond(send, 200, orjson.dumps({"outcomes": reply.outcomes}))
        else:
            await _respond(send, 202, b"")

    async def _take(self, code: str, headers: dict[bytes, bytes], receive: Receive) -> Reply:
        """Verify the message, do the work and keep it; what the department says to it."""
        if code not in self._departments:
            raise _Refusal(404, "there is no such department, or it has no secret")
        body = await _body(receive)
        behaviour, strikes = self._departments.behaviour(code), self._departments.dice.strikes
        if behaviour.slow and strikes(behaviour.slow):
            await asyncio.sleep(behaviour.slow.milliseconds / 1000)
        signed = {name.decode(): headers[name].decode("latin-1") for name in _SIGNED if name in headers}
        if not self._departments.verified(code, body, signed):
            raise _Refusal(401, "the signature is wrong, or its time is more than five minutes off")
        if behaviour.busy and strikes(behaviour.busy):
            raise _Refusal(429, "busy", (b"retry-after", str(behaviour.busy.retry_after).encode()))
        if behaviour.error and strikes(behaviour.error):
            raise _Refusal(behaviour.error.status, "as asked for", (b"location", b"/elsewhere"))
        try:
            events = orjson.loads(body)
            if not headers.get(b"content-type", b"").startswith(b"application/cloudevents-batch+json"):
                events = [events]
                if events[0]["id"] != signed["webhook-id"]:
                    raise ValueError
            reply = self._departments.handle(code, events)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _Refusal(400, "the body is no CloudEvent of a known type, or bears another id") from None
        if self._keep:
            await self._store.keep(reply.messages, reply.effects, reply.callbacks)
        elif reply.callbacks:
            await self._store.keep((), (), reply.callbacks)
        if reply.callbacks:
            self._caller.wake()
        return reply


class _Refusal(Exception):  # noqa: N818 - it ends a request, in the way a department may want
    def __init__(self, status: int, detail: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers
        phrases = {known.value: known.phrase for known in HTTPStatus}
        problem = {"title": phrases.get(status, "as asked for"), "status": status, "detail": detail}
        self.body = orjson.dumps(problem)


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise _Refusal(413, f"more than {MAX_BODY} bytes")
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _respond(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", str(len(body)).encode())
    kind = (b"content-type", b"application/json")
    start = {"type": "http.response.start", "status": status, "headers": [length, kind, *headers]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def _reset(receive: Receive) -> None:
    """Drop the connection without an answer."""
    # ASGI has no word for it; uvicorn's receive belongs to the object that holds the connection.
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the department dropped the connection")
    connection: socket.socket = transport.get_extra_info("socket")
    # With no time to linger, closing sends RST, not FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await receive()
