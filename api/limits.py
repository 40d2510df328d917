"""A bound on what a request may bring, whether it says its length or sends it in parts."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

_DETAIL = "the body is larger than this service takes; send less at once"


class BodyLimit:
    """Answers 413 to a body of more than ``limit`` bytes, before it is read where its length is told."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"")
        if told.isdigit() and int(told) > self._limit:
            await problem(413, detail=_DETAIL, headers={"connection": "close"})(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                # FastAPI lets its own exception through where it turns all others into 400.
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
