"""The bell at the dispatcher's door: an event to Prefect when work came in, so that it starts at once.

Only a courtesy. The case is stored before, and the dispatcher's schedule finds it anyway; so the bell never holds up a
request, and its failure is nobody's error. While a dispatcher is at work it looks for itself, and no run is started in
vain, however many doors there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import structlog

from services.errors import UnavailableError
from services.house import House
from services.operations.dispatchers import anybody_at_work

EVENT = "lianban.case.received"
_RESOURCE = {"prefect.resource.id": "lianban.intake"}
_TIMEOUT = 2.0
_log = structlog.get_logger("lianban.wake")


class Bell:
    """Rings at most once every ``interval`` seconds; a ring in between sounds at the end of the interval.

    ``heard``: whether somebody is at work already, so that ringing is of no use.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_url: str,
        interval: float = 5.0,
        heard: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._client = client
        self._heard = heard
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
        if self._heard is not None and await self._heard():
            return
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


def bell_of(house: House, client: httpx.AsyncClient) -> Bell:
    """The bell of one process of the doors."""

    async def heard() -> bool:
        try:
            async with house.database.read() as connection:
                return await anybody_at_work(connection, house.database.clock.now())
        except UnavailableError:
            return False

    return Bell(client, house.settings.prefect_api_url, heard=heard)
