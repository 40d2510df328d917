"""The rules as they stand for everybody: the packs that come with the installation, and what was adopted since.

Revisions stand in the database. Each process keeps what it read, and asks, in the transactions in which rules matter,
whether that is still all: one small query, and nobody has to be restarted.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Revision, RevisionKind, RevisionState
from services.database import table
from services.errors import LianbanError, UnavailableError
from services.policy.pack import Pack
from services.policy.registry import PackRegistry
from services.revisions.amendments import amended, checked, read_changes

_REVISIONS = table(Revision)
# Seconds for which a process that only shows things takes what it read to be all.
_FRESH_SECONDS = 1.0


class Rulebook:
    """``registry`` has every pack in every version, as far as this process has read."""

    def __init__(self, shipped: PackRegistry) -> None:
        self._shipped = shipped
        self._known: tuple[int, ...] = ()
        self._read_at: float | None = None
        self.registry = shipped

    @property
    def stale(self) -> bool:
        """Whether it is time to ask again, for who is not in a transaction in which the rules matter."""
        return self._read_at is None or asyncio.get_running_loop().time() > self._read_at + _FRESH_SECONDS

    async def refresh(self, connection: AsyncConnection) -> PackRegistry:
        """Take up what was adopted since, and drop what was withdrawn."""
        query = select(_REVISIONS.c.id).where(_REVISIONS.c.state == RevisionState.ADOPTED)
        known = tuple((await connection.execute(query.order_by(_REVISIONS.c.adoption))).scalars())
        self._read_at = asyncio.get_running_loop().time()
        if known != self._known:
            self.registry, self._known = await self._read(connection), known
        return self.registry

    async def holds_without(self, connection: AsyncConnection, revision: int) -> bool:
        """Whether the other adopted revisions would hold without that one."""
        try:
            await self._read(connection, revision)
        except UnavailableError:
            return False
        return True

    async def _read(self, connection: AsyncConnection, left_out: int | None = None) -> PackRegistry:
        """Every adopted revision, one on the other in the order in which they were adopted."""
        registry = self._shipped
        query = select(_REVISIONS).where(_REVISIONS.c.state == RevisionState.ADOPTED)
        for row in await connection.execute(query.order_by(_REVISIONS.c.adoption)):
            if row.id == left_out:
                continue
            try:
                registry = registry.with_version(pack_of_revision(registry, row), row.from_on)
            except LianbanError as problem:
                detail = "does not fit the packs of this version of the program; ask who installed it"
                raise UnavailableError(detail, place=f"revision {row.id}") from problem
        return registry


def pack_of_revision(registry: PackRegistry, row: Row[Any]) -> Pack:
    """The pack that a revision makes of what stands in ``registry``; InputError if it does not hold (any more)."""
    if row.kind is RevisionKind.PACK:
        return checked(row.content)
    newest = registry.history(row.pack)[-1].pack
    return amended(newest, read_changes(row.content["changes"]), row.from_on, row.basis)
