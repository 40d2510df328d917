"""The audit log: every change with who made it, each entry chained by hash to the one before.

Entries are written by ``Database.write`` in the same transaction as the change, so neither can stand without the
other. The head row is locked while entries are appended: they follow one another without a gap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from models import AuditEntry, AuditHead
from services.bulk import insert_rows

_ENTRIES = SQLModel.metadata.tables[str(AuditEntry.__tablename__)]
_HEAD = SQLModel.metadata.tables[str(AuditHead.__tablename__)]
GENESIS = "0" * 64
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be remembered of a change: ``subject`` is a case number, a department, or ``system``."""

    action: str
    subject: str
    detail: Mapping[str, Any]
    actor: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What ``verify_chain`` found: how many entries hold, and the first that does not."""

    entries: int
    broken_at: int | None = None
    problem: str | None = None


def content_digest(at: datetime, note: Note) -> str:
    """SHA-256 (hex) over the canonical JSON (RFC 8785) of what an entry says."""
    content: list[Any] = [at.isoformat(), note.actor, note.action, note.subject, dict(note.detail)]
    # For what stands in entries (no fractions, ASCII keys) sorted orjson is RFC 8785 byte for byte, and much faster.
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def link_hash(sequence: int, content: str, previous: str) -> str:
    """The hash of entry ``sequence``: SHA-256 (hex) over its number, the digest of its content, the hash before it.

    It takes the digest and not the content, so that a stretch of the chain can be shown to somebody who may not read
    the entries in it (``evidence``).
    """
    return hashlib.sha256(f"{sequence}\n{content}\n{previous}".encode()).hexdigest()


def entry_hash(sequence: int, at: datetime, note: Note, previous: str) -> str:
    """The hash of an entry that says ``note`` of ``at`` and follows the one whose hash is ``previous``."""
    return link_hash(sequence, content_digest(at, note), previous)


async def append_notes(connection: AsyncConnection, notes: Sequence[Note], at: datetime, *, lock: bool) -> None:
    """Append ``notes``, made at ``at``, to the chain. ``lock``: the head row is to be locked (PostgreSQL)."""
    if not notes:
        return
    head_query = select(_HEAD.c.sequence, _HEAD.c.hash).where(_HEAD.c.id == 1)
    head = (await connection.execute(head_query.with_for_update() if lock else head_query)).one()
    sequence, previous = head.sequence, head.hash
    rows = []
    for note in notes:
        sequence += 1
        digest = entry_hash(sequence, at, note, previous)
        rows.append(
            {
                "sequence": sequence,
                "at": at,
                "actor": note.actor,
                "action": note.action,
                "subject": note.subject,
                "detail": dict(note.detail),
                "previous": previous,
                "hash": digest,
            }
        )
        previous = digest
    await insert_rows(connection, _ENTRIES, rows)
    await connection.execute(update(_HEAD).where(_HEAD.c.id == 1).values(sequence=sequence, hash=previous))


async def verify_chain(connection: AsyncConnection) -> ChainReport:
    """Walk the whole chain and name the first entry that is altered, missing, or out of place."""
    head = (await connection.execute(select(_HEAD.c.sequence, _HEAD.c.hash).where(_HEAD.c.id == 1))).one_or_none()
    if head is None:
        return ChainReport(0, 0, "the head of the chain is missing")
    last, previous = 0, GENESIS
    while True:
        page = select(_ENTRIES).where(_ENTRIES.c.sequence > last).order_by(_ENTRIES.c.sequence).limit(_PAGE)
        rows = (await connection.execute(page)).all()
        for row in rows:
            problem = _problem(row, last + 1, previous)
            if problem:
                return ChainReport(last, row.sequence if row.sequence == last + 1 else last + 1, problem)
            last, previous = row.sequence, row.hash
        if len(rows) < _PAGE:
            break
    if (last, previous) != (head.sequence, head.hash):
        return ChainReport(last, last + 1, f"the chain ends at entry {last}, its head says {head.sequence}")
    return ChainReport(last)


def _problem(row: Row[Any], expected: int, previous: str) -> str | None:
    if row.sequence != expected:
        return f"entry {expected} is missing"
    if row.previous != previous:
        return "does not follow the entry before it"
    note = Note(row.action, row.subject, row.detail, row.actor)
    if row.hash != entry_hash(row.sequence, row.at, note, previous):
        return "was altered"
    return None
