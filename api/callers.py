"""How often one caller may call: a bound for each key, session or address, so that one program takes no more than its
share.

With ``LIANBAN_REDIS_URL`` all processes of the HTTP door count together; without it, or while Redis is away, each
counts for itself. What is counted is a keyed name that tells nobody anything.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import MutableMapping
from typing import Any

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem
from services.settings import Settings

_UNBOUNDED = ("/healthz", "/readyz")
# A count over so many seconds lets a burst through and holds the mean.
_SPAN_SECONDS = 10
# Redis is asked on the way of every request: it answers at once or is passed over for a while.
_PATIENCE = 0.25
_PASSED_OVER_SECONDS = 5.0
_log = structlog.get_logger("lianban.callers")


class CallerLimit:
    """Answers 429 to a caller who calls more than ``caller_per_second`` times a second over ten seconds."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._item = RateLimitItemPerSecond(max(1, settings.caller_per_second * _SPAN_SECONDS), _SPAN_SECONDS)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._shared = FixedWindowRateLimiter(_redis(settings.redis_url)) if settings.redis_url else None
        self._passed_over_until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in _UNBOUNDED or await self._admits(_caller(scope)):
            await self._app(scope, receive, send)
            return
        detail = f"one caller may call {self._item.amount} times in {_SPAN_SECONDS} seconds; slow down"
        await problem(429, detail=detail, headers={"retry-after": str(_SPAN_SECONDS)})(scope, receive, send)

    async def _admits(self, caller: str) -> bool:
        now = asyncio.get_running_loop().time()
        if self._shared is not None and now >= self._passed_over_until:
            try:
                async with asyncio.timeout(_PATIENCE):
                    return await self._shared.hit(self._item, caller)
            except Exception as failure:  # whatever a client of Redis raises, no request fails by it
                self._passed_over_until = now + _PASSED_OVER_SECONDS
                _log.warning("redis_passed_over", kind=type(failure).__name__)
        return await self._own.hit(self._item, caller)


def _redis(url: str) -> Storage:
    return RedisStorage(f"async+{url}", implementation="redispy", key_prefix="lianban")


def _caller(scope: MutableMapping[str, Any]) -> str:
    """Who calls: by the key or session that is shown, else by the address (the proxy's word, where one is trusted)."""
    headers = dict(scope["headers"])
    shown = headers.get(b"authorization") or headers.get(b"cookie")
    if shown is None:
        client = scope.get("client")
        shown = str(client[0] if client else "").encode()
    return hashlib.sha256(shown).hexdigest()[:32]
