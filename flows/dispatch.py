"""The dispatcher: claims what is ready and runs the flows that do it, until there is nothing left."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from prefect import flow, get_run_logger

from flows.deliver_due import deliver_due
from flows.failures import blameless, of_prefect
from flows.issue_permits import issue_permits
from flows.posts import AtPost, take
from services.endpoints.doors import work_waits
from services.errors import LianbanError, UnavailableError
from services.house import House, open_house
from services.ledger.cases import (
    Claim,
    claim_ready,
    claim_suspects,
    set_aside_poisoned,
    suspects_wait,
)
from services.supervision.supervise import supervise

_BATCHES_AT_ONCE = 2
# More than there are departments: each of those still running serves at least one that no other does.
_DELIVERIES_AT_ONCE = 40
_SUPERVISE_SECONDS = 2.0
# How long a dispatcher that was called to help stays with nothing to do.
_HELPER_SECONDS = 5.0
# How long the database may be away before the dispatcher gives up and leaves it to the next one.
_WITHOUT_DATABASE_SECONDS = 120.0


@flow(name="dispatch", flow_run_name="调度", persist_result=False)
async def dispatch(linger_seconds: float | None = None) -> dict[str, Any]:
    """Work until nothing is ready; then stay for ``linger_seconds`` since the start (by default the setting's) to
    take up at once what comes in. Any number may run side by side, on any machines: each claims its own, and one that
    finds enough at work already ends at once. Returns cases by state.
    """
    async with open_house() as house:
        cases: Counter[str] = Counter()
        while (post := await take(house)) is not None:
            stay = house.settings.linger_seconds if linger_seconds is None else linger_seconds
            dispatcher = _Dispatcher(house, post, stay if post.post.first else min(stay, _HELPER_SECONDS))
            try:
                cases.update(await dispatcher.run())
            finally:
                idle = await post.leave()
            if idle:
                break
        return dict(cases)


class _Dispatcher:
    """Batches in flight, at most two, so that while one waits for departments the next is prepared.

    Deliveries of what came due run beside each other, one for all departments that no other delivery serves. Those that
    keep silent are left to the house: nobody waits for one that does not answer.
    """

    def __init__(self, house: House, post: AtPost, stay: float) -> None:
        self.house, self.post = house, post
        self.leave_at = asyncio.get_running_loop().time() + stay
        self.batches: dict[asyncio.Task[dict[str, Any]], Claim] = {}
        self.suspect: asyncio.Task[dict[str, Any]] | None = None
        self.suspects_turn = False
        self.deliveries: set[asyncio.Task[dict[str, Any]]] = set()
        self.delivery: asyncio.Task[dict[str, Any]] | None = None
        self.rounds = 0
        self.supervise_at = 0.0
        self.cases: Counter[str] = Counter()
        self.trouble: BaseException | None = None

    async def run(self) -> dict[str, Any]:
        """Go round until there is nothing left.

        A database that is away is waited for, for a while. Where Prefect does not start what is asked for, the run ends
        with its error once all that is under way has ended: the next dispatcher goes on.
        """
        loop = asyncio.get_running_loop()
        answered_at = loop.time()
        while True:
            started = False
            try:
                if self.trouble is None:
                    started = await self._look()
                answered_at = loop.time()
            except UnavailableError:
                if loop.time() > answered_at + _WITHOUT_DATABASE_SECONDS:
                    raise
            else:
                over = self.trouble is not None or loop.time() >= self.leave_at
                if over and not (started or self.batches or self.deliveries or self.house.carried):
                    if self.trouble is not None:
                        raise self.trouble
                    return dict(self.cases)
            await self._wait(started)

    async def _look(self) -> bool:
        """Start what can be started; whether anything was."""
        await self.house.refresh()
        await self.post.keep(busy=len(self.batches) >= _BATCHES_AT_ONCE)
        started = await self._start_batch()
        started = await self._start_delivery() or started
        await self._supervise()
        return started

    async def _supervise(self) -> None:
        """Look after incidents every few seconds; trouble with that holds up no case."""
        now = asyncio.get_running_loop().time()
        if now < self.supervise_at:
            return
        self.supervise_at = now + _SUPERVISE_SECONDS
        try:
            await supervise(self.house)
        except LianbanError as problem:
            get_run_logger().warning("supervision failed: %s", problem)
        except Exception as problem:
            # A deadlock, say: the next look comes in seconds, and the cases must not wait for it. Only the kind is
            # logged, since the words of a foreign error may bear anything.
            get_run_logger().error("supervision failed: %s", type(problem).__name__)

    async def _start_batch(self) -> bool:
        if len(self.batches) >= _BATCHES_AT_ONCE or self.suspect in self.batches:
            return False
        claim = await self._claim()
        if claim is None or not claim.numbers:
            return False
        batch = asyncio.create_task(issue_permits(list(claim.numbers), claim.lease))
        self.batches[batch] = claim
        self.suspect, self.suspects_turn = (batch, False) if claim.suspect else (None, True)
        return True

    async def _claim(self) -> Claim | None:
        """Cases for the next batch. After each batch it is the suspects' turn, a few, once the batches at work are
        done: so neither they nor the others wait for ever.
        """
        settings, now = self.house.settings, self.house.database.clock.now()
        await self.post.give_back()
        async with self.house.database.write("dispatch") as transaction:
            await set_aside_poisoned(transaction, now)
            if self.suspects_turn and await suspects_wait(transaction.connection, now):
                return None if self.batches else await claim_suspects(transaction, now, settings.lease_seconds)
            return await claim_ready(
                transaction, now, settings.batch_limit, settings.lease_seconds, suspects=not self.batches
            )

    async def _start_delivery(self) -> bool:
        async with self.house.database.read() as connection:
            waiting = await work_waits(connection, self.house.database.clock.now(), self.house.sending)
        # One that has not claimed yet will serve them: where Prefect is slow to start it, more would only slow it more.
        if not waiting or len(self.deliveries) >= _DELIVERIES_AT_ONCE or self._delivery_begins():
            return False
        self.rounds = self.house.rounds
        self.delivery = asyncio.create_task(deliver_due())
        self.deliveries.add(self.delivery)
        return True

    def _delivery_begins(self) -> bool:
        return self.delivery in self.deliveries and self.house.rounds == self.rounds

    async def _wait(self, started: bool) -> None:
        """Until a batch ends or it is time to look again; the failure of one batch leaves the others running."""
        pause = 0.0 if started and len(self.batches) < _BATCHES_AT_ONCE else self.house.settings.poll_seconds
        working = self.batches.keys() | self.deliveries
        if not working:
            await asyncio.sleep(pause)
            return
        done, _ = await asyncio.wait(working, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        for ended in done:
            claim, failure = self.batches.pop(ended, None), ended.exception()
            self.deliveries.discard(ended)
            if failure is not None:
                self._failed(failure, claim)
            elif claim is not None:
                self.cases.update(ended.result())
                self.post.cases += len(claim.numbers)

    def _failed(self, failure: BaseException, claim: Claim | None) -> None:
        if blameless(failure) and claim is not None:
            self.house.unworked.append(claim)
        if of_prefect(failure):
            self.trouble = failure
