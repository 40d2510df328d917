"""Back-up and restore (备份与恢复) of an installation: one file, taken while the work goes on.

The file is a ZIP archive: ``manifest.json`` (what, when, and the end of the audit chain), ``lianban.db``, and, only
if a passphrase is given, ``keys.sealed``. What is personal in the database is sealed; without the keys nobody opens
it, and so a back-up without them must be kept together with a copy of the keys kept elsewhere.

The file is the same whatever the database: what comes from PostgreSQL is carried into SQLite first (``transfer``), and
may be restored into either. A large PostgreSQL has quicker means of its own (``pg_dump``, docs/operations.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import sqlite3
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import make_url

from services.audit import verify_chain
from services.database import Database
from services.errors import ConflictError, InputError
from services.migration import upgrade
from services.settings import Settings
from services.upkeep.passphrase import seal_keys, unseal_keys
from services.upkeep.transfer import carry_over

FORMAT = "lianban-backup/1"
_DATABASE, _KEYS, _MANIFEST = "lianban.db", "keys.sealed", "manifest.json"
_CHUNK = 1 << 20
# A manifest or a key ring is a few hundred bytes; whatever claims to be more is not read into memory.
_SMALL = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """What a back-up holds: the audit chain up to entry ``entries``, and whether the keys are with it."""

    taken_at: datetime
    source: str
    entries: int
    keys: bool
    size: int


async def back_up(settings: Settings, path: Path, passphrase: str | None = None) -> Backup:
    """Write a back-up to ``path`` (mode 0600), without a stop; with the keys if a ``passphrase`` seals them.

    InputError if there is nothing to back up, or ``path`` stands already or cannot be written.
    """
    database = _sqlite_file(settings)
    if database is not None and not database.exists():
        raise InputError("there is no database yet; nothing to back up", place="database")
    with tempfile.TemporaryDirectory(prefix=".lianban-backup-", dir=_folder(path)) as folder:
        copy = Path(folder) / _DATABASE
        if database is None:
            await carry_over(settings.dsn, f"sqlite+aiosqlite:///{copy}")
        else:
            await asyncio.to_thread(_copy_live, database, copy)
        sequence, head, revision = _state(copy)
        sealed = seal_keys(settings.keys_path.read_bytes(), passphrase) if passphrase else None
        manifest = {
            "format": FORMAT,
            "source": settings.source,
            "taken_at": datetime.now(UTC).isoformat(),
            "revision": revision,
            "audit": {"entries": sequence, "head": head},
            "digests": {_DATABASE: _digest(copy)}
            | ({_KEYS: hashlib.sha256(sealed).hexdigest()} if sealed is not None else {}),
        }
        draft = Path(folder) / "draft"
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
            archive.write(copy, _DATABASE)
            if sealed is not None:
                archive.writestr(_KEYS, sealed)
        draft.chmod(0o600)
        _put_in_place(draft, path)
    return _told(manifest, _size(path))


async def restore(settings: Settings, path: Path, passphrase: str | None = None) -> Backup:
    """Put a back-up in the place of an installation that is not there yet, and check its audit chain first.

    Nothing is overwritten: ConflictError if a database or, where the back-up bears keys, a key ring stands already (on
    PostgreSQL: if anything was done in it), or if the back-up's chain does not hold. InputError if the file is no whole
    back-up, or the passphrase does not fit.
    """
    database = _sqlite_file(settings)
    if database is not None and database.exists():
        raise ConflictError("stands already; stop the installation and move it away first", place=str(database))
    home = database.parent if database is not None else settings.data_dir
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".lianban-restore-", dir=home) as folder:
        draft = Path(folder) / _DATABASE
        manifest, sealed = _unpack(path, draft)
        ring = _open_ring(settings, sealed, passphrase)
        await _check_chain(draft, manifest)
        if database is None:
            # An older back-up is brought up to the tables of today on the way.
            await asyncio.to_thread(upgrade, f"sqlite+aiosqlite:///{draft}")
            await carry_over(f"sqlite+aiosqlite:///{draft}", settings.dsn)
        if ring is not None:
            _write_ring(settings.keys_path, ring)
        if database is not None:
            # What a crashed database left beside its file belongs to that one, not to this.
            for stale in ("-wal", "-shm"):
                database.with_name(database.name + stale).unlink(missing_ok=True)
            _put_in_place(draft, database)
    return _told(manifest, _size(path))


def _sqlite_file(settings: Settings) -> Path | None:
    """The file of a database on SQLite; None on PostgreSQL."""
    url = make_url(settings.dsn)
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        raise ConflictError("is in memory only; there is nothing to back up", place="database")
    return Path(url.database)


def _folder(path: Path) -> Path:
    if path.exists():
        raise InputError("stands already; choose another name", place=path.name)
    if not path.absolute().parent.is_dir():
        raise InputError("its folder does not exist", place=path.name)
    return path.absolute().parent


def _copy_live(database: Path, copy: Path) -> None:
    """SQLite's own way to copy a database that others write to: the copy is one state of it, whole."""
    with (
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(copy)) as out,
    ):
        live.backup(out)
        # One file, and no journal beside it that could be left behind.
        out.execute("PRAGMA journal_mode=DELETE")


def _state(copy: Path) -> tuple[int, str, str | None]:
    """The end of the audit chain, and the revision of the tables."""
    with closing(sqlite3.connect(copy)) as connection:
        try:
            head = connection.execute("SELECT sequence, hash FROM audit_head WHERE id = 1").fetchone()
        except sqlite3.DatabaseError:
            raise ConflictError("is no database of Lianban", place="database") from None
        revision = None
        with suppress(sqlite3.OperationalError):
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            revision = str(found[0]) if found else None
    if head is None:
        raise ConflictError("the head of the audit chain is missing; run `lianban audit verify`", place="database")
    return int(head[0]), str(head[1]), revision


def _unpack(path: Path, draft: Path) -> tuple[Mapping[str, Any], bytes | None]:
    """The manifest and the sealed keys; the database goes to ``draft``. Everything is checked against its digest."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(_small(archive, _MANIFEST))
            if manifest["format"] != FORMAT:
                raise InputError(f"is no back-up of the format {FORMAT}", place=path.name)
            digests = manifest["digests"]
            with archive.open(_DATABASE) as inside, draft.open("wb") as out:
                draft.chmod(0o600)
                found = {_DATABASE: _copy(inside, out)}
            sealed = _small(archive, _KEYS) if _KEYS in digests else None
            if sealed is not None:
                found[_KEYS] = hashlib.sha256(sealed).hexdigest()
            _told(manifest, 0)
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror or 'damaged'}", place=path.name) from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError) as problem:
        raise InputError("is no whole back-up: it is damaged or cut off", place=path.name) from problem
    if found != digests:
        raise InputError("is damaged: a part does not fit its digest", place=path.name)
    return manifest, sealed


def _open_ring(settings: Settings, sealed: bytes | None, passphrase: str | None) -> bytes | None:
    if sealed is None:
        return None
    if settings.keys_path.exists():
        raise ConflictError("stands already; move the key ring away first", place=str(settings.keys_path))
    if passphrase is None:
        raise InputError("bears its keys; give the passphrase that sealed them", place="passphrase")
    return unseal_keys(sealed, passphrase)


async def _check_chain(draft: Path, manifest: Mapping[str, Any]) -> None:
    sequence, head, _ = _state(draft)
    database = Database(f"sqlite+aiosqlite:///{draft}")
    try:
        async with database.read() as connection:
            report = await verify_chain(connection)
    finally:
        await database.dispose()
    if report.broken_at is not None:
        raise ConflictError(f"the audit chain of the back-up does not hold: {report.problem}", place="audit")
    if {"entries": sequence, "head": head} != manifest["audit"]:
        raise ConflictError("the database is not the one that its manifest tells of", place="audit")


def _told(manifest: Mapping[str, Any], size: int) -> Backup:
    entries = int(manifest["audit"]["entries"])
    at = datetime.fromisoformat(manifest["taken_at"])
    return Backup(at, str(manifest["source"]), entries, _KEYS in manifest["digests"], size)


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as inside:
        content = inside.read(_SMALL + 1)
    if len(content) > _SMALL:
        raise ValueError("too large")
    return content


def _copy(inside: IO[bytes], out: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := inside.read(_CHUNK):
        digest.update(chunk)
        out.write(chunk)
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_ring(path: Path, ring: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConflictError("stands already; move the key ring away first", place=str(path)) from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(ring)
        out.flush()
        os.fsync(out.fileno())


def _size(path: Path) -> int:
    return path.stat().st_size


def _put_in_place(draft: Path, path: Path) -> None:
    """Give ``draft`` the name ``path``, which must be free: link(), unlike rename(), fails when it is not."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise ConflictError("stands already; nothing was overwritten", place=path.name) from None


def new_passphrase() -> str:
    """A passphrase that cannot be guessed, in groups that can be read out."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(5))
