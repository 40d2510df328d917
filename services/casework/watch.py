"""Watching a batch's deliveries: who has answered, who is silent or slow, and that nobody waits for those."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from services.exchange.passage import Gate

_TICK = 0.02
_PATIENCE_TICKS = 25
# Whoever answers, but is still at it when the others have long been through, is waited for no longer either.
_SLOW_TICKS = 100


class Watch:
    """Which departments owe answers to whoever started the deliveries.

    ``wakes``: answers wake their cases, because nobody waits for them (any more). Patience is counted in ticks of the
    event loop and not in seconds: while the loop itself is busy, no department is blamed for it.
    """

    def __init__(self, *, wakes: bool = True) -> None:
        self.wakes = wakes
        self._owing: dict[tuple[str, int], tuple[Gate, int]] = {}
        self._deliveries = 0

    def begin(self, department: str, gate: Gate) -> tuple[str, int]:
        """A delivery to ``department`` begins; the key under which it is watched."""
        self._deliveries += 1
        key = (department, self._deliveries)
        self._owing[key] = (gate, 0)
        return key

    def heard(self, key: tuple[str, int], *, answered: bool) -> None:
        """An answer came in, or a failure without one: a time-out is no sign of life."""
        gate, _ = self._owing[key]
        if answered:
            gate.silent = False
        self._owing[key] = (gate, 0)

    def ended(self, key: tuple[str, int]) -> None:
        """The delivery has ended and all of it is recorded."""
        self._owing.pop(key, None)

    async def settled(self, deliveries: Collection[asyncio.Task[Any]]) -> None:
        """Until every delivery has ended, or those that go on are to departments that keep silent, or that are so slow
        that of many none has ended for a while.
        """
        running = {one for one in deliveries if not one.done()}
        owing, still = len(self._owing), 0
        while running:
            _, running = await asyncio.wait(running, timeout=_TICK, return_when=asyncio.ALL_COMPLETED)
            still = still + 1 if len(self._owing) == owing else 0
            owing = len(self._owing)
            if not (running and owing):
                continue
            slow = still >= _SLOW_TICKS and owing < self._deliveries
            # Each of them is looked at every time: many that hang cost no more patience than one.
            silent = [self._silent(key) for key in tuple(self._owing)]
            if all(silent) or slow:
                return

    def _silent(self, key: tuple[str, int]) -> bool:
        gate, ticks = self._owing[key]
        ticks += 1
        self._owing[key] = (gate, ticks)
        if ticks >= _PATIENCE_TICKS:
            gate.silent = True
        # One that was silent a moment ago is not waited for anew by every batch.
        return gate.silent
