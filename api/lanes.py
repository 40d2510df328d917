"""Lanes: how many requests of a kind are served at once, how many may wait, and who is told to come again later.

A rush at intake must not shut out reading, nor departments that answer. Each kind has seats of its own, together no
more than the database has connections, and a short bench; whoever finds the bench full is answered at once, 429 at
intake and at the call-backs (they come again by themselves), 503 elsewhere, with ``Retry-After``. So what is in
memory is bounded, and a rush ends when the callers do. A body is read before a seat is taken, within a time: who
sends slowly holds up nobody.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from services.settings import Settings

_BODY_SECONDS = 15.0
_RETRY_SECONDS = (1, 2, 3, 4)
# Looked at by those who watch over us, whatever the rush; and what stays open for minutes, bounded by seats of its own.
_UNBOUNDED = ("/healthz", "/readyz", "/api/v1/changes")
_INTAKE = frozenset({"/api/v1/applications"})


@dataclass(slots=True)
class Lane:
    """``seats`` requests at once, ``bench`` that wait for at most ``patience`` seconds. ``status``: what the rest is
    answered.
    """

    name: str
    seats: int
    bench: int
    status: int
    patience: float = 5.0
    waiting: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)
    _free: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.seats)

    @asynccontextmanager
    async def seat(self) -> AsyncIterator[bool]:
        """A seat for as long as the block runs; the block learns whether there was one."""
        taken = await self._take()
        try:
            yield taken
        finally:
            if taken:
                self._free.release()

    async def _take(self) -> bool:
        if not self._free.locked():
            await self._free.acquire()
            return True
        if self.waiting >= self.bench:
            self.refused += 1
            return False
        self.waiting += 1
        try:
            async with asyncio.timeout(self.patience):
                await self._free.acquire()
        except TimeoutError:
            self.refused += 1
            return False
        else:
            return True
        finally:
            self.waiting -= 1


class Lanes:
    """The lanes of one process, before everything that reads a body or asks the database."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        bench = settings.bench
        self.intake = Lane("intake", settings.intake_seats, bench, 429)
        self.answers = Lane("answers", settings.intake_seats, bench, 429)
        self.polls = Lane("polls", settings.changes_seats, 0, 503)
        self.rest = Lane("rest", settings.seats, 4 * bench, 503)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        lane = self._lane(scope) if scope["type"] == "http" else None
        if lane is None:
            await self._app(scope, receive, send)
            return
        try:
            body = await _read(scope, receive)
        except TimeoutError:
            await _refuse(408, "the body did not come within its time")(scope, receive, send)
            return
        except HTTPException as refusal:
            detail = "the body is larger than this service takes; send less at once"
            await problem(refusal.status_code, detail=detail, headers={"connection": "close"})(scope, receive, send)
            return
        async with lane.seat() as taken:
            if not taken:
                await _refuse(lane.status, "more comes in than can be taken up; come again")(scope, receive, send)
                return
            await self._app(scope, _replay(body, receive), send)

    def _lane(self, scope: MutableMapping[str, Any]) -> Lane | None:
        path, method = str(scope["path"]), scope["method"]
        if path in _UNBOUNDED:
            return None
        if method == "POST" and path in _INTAKE:
            return self.intake
        if path.startswith("/api/v1/doors/") and method == "GET":
            return self.polls
        if method == "POST" and path.startswith(("/api/v1/callbacks/", "/api/v1/doors/")):
            return self.answers
        return self.rest


async def _read(scope: MutableMapping[str, Any], receive: Receive) -> list[Message]:
    """The whole body as it came, for whoever reads it later. TimeoutError if it takes too long."""
    headers = dict(scope["headers"])
    if b"content-length" not in headers and b"transfer-encoding" not in headers:
        return []
    messages: list[Message] = []
    async with asyncio.timeout(_BODY_SECONDS):
        while True:
            message = await receive()
            messages.append(message)
            if message["type"] != "http.request" or not message.get("more_body"):
                return messages


def _replay(messages: list[Message], receive: Receive) -> Receive:
    left = iter(messages)

    async def replayed() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return replayed


def _refuse(status: int, detail: str) -> ASGIApp:
    # Not all at the same moment.
    later = str(random.choice(_RETRY_SECONDS))  # noqa: S311 - spreads load over time
    return problem(status, detail=detail, headers={"retry-after": later})
