"""A dispatcher's post: taken, kept, left; and the call for another dispatcher when there is too much for those here.

Prefect starts whoever is called, on whichever machine has a worker with room. One call waits at a time, so that a rush
brings one more dispatcher after the other and no herd of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect import get_run_logger, runtime
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelled

from services.errors import UnavailableError
from services.house import House
from services.ledger.cases import give_back_claim, more_ready_than
from services.operations.dispatchers import BEAT_SECONDS, Post, keep_post, leave_post, may_call, take_post

# How long one who leaves waits for what it asked of Prefect.
_ERRAND_SECONDS = 5.0
_WAITING = [StateType.SCHEDULED.value, StateType.PENDING.value]


class AtPost:
    """One dispatcher's post in ``house``."""

    def __init__(self, house: House, post: Post) -> None:
        self.house, self.post = house, post
        self.cases = 0
        self._beat_at = 0.0
        self._errands: set[asyncio.Task[None]] = set()

    async def keep(self, *, busy: bool) -> None:
        """Say every few seconds that we are here; while ``busy``, call for another if there is work for one."""
        loop_now = asyncio.get_running_loop().time()
        if loop_now < self._beat_at:
            return
        self._beat_at = loop_now + BEAT_SECONDS
        settings, now = self.house.settings, self.house.database.clock.now()
        async with self.house.database.write("dispatch") as transaction:
            self.house.gates.share = await keep_post(transaction, self.post, now, self.cases)
            most, enough = settings.dispatchers, settings.batch_limit
            call = busy and await may_call(transaction, self.post, now, most=most, enough=enough)
        if call and not self._errands:
            self.send(_call_another(now))

    def send(self, errand: Coroutine[Any, Any, None]) -> None:
        """Ask something of Prefect while the work goes on: its clients try again for minutes where it is slow."""
        task = asyncio.create_task(_run(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def give_back(self) -> None:
        """Let go of cases that were claimed here and could not be worked on."""
        unworked = tuple(self.house.unworked)
        if not unworked:
            return
        async with self.house.database.write("dispatch") as transaction:
            for claim in unworked:
                await give_back_claim(transaction, claim, self.house.database.clock.now())
        del self.house.unworked[: len(unworked)]

    async def leave(self) -> bool:
        """Go; False if work came in just now from somebody who saw us here, and so woke nobody.

        With the database away nothing can be said; then we are missed after some seconds, and the leases run out.
        """
        if self._errands:
            _, unfinished = await asyncio.wait(self._errands, timeout=_ERRAND_SECONDS)
            for errand in unfinished:
                errand.cancel()
        now = self.house.database.clock.now()
        try:
            await self.give_back()
            async with self.house.database.write("dispatch") as transaction:
                await leave_post(transaction, self.post, now, self.cases)
            async with self.house.database.read() as connection:
                return not await more_ready_than(connection, now, 0)
        except UnavailableError:
            return True


async def take(house: House) -> AtPost | None:
    """A post in ``house``, or None if enough are at work."""
    settings, now = house.settings, house.database.clock.now()
    async with house.database.write("dispatch") as transaction:
        post = await take_post(transaction, now, most=settings.dispatchers, enough=settings.batch_limit)
    if post is None:
        return None
    at_post = AtPost(house, post)
    at_post.send(_dismiss_late(now))
    return at_post


async def _run(errand: Coroutine[Any, Any, None]) -> None:
    try:
        await errand
    except Exception as problem:
        # The next beat asks again. Only the kind is logged, since the words of a foreign error may bear anything.
        get_run_logger().warning("Prefect did not do what it was asked for: %s", type(problem).__name__)


async def _call_another(now: datetime) -> None:
    """Have Prefect start another run of this deployment, unless one waits to be started already."""
    deployment = runtime.deployment.id
    if deployment is None:
        return
    async with get_client() as client:
        if not await _waiting(client, deployment, now, 1):
            await client.create_flow_run_from_deployment(UUID(str(deployment)))


async def _dismiss_late(now: datetime) -> None:
    """Cancel the runs that could not start while every worker was busy: what they were for, we do now."""
    deployment = runtime.deployment.id
    if deployment is None:
        return
    async with get_client() as client:
        for late in await _waiting(client, deployment, now, 200):
            await client.set_flow_run_state(late, Cancelled(message="另一调度已接办 another dispatcher took over"))


async def _waiting(client: PrefectClient, deployment: str, now: datetime, limit: int) -> list[UUID]:
    wanted = FlowRunFilter.model_validate(
        {
            "deployment_id": {"any_": [str(deployment)]},
            "state": {"type": {"any_": _WAITING}},
            "expected_start_time": {"before_": now.isoformat()},
        }
    )
    runs = await client.read_flow_runs(flow_run_filter=wanted, limit=limit)
    return [run.id for run in runs if str(run.id) != str(runtime.flow_run.id)]
