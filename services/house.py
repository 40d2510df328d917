"""One process's share of an installation: settings, database, keys, packs and writers, put together once.

Flows and doors open a house, work in it, and close it; nothing else builds these parts.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import date

from services import tracing
from services.casework.advance import Caseworker
from services.casework.standing import Applications
from services.clock import Clock
from services.database import Database
from services.exchange.addresses import Guard
from services.exchange.client import close_shared_client
from services.exchange.messages import MessageWriter
from services.exchange.passage import Gates
from services.ledger.cases import Claim
from services.policy.registry import PackRegistry, default_registry
from services.revisions.rulebook import Rulebook
from services.settings import Settings

_LOG = logging.getLogger(__name__)
_current: ContextVar[House | None] = ContextVar("house", default=None)


class House:
    """What the work needs at hand. Made by ``open_house``."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.database = Database(settings.dsn, clock)
        self.keys = settings.keys
        self.guard = Guard.of(settings.intranet, settings.endpoint_ports)
        self.rules = Rulebook(PackRegistry.load(*settings.packs) if settings.packs else default_registry())
        self.caseworker = Caseworker(self.keys, self.rules, Applications(self.keys))
        self.gates = Gates()
        # Departments to which this process is sending what came due, so that nobody else does, and deliveries of which
        # only departments that keep silent are left, so that nobody waits for them.
        self.sending: set[str] = set()
        self.carried: set[asyncio.Task[None]] = set()
        # How often this process has claimed what came due.
        self.rounds = 0
        # Cases that were claimed and could not be worked on by no fault of theirs: the dispatcher lets them go.
        self.unworked: list[Claim] = []
        self._writers: dict[str, MessageWriter] = {}

    @property
    def packs(self) -> PackRegistry:
        """The packs, with what was adopted since, as far as this process has read (``rules``)."""
        return self.rules.registry

    async def refresh(self) -> None:
        """Take up what other processes may have changed: the clock of a simulated system, and the rules."""
        await self.database.refresh_clock()
        await self.refresh_rules()

    async def refresh_rules(self) -> None:
        """Take up what was adopted since this process last looked."""
        async with self.database.read() as connection:
            await self.rules.refresh(connection)

    def writer(self, pack: str) -> MessageWriter:
        """The writer of messages under one version of a pack, by its name."""
        if pack not in self._writers:
            settings = self.settings
            self._writers[pack] = MessageWriter(
                self.packs.named(pack), public_url=settings.public_url, source=settings.source
            )
        return self._writers[pack]

    def department_name(self, code: str, day: date) -> str:
        """What a department is called on ``day``, in Chinese; its code if no pack knows it."""
        for pack in reversed(self.packs.packs):
            if code in pack.departments:
                return pack.departments[code].name_on(day).zh
        return code

    def carry(self, delivery: asyncio.Task[None]) -> None:
        """See a delivery to its end that nobody waits for any more. Should it fail, its claims run out."""
        self.carried.add(delivery)
        delivery.add_done_callback(self._carried_through)

    def _carried_through(self, delivery: asyncio.Task[None]) -> None:
        self.carried.discard(delivery)
        if not delivery.cancelled() and (failure := delivery.exception()) is not None:
            # Only the kind is logged, since the words of a foreign error may bear anything.
            _LOG.warning("a delivery to silent departments failed: %s", type(failure).__name__)

    async def see_through(self) -> None:
        """Wait for all that is carried."""
        while self.carried:
            await asyncio.wait(self.carried)

    async def close(self) -> None:
        """Give back connections; what is still carried is given up."""
        for delivery in self.carried:
            delivery.cancel()
        await asyncio.gather(*self.carried, return_exceptions=True)
        await close_shared_client()
        await self.database.dispose()


@asynccontextmanager
async def open_house(settings: Settings | None = None, clock: Clock | None = None) -> AsyncIterator[House]:
    """A house for as long as the block runs, its clock set as the installation's.

    Inside another such block of the same task it is the same house: a flow and its subflows share connections.
    """
    standing = _current.get()
    if standing is not None and settings is None:
        await standing.refresh()
        yield standing
        return
    _settle_collector()
    settings = settings or Settings()
    tracing.configure(settings.otlp_endpoint)
    house = House(settings, clock)
    token = _current.set(house)
    try:
        await house.refresh()
        yield house
        await house.see_through()
    finally:
        _current.reset(token)
        await house.close()


def _settle_collector() -> None:
    """Let the garbage collector leave alone what stays, and look less often at what comes and goes.

    A batch makes hundreds of thousands of small objects without cycles; with the default thresholds a third of the
    processor went into walking over them (docs/measurements.md).
    """
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
