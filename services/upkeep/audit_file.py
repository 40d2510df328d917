"""The audit log as a file (审计导出): JSON Lines that anybody can check offline, without the database.

The first line says whose log it is; each further line is one entry with its place in the chain; the last line gives the
end of the chain, sealed by the installation. An entry that is altered, missing, added or out of place breaks the chain,
and a tail that is cut off, or a chain that is counted anew from some entry on, does not fit the seal.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import Row, select

from models import AuditEntry, AuditHead
from services.audit import GENESIS, Note, entry_hash
from services.database import table
from services.errors import InputError
from services.evidence.seal import ALGORITHM, Seal, fingerprint, seal_holds
from services.house import House

FORMAT = "lianban-audit/1"
_ENTRIES, _HEAD = table(AuditEntry), table(AuditHead)
_PAGE = 5_000
_MEMBERS = frozenset({"sequence", "at", "actor", "action", "subject", "detail", "previous", "hash"})
# No line that we write is nearly as long; a file that has longer ones is not read into memory.
_LONGEST_LINE = 4_000_000


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: how many entries, the hash of the last, and the fingerprint of the seal's key."""

    entries: int
    head: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class FileFinding:
    """What the check of a file found. ``problem`` is None if it holds; else ``line`` is where it first does not.

    ``entries`` is how many hold; ``public_key`` (hex) sealed the end, as the file says.
    """

    entries: int
    line: int | None = None
    problem: str | None = None
    public_key: str | None = None
    source: str | None = None


async def export_audit(house: House, path: Path, actor: str) -> Written:
    """Write the whole log to ``path`` (mode 0600; InputError if something stands there). The export itself is noted and
    is the last entry of its own file, unless others wrote meanwhile.
    """
    async with house.database.write(actor) as transaction:
        transaction.note("audit.exported", "system")
        at = transaction.at
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise InputError(f"cannot be written: {problem.strerror}", place=path.name) from None
    with os.fdopen(descriptor, "wb") as out:
        _put(out, {"format": FORMAT, "source": house.settings.source, "written_at": at.isoformat(), "by": actor})
        last, head = await _entries(house, out)
        seal = Seal.of(house.keys)
        end = {"entries": last, "head": head}
        signature = seal.sign(_signed(house.settings.source, last, head))
        _put(out, {"end": end, "seal": {"algorithm": ALGORITHM, "public_key": seal.public_key, "signature": signature}})
    return Written(last, head, fingerprint(seal.public_key))


async def _entries(house: House, out: IO[bytes]) -> tuple[int, str]:
    """Every entry up to the head as it stands now, in pages; the number and the hash of the last."""
    last, head = 0, GENESIS
    async with house.database.read() as connection:
        upto = (await connection.execute(select(_HEAD.c.sequence).where(_HEAD.c.id == 1))).scalar_one()
        while last < upto:
            page = (
                select(_ENTRIES)
                .where(_ENTRIES.c.sequence > last, _ENTRIES.c.sequence <= upto)
                .order_by(_ENTRIES.c.sequence)
                .limit(_PAGE)
            )
            rows = (await connection.execute(page)).all()
            if not rows:
                # Entries are missing at the end: the file says what there is, and its seal vouches for no more.
                break
            for row in rows:
                _put(out, entry_members(row))
            last, head = rows[-1].sequence, rows[-1].hash
    return last, head


def entry_members(row: Row[Any]) -> dict[str, Any]:
    """One entry of the log as JSON values."""
    return {name: getattr(row, name) for name in sorted(_MEMBERS)} | {"at": row.at.isoformat()}


def check_audit_file(path: Path, public_key: str | None = None) -> FileFinding:
    """Check a file that :func:`export_audit` wrote, with nothing but the file.

    ``public_key`` (hex): the key that must have sealed it, noted beforehand; without it anybody's seal will do, and the
    finding names whose it is. InputError if the file cannot be read at all.
    """
    try:
        with path.open("rb") as lines:
            return _check(lines, public_key)
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror}", place=path.name) from None


def _check(lines: IO[bytes], public_key: str | None) -> FileFinding:
    first = _read(lines.readline(_LONGEST_LINE))
    if first is None or first.get("format") != FORMAT or not isinstance(first.get("source"), str):
        return FileFinding(0, 1, f"is no audit log of the format {FORMAT}")
    source: str = first["source"]
    sequence, previous, number = 0, GENESIS, 1
    while line := lines.readline(_LONGEST_LINE):
        number += 1
        members = _read(line)
        if members is not None and "end" in members:
            problem = _end_problem(members, source, sequence, previous, public_key)
            if problem is None and lines.readline(1):
                number, problem = number + 1, "something follows the end"
            if problem is not None:
                return FileFinding(sequence, number, problem)
            return FileFinding(sequence, public_key=members["seal"]["public_key"], source=source)
        problem = _entry_problem(members, sequence + 1, previous)
        if members is None or problem is not None:
            return FileFinding(sequence, number, problem)
        sequence, previous = sequence + 1, members["hash"]
    return FileFinding(sequence, number + 1, "the end with its seal is missing: the file was cut off")


def _entry_problem(members: Mapping[str, Any] | None, expected: int, previous: str) -> str | None:
    if members is None:
        return "cannot be read: it was altered or cut off"
    if set(members) != _MEMBERS:
        return "is no entry of the log"
    if members["sequence"] != expected:
        return f"entry {expected} is missing"
    if members["previous"] != previous:
        return f"entry {expected} does not follow the entry before it"
    try:
        at = datetime.fromisoformat(members["at"])
        note = Note(members["action"], members["subject"], dict(members["detail"]), members["actor"])
        # An instant has several spellings, of which one was hashed.
        same = at.isoformat() == members["at"] and entry_hash(expected, at, note, previous) == members["hash"]
    except (TypeError, ValueError):
        same = False
    return None if same else f"entry {expected} was altered"


def _end_problem(
    members: Mapping[str, Any], source: str, entries: int, head: str, public_key: str | None
) -> str | None:
    if members["end"] != {"entries": entries, "head": head}:
        return "the end does not fit the entries: some are missing"
    seal = members.get("seal")
    if not isinstance(seal, dict) or not all(isinstance(seal.get(one), str) for one in ("public_key", "signature")):
        return "the end bears no seal"
    if public_key is not None and seal["public_key"] != public_key.strip().lower():
        return "was sealed with another key than the one given"
    if not seal_holds(seal["public_key"], seal["signature"], _signed(source, entries, head)):
        return "the seal does not fit: the log was written by somebody else, or altered"
    return None


def _signed(source: str, entries: int, head: str) -> bytes:
    return f"{FORMAT}\n{source}\n{entries}\n{head}".encode()


def _put(out: IO[bytes], members: Mapping[str, Any]) -> None:
    out.write(orjson.dumps(members, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))


def _read(line: bytes) -> dict[str, Any] | None:
    """A line as an object; None if it is none, or is not ended as every line of ours."""
    try:
        members = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return members if isinstance(members, dict) and line.endswith(b"\n") else None
