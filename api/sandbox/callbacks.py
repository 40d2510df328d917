"""Call-backs: outcomes that a department reports later, from a queue in the store that survives a restart."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx

from api.sandbox.department import Departments
from api.sandbox.store import Callback, Store
from services.clock import Clock
from services.exchange.client import TIMEOUT, Client, as_client, open_client
from services.exchange.failures import UNANSWERED

AT_ONCE = 16
MAX_TRIES = 10
MAX_PAUSE = 60.0
_FINAL = frozenset({400, 403, 404, 409, 410, 413, 422})


class Caller:
    """Reports what is due, signed by Standard Webhooks, and tries again until it is taken or refused for good.

    A wrong signature (401) is tried again: the department has mended its key by then, or not.
    """

    def __init__(self, store: Store, departments: Departments, clock: Clock, client: httpx.AsyncClient | None) -> None:
        self._store = store
        self._departments = departments
        self._clock = clock
        self._client: Client = open_client() if client is None else as_client(client)
        self._due = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be something due: start if not started, look again if asleep."""
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run())
        self._due.set()

    async def close(self) -> None:
        """Stop; what was not reported stays in the store."""
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work
        await self._client.aclose()

    async def _run(self) -> None:
        while True:
            self._due.clear()
            now = self._clock.now().timestamp()
            batch = self._store.due(now, AT_ONCE)
            if batch:
                self._store.tried(await asyncio.gather(*(self._report(callback) for callback in batch)))
                continue
            next_due = self._store.next_due()
            pause = None if next_due is None else max(0.0, next_due - now)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), pause)

    async def _report(self, callback: Callback) -> tuple[str, int | None, float | None]:
        """One try: the call-back's id, the status that came, and when to try again."""
        now = self._clock.now()
        headers = {
            "content-type": "application/json",
            "webhook-id": callback.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._departments.signer(callback.department).sign(
                callback.id, now, callback.body.decode()
            ),
        }
        try:
            async with asyncio.timeout(TIMEOUT):
                status = (await self._client.post(callback.url, callback.body, headers)).status
        except UNANSWERED:
            status = None
        over = status is not None and (status < 400 or status in _FINAL)
        if over or callback.tries + 1 >= MAX_TRIES:
            return callback.id, status, None
        return callback.id, status, now.timestamp() + min(2.0**callback.tries, MAX_PAUSE)
