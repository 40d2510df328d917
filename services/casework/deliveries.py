"""Claim, act, record: due steps are claimed in one transaction, sent with none open, recorded in one more.

Each of the three is safe to repeat. A crash between any two costs a resend under the same key, nothing else. Each
department has a way of its own (``claims``): its pile, its pace and its failures are no other's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import aclosing

from services.casework.claims import Consignment, Wanted, claim_consignments
from services.casework.recordings import Recording, Tally
from services.casework.watch import Watch
from services.exchange.client import connected, shared_client
from services.exchange.delivery import AttemptResult, deliver
from services.house import House

__all__ = ["Tally", "deliver_steps"]

_FLUSH_STEPS = 800
_FLUSH_SECONDS = 0.25
# What came in is recorded once nothing more follows: what was answered does not wait for who does not answer.
_QUIET_SECONDS = 0.03
# More steps than any batch of cases has at one department.
_ALL = 8_000


async def deliver_steps(
    house: House,
    actor: str,
    *,
    departments: Collection[str] | None = None,
    cases: Collection[str] | None = None,
    limit: int = 1_000,
    wake_cases: bool = True,
    watch: Watch | None = None,
) -> Tally:
    """Send the steps whose time has come, of ``departments`` and of ``cases`` only if given.

    ``limit`` is for each department. ``wake_cases``: tell the dispatcher of every case that got an answer; a flow that
    goes on by itself does not. ``watch``: lets a caller see who keeps silent; it then says whether cases are woken.
    Without ``cases``, departments to which this process is sending already are passed over.
    """
    busy: set[str] = set() if cases is not None else house.sending
    wanted = Wanted(departments, cases, limit if cases is None else _ALL)
    consignments = await claim_consignments(house, actor, wanted, busy)
    recording = Recording(house, actor, consignments, watch or Watch(wakes=wake_cases))
    if consignments:
        on_the_way = {one.target.department for one in consignments}
        busy |= on_the_way
        try:
            await _act(house, consignments, recording, on_the_way, busy)
        finally:
            busy -= on_the_way
    return recording.tally


async def _act(
    house: House, consignments: Sequence[Consignment], recording: Recording, on_the_way: set[str], busy: set[str]
) -> None:
    """Send to all departments at once; results are recorded as they come, so a slow one holds up no other."""
    client, watch = shared_client(), recording.watch
    results: asyncio.Queue[AttemptResult | Consignment] = asyncio.Queue()
    keys = {one.target.department: watch.begin(one.target.department, one.passage.gate) for one in consignments}

    async def send(one: Consignment) -> None:
        try:
            way = connected(client, house.guard, one.target.access)
            stream = deliver(way, one.target, one.messages, recording.clock_utc, one.passage)
            async with aclosing(stream) as sent:
                async for result in sent:
                    watch.heard(keys[one.target.department], answered=result.status is not None)
                    results.put_nowait(result)
        finally:
            results.put_nowait(one)

    async with asyncio.TaskGroup() as group:
        for one in consignments:
            group.create_task(send(one))
        buffer: list[AttemptResult] = []
        ended: list[Consignment] = []
        running, waiting = len(consignments), 0
        loop = asyncio.get_running_loop()
        flush_at = loop.time() + _FLUSH_SECONDS
        while running:
            try:
                quiet_at = min(flush_at, loop.time() + _QUIET_SECONDS)
                async with asyncio.timeout_at(quiet_at if buffer or ended else None):
                    item = await results.get()
            except TimeoutError:
                waiting = _FLUSH_STEPS
            else:
                if not buffer and not ended:
                    flush_at = loop.time() + _FLUSH_SECONDS
                if isinstance(item, Consignment):
                    running -= 1
                    ended.append(item)
                else:
                    buffer.append(item)
                    waiting += len(item.step_ids)
            if waiting >= _FLUSH_STEPS or not running:
                if buffer:
                    await recording.flush(buffer)
                for one in ended:
                    # All of it is recorded: from now on others may send there.
                    await recording.give_back_unsent(one.target.department)
                    on_the_way.discard(one.target.department)
                    busy.discard(one.target.department)
                    watch.ended(keys[one.target.department])
                buffer, ended, waiting = [], [], 0
