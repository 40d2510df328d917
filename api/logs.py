"""What the doors write down: one line of JSON a request, and where a failure arose. No query, no body, no person."""

from __future__ import annotations

import logging
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog
from opentelemetry.trace import SpanKind
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import tracing

_ROOT = Path(__file__).parent.parent
_OURS = frozenset({"models", "services", "flows", "api"})
_log = structlog.get_logger("lianban.http")


def configure_logs() -> None:
    """Write JSON lines to standard error, and silence the server's own access log, which shows query strings."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False


def log_failure(scope: Mapping[str, Any], failure: BaseException) -> str:
    """Log what kind of failure arose where, without its words, which may bear personal data. Its number, as a URN."""
    where = [
        f"{path.relative_to(_ROOT)}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(failure.__traceback__)
        if (path := Path(frame.filename)).is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _OURS
    ]
    cause = type(failure.__cause__).__name__ if failure.__cause__ is not None else None
    number = scope.get("state", {}).get("request_id") or secrets.token_hex(8)
    _log.error("failure", request_id=number, kind=type(failure).__name__, cause=cause, where=where[-6:])
    return f"urn:lianban:failure:{number}"


class RequestLog:
    """Numbers every request, answers what nobody foresaw, and writes one line when the request is done.

    A plain ASGI application around the doors: what it answers in place of a crash reaches the client, and the server
    has nothing left to print.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Scope, Exception], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, number, status = time.perf_counter(), secrets.token_hex(8), 0
        scope.setdefault("state", {})["request_id"] = number

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", number.encode())]
            await send(message)

        with tracing.span("request", kind=SpanKind.SERVER, method=scope["method"], request=number) as span:
            try:
                await self._app(scope, receive, numbered)
            except Exception as failure:
                # Whatever it is, the caller gets a document and a number, unless an answer has begun already.
                response = self._answer(scope, failure)
                if not status:
                    await response(scope, receive, numbered)
            finally:
                # The template, never the path: a stranger may write anything into a path.
                span.set_attributes({"http.route": _route(scope) or "", "http.response.status_code": status})
                self._write(scope, status, number, time.perf_counter() - started)

    @staticmethod
    def _write(scope: Scope, status: int, number: str, seconds: float) -> None:
        caller = scope["state"].get("caller")
        _log.info(
            "request",
            method=scope["method"],
            route=_route(scope),
            status=status,
            ms=round(seconds * 1000, 1),
            actor=caller.actor if caller is not None else None,
            request_id=number,
        )


def _route(scope: Scope) -> str | None:
    return getattr(scope.get("route"), "path", None)
