"""The sandbox's own memory: every message, every effect, and the call-backs still to be made.

What is written within a few milliseconds is committed together, and a request is answered only after its commit; so
a department that was killed knows afterwards all that it ever answered for.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from api.sandbox.answers import Effect
from services.errors import InputError

FLUSH_SECONDS = 0.002

# A step's second effect on the same service hits the unique key and is counted, not done again. An opening of what
# another step has opened already is kept, as `doubled` tells: that would be the sender's fault.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    department TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, case_number TEXT, fields TEXT NOT NULL,
    received_at REAL NOT NULL, times INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (department, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effects (
    sequence INTEGER PRIMARY KEY, department TEXT NOT NULL, case_number TEXT NOT NULL, service TEXT NOT NULL,
    step TEXT NOT NULL, action TEXT NOT NULL, times INTEGER NOT NULL DEFAULT 1, UNIQUE (step, service, action));
CREATE TABLE IF NOT EXISTS callbacks (
    id TEXT PRIMARY KEY, department TEXT NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL, due_at REAL,
    tries INTEGER NOT NULL DEFAULT 0, status INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS callbacks_due ON callbacks (due_at) WHERE due_at IS NOT NULL;
CREATE VIEW IF NOT EXISTS standing AS
    SELECT *, action = 'open' AND lag(action) OVER (
        PARTITION BY department, case_number, service ORDER BY sequence) = 'open' AS doubled FROM effects;
"""
_MESSAGE = """INSERT INTO messages (department, id, type, case_number, fields, received_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET times = times + 1"""
_EFFECT = """INSERT INTO effects (department, case_number, service, step, action) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET times = times + 1"""
_AUDIT = {
    "messages": "SELECT count(*) FROM messages WHERE ?1 IS NULL OR department = ?1",
    "duplicates": "SELECT coalesce(sum(times - 1), 0) FROM messages WHERE ?1 IS NULL OR department = ?1",
    "effects": "SELECT count(*) FROM effects WHERE ?1 IS NULL OR department = ?1",
    "doubled": "SELECT coalesce(sum(doubled), 0) FROM standing WHERE ?1 IS NULL OR department = ?1",
    "callbacks_waiting": "SELECT count(due_at) FROM callbacks WHERE ?1 IS NULL OR department = ?1",
}
_CALLBACK = "INSERT OR IGNORE INTO callbacks (id, department, url, body, due_at) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Callback:
    """An outcome still to be reported. ``due_at`` is seconds since 1970; ``tries`` made so far."""

    id: str
    department: str
    url: str
    body: bytes
    due_at: float
    tries: int = 0


class Store:
    """One SQLite file (or ``:memory:``), used from one event loop."""

    def __init__(self, path: str) -> None:
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            # Safe against the death of the process, which is what a sandbox is tried with; not of the machine.
            self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _SCHEMA)
        except sqlite3.Error as problem:
            raise InputError(f"cannot be opened as the sandbox's database: {problem}", place=path) from None
        self._messages: list[tuple[Any, ...]] = []
        self._effects: list[tuple[Any, ...]] = []
        self._callbacks: list[tuple[Any, ...]] = []
        self._committed: asyncio.Future[None] | None = None

    async def keep(
        self, messages: Iterable[tuple[Any, ...]], effects: Iterable[tuple[str, Effect]], callbacks: Sequence[Callback]
    ) -> None:
        """Keep it all, and return when it is committed.

        A message is (department, id, type, case number or None, names of the person's fields, received at).
        """
        self._messages += messages
        self._effects += ((who, e.case_number, e.service, e.step, e.action) for who, e in effects)
        self._callbacks += ((c.id, c.department, c.url, c.body, c.due_at) for c in callbacks)
        if self._committed is None:
            loop = asyncio.get_running_loop()
            self._committed = loop.create_future()
            loop.call_later(FLUSH_SECONDS, self.flush)
        await asyncio.shield(self._committed)

    def flush(self) -> None:
        """Commit what is pending and let those go who wait for it."""
        committed, self._committed = self._committed, None
        if committed is None:
            return
        try:
            self._database.execute("BEGIN")
            self._database.executemany(_MESSAGE, self._messages)
            self._database.executemany(_EFFECT, self._effects)
            self._database.executemany(_CALLBACK, self._callbacks)
            self._database.execute("COMMIT")
        except sqlite3.Error as problem:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            committed.set_exception(problem)
        else:
            committed.set_result(None)
        finally:
            self._messages, self._effects, self._callbacks = [], [], []

    def due(self, now: float, limit: int) -> list[Callback]:
        """Up to ``limit`` call-backs whose time has come."""
        query = """SELECT id, department, url, body, due_at, tries FROM callbacks
            WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"""
        return [Callback(*row) for row in self._database.execute(query, (now, limit))]

    def next_due(self) -> float | None:
        """When the next call-back is due; None if none waits."""
        due_at: float | None = self._one("SELECT min(due_at) FROM callbacks WHERE due_at IS NOT NULL")
        return due_at

    def tried(self, tries: Iterable[tuple[str, int | None, float | None]]) -> None:
        """Record tries as (id, status, due again at): no time means that it is over, well or not."""
        self._database.executemany(
            "UPDATE callbacks SET tries = tries + 1, status = ?2, due_at = ?3 WHERE id = ?1", tries
        )

    def audit(self, department: str | None = None) -> dict[str, int]:
        """Messages, those of them that came more than once, effects, and openings of what was open already."""
        return {name: self._one(query, (department,)) for name, query in _AUDIT.items()}

    def records(self, department: str, limit: int) -> dict[str, Any]:
        """What a department holds: its last ``limit`` messages, and every service with how it stands."""
        messages = self._database.execute(
            """SELECT id, type, case_number, fields, received_at, times FROM messages
            WHERE department = ? ORDER BY received_at DESC, id LIMIT ?""",
            (department, limit),
        )
        services = self._database.execute(
            """SELECT case_number, service, max(sequence), action, sum(action = 'open'), sum(doubled) FROM standing
            WHERE department = ? GROUP BY case_number, service ORDER BY max(sequence) DESC LIMIT ?""",
            (department, limit),
        )
        message_names = ("id", "type", "case", "fields", "received_at", "times")
        return {
            "department": department,
            **self.audit(department),
            "received": [dict(zip(message_names, row, strict=True)) for row in messages],
            "services": [
                {
                    "case": case,
                    "service": service,
                    "state": "open" if action == "open" else "withdrawn",
                    "opened": opened,
                    "doubled": doubled,
                }
                for case, service, _, action, opened, doubled in services
            ],
        }

    def close(self) -> None:
        """Commit what is pending and close the file."""
        self.flush()
        self._database.close()

    def _one(self, query: str, values: Sequence[Any] = ()) -> Any:
        return self._database.execute(query, values).fetchone()[0]
