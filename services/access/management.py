"""Who looks after accounts and keys: an administrator, of the whole city or of a district, or the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, true
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Role
from services.access.callers import Caller, within
from services.access.second_person import NobodyKnownError, person_behind
from services.errors import AccessError


@dataclass(frozen=True, slots=True)
class Management:
    """An administrator at work. ``person``: in whose hands the accounts are that get a password now; None for the
    command line, whose accounts are in their own (``second_person``).
    """

    caller: Caller
    person: int | None = None

    @classmethod
    async def of(cls, connection: AsyncConnection, caller: Caller) -> Management:
        """By a caller at the doors; NobodyKnownError for a key behind which no person is known."""
        person = await person_behind(connection, caller)
        if person is None:
            raise NobodyKnownError
        return cls(caller, person)

    def allow(self, role: Role, scope: str | None) -> None:
        """AccessError unless accounts of ``role`` and ``scope`` are this administrator's to look after."""
        if not within(self.caller, role, scope):
            raise AccessError("you look after the accounts and keys of your own district only", place="scope")

    def in_sight(self, rows: Table) -> ColumnElement[bool]:
        """The accounts or keys among ``rows`` that are this administrator's to look after."""
        return in_district(rows, self.caller)


def in_district(rows: Any, caller: Caller) -> ColumnElement[bool]:
    """The accounts or keys (columns ``role`` and ``scope`` of ``rows``) that a reader of ``caller``'s scope sees."""
    if caller.scope is None:
        return true()
    return and_(rows.c.scope == caller.scope, rows.c.role != Role.OFFICER)
