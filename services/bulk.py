"""Statements for many rows: compiled once, then run straight through the driver.

SQLAlchemy makes a dictionary and looks at every type again for each row of an ``executemany``; for the rows of a batch
that costs several times what the database itself takes. Here a row becomes a tuple in one pass, by the converters of
its columns' types, and the driver gets them all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

Row = Mapping[str, Any]
Build = Callable[[Dialect], Executable]
# The text, the parameters in their order with what converts each, and the values that columns have by default.
_Compiled = tuple[str, list[tuple[str, Callable[[Any], Any] | None]], dict[str, Any]]


class Many:
    """One statement for rows with the columns ``names``. ``build`` makes it for a dialect."""

    def __init__(self, build: Build, names: Sequence[str]) -> None:
        self._build = build
        self._names = list(names)
        self._compiled: dict[str, _Compiled] = {}

    async def run(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        """Run it for each of ``rows``."""
        if not rows:
            return
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        text, binds, given = compiled
        if given:
            rows = [{**given, **row} for row in rows]
        bound = [tuple([convert(row[name]) if convert else row[name] for name, convert in binds]) for row in rows]
        await connection.exec_driver_sql(text, bound)

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled: Any = self._build(dialect).compile(  # type: ignore[attr-defined]
            dialect=dialect, column_keys=self._names
        )
        binds = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup
        ]
        # What a table gives by itself where a row says nothing.
        given = {column.key: column.default.arg for column in compiled.insert_prefetch}
        self._compiled[dialect.name] = compiled.string, binds, given
        return self._compiled[dialect.name]


_inserts: dict[tuple[str, tuple[str, ...], tuple[str, ...] | None], Many] = {}


async def insert_rows(
    connection: AsyncConnection, target: Table, rows: Sequence[Row], unless: tuple[str, ...] | None = None
) -> None:
    """Insert ``rows``, which all have the same columns; what stands already by the columns ``unless`` is left alone."""
    if not rows:
        return
    key = (target.name, tuple(rows[0]), unless)
    many = _inserts.get(key)
    if many is None:
        many = _inserts[key] = Many(_insert(target, unless), key[1])
    await many.run(connection, rows)


def _insert(target: Table, unless: tuple[str, ...] | None) -> Build:
    def build(dialect: Dialect) -> Executable:
        if unless is None:
            return target.insert()
        insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        return insert(target).on_conflict_do_nothing(index_elements=unless)

    return build
