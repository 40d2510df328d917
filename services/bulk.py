"""Statements for many rows: compiled once, then run straight through the driver.

SQLAlchemy makes a dictionary and looks at every type again for each row of an ``executemany``; for the rows of a batch
that costs several times what the database itself takes. Here a row becomes a tuple in one pass, by the converters of
its columns' types, and the driver gets them all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Date, Enum, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from models.base import UtcDateTime

Row = Mapping[str, Any]
Build = Callable[[Dialect], Executable]
# The text, the parameters in their order with what converts each, and the values that columns have by default.
_Compiled = tuple[str, list[tuple[str, Callable[[Any], Any] | None]], dict[str, Any]]


class Many:
    """One statement for rows with the columns ``names``, made by ``build`` for a dialect; ``target``: where it inserts.

    PostgreSQL is given an insert as one statement with an array a column: a statement a row costs it ten times as much.
    """

    def __init__(self, build: Build, names: Sequence[str], target: Table | None = None) -> None:
        self._build = build
        self._names = list(names)
        self._target = target
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
        if self._target is not None and dialect.name == "postgresql":
            columns = [[convert(row[name]) for row in rows] if convert else [row[name] for row in rows]
                       for name, convert in binds]  # fmt: skip
            await connection.exec_driver_sql(text, tuple(columns))
            return
        bound = [tuple([convert(row[name]) if convert else row[name] for name, convert in binds]) for row in rows]
        await connection.exec_driver_sql(text, bound)

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled: Any = self._build(dialect).compile(  # type: ignore[attr-defined]
            dialect=dialect, column_keys=self._names
        )
        text, names = compiled.string, list(compiled.positiontup)
        if self._target is not None and dialect.name == "postgresql":
            text = _from_arrays(self._target, names, dialect, text)
        binds = [(name, _converter(compiled.binds[name].type, dialect)) for name in names]
        # What a table gives by itself where a row says nothing.
        given = {column.key: column.default.arg for column in compiled.insert_prefetch}
        self._compiled[dialect.name] = text, binds, given
        return self._compiled[dialect.name]


def _from_arrays(target: Table, names: Sequence[str], dialect: Dialect, text: str) -> str:
    """The insert ``text`` with its rows taken from arrays, one a column, in the order of ``names``."""
    head, _, conflict = text.partition(" ON CONFLICT ")
    listed = ", ".join(f'"{name}"' for name in names)
    kinds = [dialect.type_compiler_instance.process(target.c[name].type.dialect_impl(dialect)) for name in names]
    # As text where the column bounds or checks it: a cast to VARCHAR(24) would cut silently.
    plain = ["TEXT" if kind.startswith(("VARCHAR", "JSON")) else kind for kind in kinds]
    taken = ", ".join(
        f'r."{name}"::{kind}' if kind == "JSONB" else f'r."{name}"' for name, kind in zip(names, kinds, strict=True)
    )
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(plain, start=1))
    into = head.partition("(")[0]
    whole = f"{into}({listed}) SELECT {taken} FROM unnest({arrays}) AS r({listed})"  # noqa: S608 - names of our tables
    return f"{whole} ON CONFLICT {conflict}" if conflict else whole


def _converter(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    convert: Callable[[Any], Any] | None = type_.dialect_impl(dialect).bind_processor(dialect)
    # Days, instants and states come again and again in the rows of a batch.
    return lru_cache(maxsize=4_096)(convert) if convert and isinstance(type_, UtcDateTime | Date | Enum) else convert


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
        many = _inserts[key] = Many(_insert(target, unless), key[1], target)
    await many.run(connection, rows)


def _insert(target: Table, unless: tuple[str, ...] | None) -> Build:
    def build(dialect: Dialect) -> Executable:
        if unless is None:
            return target.insert()
        insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        return insert(target).on_conflict_do_nothing(index_elements=unless)

    return build
