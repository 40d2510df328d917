"""Claim, act, record: due steps are claimed in one transaction, sent with none open, recorded in one more.

Each of the three is safe to repeat. A crash between any two costs a resend under the same key, nothing else. Each
department has a way of its own (``claims``): its pile, its pace and its failures are no other's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress

from services import tracing
from services.casework.claims import Consignment, Wanted, claim_consignments
from services.casework.recordings import Recording, Tally
from services.casework.watch import Watch
from services.exchange.client import connected, shared_client
from services.exchange.delivery import AttemptResult, send_all
from services.house import House

__all__ = ["Tally", "deliver_steps", "deliver_until_silent"]

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
    recording, busy = await _claim(house, actor, departments, cases, limit, watch or Watch(wakes=wake_cases))
    await _send(house, recording, busy)
    return recording.tally


async def deliver_until_silent(
    house: House, actor: str, *, cases: Collection[str] | None = None, limit: int = 1_000, watch: Watch | None = None
) -> Tally:
    """Send as ``deliver_steps`` does, and return once everything is recorded or only departments are left that keep
    silent: those are waited for by the house (``House.carried``), and their answers wake their cases.

    What is still on its way then is counted as being sent.
    """
    watch = watch or Watch()
    recording, busy = await _claim(house, actor, None, cases, limit, watch)
    delivery = asyncio.create_task(_send(house, recording, busy))
    try:
        await watch.settled({delivery})
    except BaseException:
        delivery.cancel()
        await asyncio.wait({delivery})
        raise
    if delivery.done():
        delivery.result()
        return recording.tally
    # What comes from now on finds nobody waiting. The caller's next look still takes up all that came before.
    watch.wakes = True
    house.carry(delivery)
    return recording.so_far()


async def _claim(
    house: House,
    actor: str,
    departments: Collection[str] | None,
    cases: Collection[str] | None,
    limit: int,
    watch: Watch,
) -> tuple[Recording, set[str]]:
    """Claim what is to be sent; and the departments this process serves, which the sending keeps up to date."""
    busy: set[str] = set() if cases is not None else house.sending
    wanted = Wanted(departments, cases, limit if cases is None else _ALL)
    with tracing.span("claim"):
        consignments = await claim_consignments(house, actor, wanted, busy)
    if cases is None:
        house.rounds += 1
    busy |= {one.target.department for one in consignments}
    return Recording(house, actor, consignments, watch), busy


async def _send(house: House, recording: Recording, busy: set[str]) -> None:
    consignments = list(recording.consignments.values())
    on_the_way = set(recording.consignments)
    try:
        if consignments:
            await _act(house, consignments, recording, on_the_way, busy)
    finally:
        busy -= on_the_way


async def _act(
    house: House, consignments: Sequence[Consignment], recording: Recording, on_the_way: set[str], busy: set[str]
) -> None:
    """Send to all departments at once; results are recorded as they come, so a slow one holds up no other."""
    client, watch = shared_client(), recording.watch
    tray = _Tray(consignments)
    keys = {one.target.department: watch.begin(one.target.department, one.passage.gate) for one in consignments}

    async def send(one: Consignment) -> None:
        key = keys[one.target.department]

        def took(result: AttemptResult) -> None:
            watch.heard(key, answered=result.status is not None)
            tray.put(result)

        try:
            way = connected(client, house.guard, one.target.access)
            await send_all(way, one.target, one.messages, recording.clock_utc, took, one.passage)
        finally:
            tray.put_ended(one)

    async with asyncio.TaskGroup() as group:
        for one in consignments:
            group.create_task(send(one))
        while not tray.over:
            results, ended = await tray.take()
            if results:
                await recording.flush(results)
            for one in ended:
                # All of it is recorded: from now on others may send there.
                await recording.give_back_unsent(one.target.department)
                on_the_way.discard(one.target.department)
                busy.discard(one.target.department)
                watch.ended(keys[one.target.department])


class _Tray:
    """What came in and is not recorded yet. It is taken when it is full, when its first part has lain there for
    ``_FLUSH_SECONDS``, when nothing more follows for ``_QUIET_SECONDS``, or when nothing more can follow but from
    departments that keep silent.
    """

    def __init__(self, consignments: Sequence[Consignment]) -> None:
        self._running = {one.target.department: one.passage.gate for one in consignments}
        self._results: list[AttemptResult] = []
        self._ended: list[Consignment] = []
        self._steps = 0
        self._filled, self._urgent = asyncio.Event(), asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether everything was taken and nothing more can come."""
        return not (self._running or self._results or self._ended)

    def put(self, result: AttemptResult) -> None:
        """A result came in."""
        self._results.append(result)
        self._steps += len(result.step_ids)
        self._filled.set()
        if self._steps >= _FLUSH_STEPS:
            self._urgent.set()

    def put_ended(self, one: Consignment) -> None:
        """Nothing more will come of a consignment."""
        self._ended.append(one)
        del self._running[one.target.department]
        self._filled.set()
        if all(gate.silent for gate in self._running.values()):
            self._urgent.set()

    async def take(self) -> tuple[list[AttemptResult], list[Consignment]]:
        """What is to be recorded now, once it is time to."""
        await self._filled.wait()
        loop = asyncio.get_running_loop()
        latest = loop.time() + _FLUSH_SECONDS
        lying = -1
        while not self._urgent.is_set() and loop.time() < latest and lying != len(self._results) + len(self._ended):
            lying = len(self._results) + len(self._ended)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), _QUIET_SECONDS)
        results, self._results = self._results, []
        ended, self._ended = self._ended, []
        self._steps = 0
        self._filled.clear()
        if self._running:
            self._urgent.clear()
        return results, ended
