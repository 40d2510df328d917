"""A step's place in the audit chain, shown without what other cases did.

An entry's hash takes the digest of its content (``services.audit``), so a stretch of the chain can be proven with our
own entries in full and every other as 32 bytes that tell nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import AuditEntry, AuditHead
from services.audit import Note, content_digest, link_hash
from services.database import table

_ENTRIES, _HEAD = table(AuditEntry), table(AuditHead)
# Entries of the case itself that a step's outcome hangs on, whichever steps they name.
_OF_THE_CASE = frozenset({"permit.issued", "permit.ended", "case.refused"})
# How many foreign entries are bridged; beyond, a bundle has several stretches, each anchored by its own hashes.
MAX_GAP = 5_000


async def show_place(connection: AsyncConnection, case_number: str, step: str) -> dict[str, Any]:
    """The entries about ``step`` and the stretches of the chain that hold them, with the head of the chain today."""
    query = select(_ENTRIES).where(_ENTRIES.c.subject == case_number).order_by(_ENTRIES.c.sequence)
    shown = {row.sequence: row for row in await connection.execute(query) if _about(row, step)}
    head = (await connection.execute(select(_HEAD.c.sequence, _HEAD.c.hash).where(_HEAD.c.id == 1))).one()
    stretches = [
        await _stretch(connection, first, last, shown) for first, last in _bounds(sorted(shown), head.sequence)
    ]
    return {"head": {"sequence": head.sequence, "hash": head.hash}, "stretches": stretches}


def _about(row: Row[Any], step: str) -> bool:
    return row.action in _OF_THE_CASE or step in row.detail.get("steps", ()) or row.detail.get("step") == step


def _bounds(sequences: Sequence[int], head: int) -> Iterator[tuple[int, int]]:
    """The first and last entry of each stretch; the last one runs to the head of the chain where it is near."""
    if not sequences:
        return
    first = last = sequences[0]
    for sequence in [*sequences[1:], head]:
        if sequence - last > MAX_GAP:
            yield first, last
            first = sequence
        last = sequence
    if first in sequences:
        yield first, last


async def _stretch(connection: AsyncConnection, first: int, last: int, shown: Mapping[int, Row[Any]]) -> dict[str, Any]:
    query = select(_ENTRIES).where(_ENTRIES.c.sequence.between(first, last)).order_by(_ENTRIES.c.sequence)
    rows = (await connection.execute(query)).all()
    return {
        "first": first,
        "previous": rows[0].previous,
        "links": [
            _whole(row)
            if row.sequence in shown
            else content_digest(row.at, Note(row.action, row.subject, row.detail, row.actor))
            for row in rows
        ],
        "hash": rows[-1].hash,
    }


def _whole(row: Row[Any]) -> dict[str, Any]:
    return {
        "sequence": row.sequence,
        "at": row.at.isoformat(),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "detail": row.detail,
    }


def check_place(place: Mapping[str, Any], case_number: str, step: str) -> Iterator[str]:
    """What is wrong with a place in the chain, as ``show_place`` gave it; nothing, if it holds."""
    told = []
    for stretch in place["stretches"]:
        sequence, previous = stretch["first"] - 1, stretch["previous"]
        for link in stretch["links"]:
            sequence += 1
            if isinstance(link, Mapping):
                note = Note(link["action"], link["subject"], link["detail"], link["actor"])
                content = content_digest(datetime.fromisoformat(link["at"]), note)
                if link["sequence"] != sequence or link["subject"] != case_number:
                    yield f"audit: entry {sequence} is not where it says, or of another case"
                told.append(link)
            else:
                content = link
            previous = link_hash(sequence, content, previous)
        if previous != stretch["hash"]:
            yield f"audit: the entries {stretch['first']} to {sequence} do not follow one another"
        if sequence == place["head"]["sequence"] and previous != place["head"]["hash"]:
            yield "audit: the last entry is not the head of the chain"
    if not any(link["action"] == "steps.planned" and step in link["detail"]["steps"] for link in told):
        yield "audit: no entry says that this step was planned"
