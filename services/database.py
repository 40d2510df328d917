"""The database: engine, transactions, and the few places where SQLite and PostgreSQL part ways.

One unit of work is one transaction, opened at the edge: ``read`` never writes, ``write`` commits its changes together
with their audit entries or not at all. No HTTP call is made while one is open.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Table, bindparam, event, exc, func, make_url, select
from sqlalchemy import String as SqlString
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlmodel import SQLModel

from models import SystemClock
from services.audit import Note, append_notes
from services.bulk import insert_rows
from services.clock import Clock
from services.errors import UnavailableError

_BUSY_MS = 60_000
# Nobody waits for a database for ever: for a free connection, for a new one, for an answer.
_POOL_SECONDS = 10.0
_CONNECT_SECONDS = 5.0
_COMMAND_SECONDS = 300.0
# How SQLite and PostgreSQL say that a table or a column is not there.
_OTHER_SHAPE = ("no such table", "no such column", "has no column", "UndefinedTable", "UndefinedColumn")
_JSON: dict[str, Any] = {
    "json_serializer": lambda value: orjson.dumps(value).decode(),
    "json_deserializer": orjson.loads,
}


class Transaction:
    """An open write: the connection, who acts and when (business time), and the notes for the audit log."""

    def __init__(self, connection: AsyncConnection, actor: str, at: datetime) -> None:
        self.connection = connection
        self.actor = actor
        self.at = at
        self.notes: list[Note] = []

    def note(self, action: str, subject: str, **detail: Any) -> None:
        """Say what is changed: it is appended to the audit chain when the change commits."""
        self.notes.append(Note(action, subject, detail, self.actor))

    async def insert(self, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert ``rows`` (column name to value, each with the same columns)."""
        await insert_rows(self.connection, table(model), rows)

    async def insert_new(self, model: type[SQLModel], rows: Sequence[Mapping[str, Any]], *keys: str) -> None:
        """Insert the rows whose ``keys`` do not stand yet; the others are left as they are."""
        await insert_rows(self.connection, table(model), rows, keys)


class Database:
    """One database for one process and event loop. ``dispose`` when done."""

    def __init__(self, dsn: str, clock: Clock | None = None) -> None:
        self.dsn = dsn
        self.clock = clock or Clock()
        self.engine = _engine(dsn)
        # SQLite lets in one writer and wakes the waiting ones in no order; in one process they stand in a line.
        embedded = make_url(dsn).get_backend_name() == "sqlite"
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if embedded else nullcontext()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A snapshot to read from. UnavailableError if the database does not answer."""
        with _told_plainly():
            async with self.engine.connect() as connection:
                await connection.execution_options(read_only=True)
                yield connection

    @asynccontextmanager
    async def write(self, actor: str) -> AsyncIterator[Transaction]:
        """A change by ``actor``: committed with its audit entries at the end, undone whole on an error."""
        with _told_plainly():
            async with self._turn, self.engine.begin() as connection:
                transaction = Transaction(connection, actor, self.clock.moment())
                yield transaction
                await append_notes(connection, transaction.notes, transaction.at, lock=is_postgresql(connection))

    async def refresh_clock(self) -> Clock:
        """Take up the shift of a simulated system, which stands in the database for every process alike."""
        async with self.read() as connection:
            seconds = (await connection.execute(select(table(SystemClock).c.shift_seconds))).scalar_one_or_none()
        self.clock = Clock(timedelta(seconds=seconds or 0), self.clock.source)
        return self.clock

    async def ping(self) -> None:
        """Return if the database answers; UnavailableError if not."""
        async with self.read() as connection:
            await connection.execute(select(1))

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class _told_plainly:  # noqa: N801 - reads as a clause of `with`
    """Turns a lost database into UnavailableError; errors of SQL itself stay what they are."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: Any) -> None:
        if isinstance(problem, exc.DBAPIError) and any(words in str(problem.orig) for words in _OTHER_SHAPE):
            raise UnavailableError("the database is not of this version; run `lianban migrate`") from problem
        lost = isinstance(problem, exc.DBAPIError) and (
            problem.connection_invalidated or isinstance(problem, exc.OperationalError | exc.InterfaceError)
        )
        # A server that is not there shows as an error of the socket, a pool that is used up as SQLAlchemy's own.
        if lost or isinstance(problem, OSError | exc.TimeoutError):
            raise UnavailableError("the database does not answer; nothing was changed, try again") from problem


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a model."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def is_postgresql(connection: AsyncConnection) -> bool:
    """Whether we talk to PostgreSQL (else SQLite)."""
    return connection.dialect.name == "postgresql"


def among(connection: AsyncConnection, column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """``column`` is one of ``values``, as one bound parameter however many they are.

    An expanding IN of thousands of parameters is compiled anew for every length; one array is not.
    """
    listed = list(values)
    if is_postgresql(connection):
        return column == func.any(bindparam(None, listed, type_=postgresql.ARRAY(SqlString)))
    each = func.json_each(bindparam(None, json.dumps(listed), type_=SqlString)).table_valued("value")
    return column.in_(select(each.c.value))


def _engine(dsn: str) -> AsyncEngine:
    # Parameters bear personal data and are therefore kept out of every error.
    url = make_url(dsn)
    if url.get_backend_name() != "sqlite":
        return create_async_engine(
            url,
            pool_size=8,
            max_overflow=8,
            pool_timeout=_POOL_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
            **_JSON,
            connect_args={"timeout": _CONNECT_SECONDS, "command_timeout": _COMMAND_SECONDS},
        )
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=4,
        max_overflow=8,
        pool_timeout=_POOL_SECONDS,
        hide_parameters=True,
        **_JSON,
        connect_args={"timeout": _BUSY_MS / 1000},
    )

    def on_connect(connection: Any, _record: Any) -> None:
        # The driver would begin transactions by itself, and late; ours begin as on_begin says.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Any) -> None:
        # A writer takes the lock at once: upgrading a read to a write cannot wait, it fails with "locked".
        reading = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine
