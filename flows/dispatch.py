"""The dispatcher: claims what is ready and runs the flows that do it, until there is nothing left."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from prefect import flow

from flows.deliver_due import deliver_due
from flows.issue_permits import issue_permits
from services.house import House, open_house
from services.ledger.cases import Claim, claim_ready, set_aside_poisoned
from services.ledger.steps import steps_due

_BATCHES_AT_ONCE = 2


@flow(name="dispatch", flow_run_name="调度", persist_result=False)
async def dispatch(linger_seconds: float | None = None) -> dict[str, Any]:
    """Work until nothing is ready; then stay for ``linger_seconds`` since the start (by default the setting's) to
    take up at once what comes in. Any number may run side by side: each claims its own. Returns cases by state.
    """
    async with open_house() as house:
        stay = house.settings.linger_seconds if linger_seconds is None else linger_seconds
        return await _Dispatcher(house, stay).run()


class _Dispatcher:
    """Batches in flight, at most two, so that while one waits for departments the next is prepared."""

    def __init__(self, house: House, stay: float) -> None:
        self.house = house
        self.leave_at = asyncio.get_running_loop().time() + stay
        self.batches: set[asyncio.Task[dict[str, Any]]] = set()
        self.delivery: asyncio.Task[dict[str, Any]] | None = None
        self.cases: Counter[str] = Counter()

    async def run(self) -> dict[str, Any]:
        """Go round until there is nothing left."""
        while True:
            await self.house.database.refresh_clock()
            started = await self._start_batch()
            started = await self._start_delivery() or started
            working = self.batches | ({self.delivery} if self.delivery else set())
            if not started and not working and asyncio.get_running_loop().time() >= self.leave_at:
                return dict(self.cases)
            await self._wait(working, started)

    async def _start_batch(self) -> bool:
        if len(self.batches) >= _BATCHES_AT_ONCE:
            return False
        claim = await self._claim()
        if not claim.numbers:
            return False
        self.batches.add(asyncio.create_task(issue_permits(list(claim.numbers), claim.lease)))
        return True

    async def _claim(self) -> Claim:
        settings, clock = self.house.settings, self.house.database.clock
        async with self.house.database.write("dispatch") as transaction:
            await set_aside_poisoned(transaction, clock.now())
            return await claim_ready(transaction, clock.now(), settings.batch_limit, settings.lease_seconds)

    async def _start_delivery(self) -> bool:
        if self.delivery is not None:
            return False
        async with self.house.database.read() as connection:
            if not await steps_due(connection, self.house.database.clock.now()):
                return False
        self.delivery = asyncio.create_task(deliver_due())
        return True

    async def _wait(self, working: set[asyncio.Task[dict[str, Any]]], started: bool) -> None:
        """Until a batch ends or it is time to look again; the failure of one batch leaves the others running."""
        pause = 0.0 if started and len(self.batches) < _BATCHES_AT_ONCE else self.house.settings.poll_seconds
        if not working:
            await asyncio.sleep(pause)
            return
        done, _ = await asyncio.wait(working, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        for ended in done:
            self.batches.discard(ended)
            if ended is self.delivery:
                self.delivery = None
            elif ended.exception() is None:
                self.cases.update(ended.result())
