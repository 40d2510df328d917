"""Every column in which something stands sealed, with the context that is bound into it.

Whoever adds such a column adds it here: a key is retired only when nothing in these is left under it. A test compares
this list with the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, Row, Table, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, Decision, Endpoint, InboundMessage
from models.remedies import CaseVersion
from services.database import table


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed column; ``context`` is made of a row's key columns."""

    table: Table
    column: str
    context: Callable[[Row[Any]], str]

    @property
    def key(self) -> list[Column[Any]]:
        """The columns of the primary key, in order."""
        return list(self.table.primary_key.columns)

    @property
    def value(self) -> Column[Any]:
        """The column itself."""
        return self.table.c[self.column]

    def under(self, name: str) -> ColumnElement[bool]:
        """What stands under the key ``name``: the beginning of a sealed value is the id of its key."""
        beginning = bytes([len(name.encode())]) + name.encode()
        start: ColumnElement[bytes] = func.substr(self.value, 1, len(beginning), type_=LargeBinary())
        return start == bindparam(None, beginning, type_=LargeBinary())


SEALED: tuple[Sealed, ...] = (
    Sealed(table(Case), "sealed", lambda row: f"case:{row.number}"),
    Sealed(table(CaseVersion), "sealed", lambda row: f"case:{row.case_number}"),
    Sealed(table(Decision), "sealed", lambda row: f"decision:{row.case_number}:{row.sequence}"),
    Sealed(table(Endpoint), "secrets", lambda row: f"endpoint:{row.department}"),
    Sealed(table(InboundMessage), "sealed", lambda row: f"inbound:{row.department}:{row.message_id}"),
)


async def count_under(connection: AsyncConnection, name: str) -> int:
    """How many values stand under the key ``name``. Reads every sealed row once."""
    counts = [
        (await connection.execute(select(func.count()).select_from(one.table).where(one.under(name)))).scalar_one()
        for one in SEALED
    ]
    return sum(counts)
