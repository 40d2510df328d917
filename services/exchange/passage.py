"""Passing to a department: how many requests are out at once, how fast they follow, and when to stop.

A ``Gate`` is one department's in one process: every delivery of that process goes through it, so that several at once
keep the bound together. A ``Passage`` is one delivery's way through: it has slots of the endpoint's rate, which its
claim reserved in the database, so that processes that know nothing of each other keep the rate together.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager


class Gate:
    """The gate to one department. ``silent``: it owes answers and has given none for a while (``watch``)."""

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.silent = False
        self._turn = asyncio.Semaphore(concurrency)
        self._shut = 0

    @property
    def times_shut(self) -> int:
        """How often the gate fell shut: a passage that began before the last time stops."""
        return self._shut

    def shut(self) -> None:
        """Stop everything on its way through that has not been sent yet."""
        self._shut += 1

    async def take_place(self) -> None:
        """Wait for one of the ``concurrency`` places, and take it."""
        await self._turn.acquire()

    def leave_place(self) -> None:
        """Give the place back."""
        self._turn.release()


class Gates:
    """The gates of one process and event loop, by department. ``share``: how many processes send at once; each takes
    its part of a department's places, so that together they keep the bound.
    """

    def __init__(self) -> None:
        self.share = 1
        self._gates: dict[str, Gate] = {}

    def of(self, department: str, concurrency: int) -> Gate:
        """The gate to ``department``; a new one when its concurrency, or our share of it, was changed."""
        concurrency = max(1, concurrency // self.share)
        gate = self._gates.get(department)
        if gate is None or gate.concurrency != concurrency:
            gate = self._gates[department] = Gate(concurrency)
        return gate


class Passage:
    """One delivery's way through a gate.

    ``until`` (time of the running loop): nothing is sent after it, because the claim on the steps runs out before an
    answer could be recorded. ``first``: time of the first slot, ``interval``: seconds from slot to slot; 0: no rate.
    """

    def __init__(self, gate: Gate, until: float, first: float = 0.0, interval: float = 0.0) -> None:
        self.gate = gate
        self._until = until
        self._next = first
        self._interval = interval
        self._times_shut = gate.times_shut

    @property
    def open(self) -> bool:
        """Whether anything more may be sent."""
        now = asyncio.get_running_loop().time()
        return self.gate.times_shut == self._times_shut and now < self._until

    def turn(self) -> AbstractAsyncContextManager[bool]:
        """A block that waits for a place and a slot, and learns whether it may send."""
        return _Turn(self)

    async def slot(self) -> None:
        """Wait for the next slot of the rate, where there is one."""
        if self._interval and self.open:
            slot, self._next = self._next, self._next + self._interval
            pause = slot - asyncio.get_running_loop().time()
            if pause > 0:
                await asyncio.sleep(pause)


class _Turn:
    """One request's turn. A class and not a generator: it comes with every message, at half the cost."""

    __slots__ = ("_passage",)

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def __aenter__(self) -> bool:
        passage = self._passage
        await passage.gate.take_place()
        try:
            await passage.slot()
        except BaseException:
            passage.gate.leave_place()
            raise
        return passage.open

    async def __aexit__(self, *failure: object) -> None:
        self._passage.gate.leave_place()
