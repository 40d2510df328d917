"""The bell at the dispatcher's door: an event to Prefect when work came in, so that it starts at once.

Only a courtesy. The case is stored before, and the dispatcher's schedule finds it anyway; so the bell never holds up a
request, and its failure is nobody's error.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import structlog

EVENT = "lianban.case.received"
_RESOURCE = {"prefect.resource.id": "lianban.intake"}
_TIMEOUT = 2.0
_log = structlog.get_logger("lianban.wake")


class Bell:
    """Rings at most once every ``interval`` seconds; a ring in between sounds at the end of the interval."""

    def __init__(self, client: httpx.AsyncClient, api_url: str, interval: float = 5.0) -> None:
        self._client = client
        self._url = f"{api_url.rstrip('/')}/events"
        self._interval = interval
        self._free_at = 0.0
        self._ringing: asyncio.Task[None] | None = None
        self._wanted = False
        self._quiet = False

    def ring(self) -> None:
        """Say, in the background, that there is work. Returns at once."""
        self._wanted = True
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ring())

    async def rung(self) -> None:
        """Wait until every ring has sounded."""
        if self._ringing is not None:
            await self._ringing

    async def close(self) -> None:
        """Stop ringing."""
        if self._ringing is not None:
            self._ringing.cancel()
            await asyncio.gather(self._ringing, return_exceptions=True)

    async def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        while self._wanted:
            await asyncio.sleep(max(0.0, self._free_at - loop.time()))
            self._free_at = loop.time() + self._interval
            # What comes in while the event is on its way is not told by it.
            self._wanted = False
            await self._tell()

    async def _tell(self) -> None:
        # Prefect's own time is wire time, also in a simulated system.
        occurred = datetime.now(UTC).isoformat()
        event = {"occurred": occurred, "event": EVENT, "resource": _RESOURCE, "payload": {}, "id": str(uuid4())}
        try:
            answer = await self._client.post(self._url, json=[event], timeout=_TIMEOUT)
            answer.raise_for_status()
        except httpx.HTTPError as failure:
            if not self._quiet:
                _log.warning("prefect_not_woken", kind=type(failure).__name__)
            self._quiet = True
        else:
            self._quiet = False
