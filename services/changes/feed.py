"""Following changes live: one look at the audit log for all who follow, however many there are.

The log is a sequence without a gap, written with every change in its own transaction, so that whoever knows the number
of the last entry seen can go on from it: after a lost connection, at another process, on another machine. One task
looks for new entries while anybody follows, and keeps the last of them in memory; each follower goes through them at
its own pace. Who has fallen behind reads pages from the database; who has fallen too far behind is told so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from services.access import Caller
from services.changes.reading import PAGE, Change, head_of, read_changes
from services.database import Database
from services.errors import LianbanError, UnavailableError

_KEPT = 5_000
# Who missed more than that reads the pages again as a whole, which is cheaper than being told each change.
MAX_BEHIND = 10_000


@dataclass(frozen=True, slots=True)
class News:
    """What a follower learns: the number of the entry ``reached``, and the changes up to it that are for them.

    Empty: nothing happened for a while. ``missed``: more happened than is told one by one, so look at everything anew.
    """

    reached: int
    changes: tuple[Change, ...] = ()
    missed: bool = False


class ChangeFeed:
    """One process's look at the log. ``seats``: how many may follow at once; ``poll_seconds`` between two looks."""

    def __init__(self, database: Database, *, seats: int = 200, poll_seconds: float = 0.5) -> None:
        self._database = database
        self._seats = seats
        self._poll_seconds = poll_seconds
        self._taken = 0
        self._kept: deque[Change] = deque()
        # All changes after ``_from`` up to ``_reached`` are among those kept.
        self._from = self._reached = 0
        self._news = asyncio.Event()
        self._beginning = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None

    @property
    def looking(self) -> bool:
        """Whether the log is being looked at."""
        return self._looking is not None and not self._looking.done() and not self._looking.cancelling()

    @contextmanager
    def seat(self) -> Iterator[None]:
        """A place among those who follow, given back at the end; UnavailableError if there is none left."""
        if self._taken >= self._seats:
            raise UnavailableError("as many follow the changes as this service serves; try again, or look now and then")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
            if not self._taken and self._looking is not None:
                self._looking.cancel()

    async def follow(self, caller: Caller, after: int | None, *, rest: float = 10.0) -> AsyncIterator[News]:
        """What ``caller`` may know, from the entry after the one numbered ``after`` on (None: from now), and so on.

        Every ``rest`` seconds at the latest there is news, be it empty. To be used within ``seat``. UnavailableError
        if the database does not answer to who has to catch up.
        """
        await self._begin()
        position = self._reached if after is None else after
        if position > self._reached:
            # Another database's number, or one that was restored to an earlier state.
            position = self._reached
            yield News(position, missed=True)
        elif self._reached - position > MAX_BEHIND:
            position = self._reached
            yield News(position, missed=True)
        elif after is None:
            yield News(position)
        while True:
            if position >= self._reached:
                await self._wait(rest)
            if position >= self._reached:
                yield News(position)
                continue
            changes, position = await self._after(position)
            mine = tuple(one.for_caller(caller) for one in changes if one.seen_by(caller))
            if mine:
                yield News(position, mine)

    async def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _begin(self) -> None:
        """Look at the log, if nobody does so yet."""
        async with self._beginning:
            if self.looking:
                return
            async with self._database.read() as connection:
                self._from = self._reached = await head_of(connection)
            self._kept.clear()
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            # While the database does not answer there is no news; those who follow stay, and go on when it does.
            with suppress(LianbanError):
                await self._take_in()

    async def _take_in(self) -> None:
        while True:
            async with self._database.read() as connection:
                changes, reached = await read_changes(connection, self._reached)
            if reached == self._reached:
                return
            self._kept.extend(changes)
            while len(self._kept) > _KEPT:
                self._from = self._kept.popleft().sequence
            self._reached = reached
            news, self._news = self._news, asyncio.Event()
            news.set()

    async def _after(self, position: int) -> tuple[list[Change], int]:
        """Changes after ``position``, and up to which number they are all."""
        if position >= self._from:
            return [one for one in self._kept if one.sequence > position], self._reached
        async with self._database.read() as connection:
            return await read_changes(connection, position, PAGE)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        if self._looking is not None and self._looking.done() and not self._looking.cancelled():
            self._looking.result()
