"""Access keys: how machines and programs knock at the doors.

A key is shown once, when it is made; only its SHA-256 is kept. A name stands for one caller: several keys of one name
may overlap, so that a key is changed without a stop. A key may be bound to a station and to some operations, and be
owned by an account, for which it then acts. Keys live in wire time, whatever a simulated system's clock says.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import AccessKey, Account, Role
from services.access.callers import NAME_PATTERN, Caller, check_scope, within
from services.access.management import in_district
from services.database import Transaction, table
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.policy.registry import PackRegistry

_KEYS, _ACCOUNTS = table(AccessKey), table(Account)
_PREFIX = "lbk_"
# 32 random bytes in URL-safe Base64: what does not look like it is not worth a look into the database.
_SECRET = re.compile(r"lbk_[A-Za-z0-9_-]{43}")
_NAME = re.compile(NAME_PATTERN)
_ID_LENGTH = 12
MAX_DAYS = 1_095
# How exactly it is known when and from where a key is used: each request would be a write otherwise.
USED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class KeyBounds:
    """What bounds a key beside its role and scope: a clerk's station, the routes it is for (None: all of its role).

    ``owner``: the account that it acts for. ``made_by``: the account that saw its secret when it was made.
    """

    station: str | None = None
    operations: frozenset[str] | None = None
    owner: int | None = None
    made_by: int | None = None


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key as a list shows it; ``id`` tells it from others of the same name and opens nothing."""

    id: str
    name: str
    role: Role
    scope: str | None
    station: str | None
    operations: tuple[str, ...] | None
    owner: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key that was brought: for whom it speaks, when and from where it was used last, and ``refused``: why it opens
    nothing any more."""

    caller: Caller
    hash: str
    used_at: datetime | None
    used_from: str | None
    refused: KeyRefusedError | None


class KeyRefusedError(AccessError):
    """No key, or one that opens nothing (any more). ``code``: key-missing, key-unknown, key-expired, key-revoked."""

    status = 401

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail, place="authorization")
        self.code = code


async def create_key(  # noqa: PLR0913 - the parts of one key
    transaction: Transaction,
    packs: PackRegistry,
    now: datetime,
    *,
    name: str,
    role: Role,
    scope: str | None = None,
    days: int = 365,
    bounds: KeyBounds = KeyBounds(),
) -> str:
    """Make a key that is good for ``days`` from ``now`` (wire time); the secret, which is not kept and not shown again.

    InputError for a name of other characters, a scope that is no district (an officer's: no department), a time out
    of bounds, or a name that stands for a caller of another role or scope; AccessError for more than its owner may.
    """
    if not _NAME.fullmatch(name):
        raise InputError("must be 1 to 60 letters, digits or . _ @ -", place="name")
    if not 1 <= days <= MAX_DAYS:
        raise InputError(f"must be 1 to {MAX_DAYS} days", place="days")
    check_scope(packs, role, scope, bounds.station)
    connection = transaction.connection
    await _check_name(connection, now, name, role, scope, bounds)
    await _check_owner(connection, role, scope, bounds)
    secret = _PREFIX + secrets.token_urlsafe(32)
    digest = _digest(secret)
    only = sorted(bounds.operations) if bounds.operations is not None else None
    row = {
        "hash": digest,
        "name": name,
        "role": role,
        "scope": scope,
        "station": bounds.station,
        "operations": only,
        "owner_id": bounds.owner,
        "made_by": bounds.made_by,
        "created_at": now,
        "expires_at": now + timedelta(days=days),
        "revoked_at": None,
        "used_at": None,
        "used_from": None,
    }
    await transaction.insert(AccessKey, [row])
    transaction.note(
        "key.created",
        "system",
        key=digest[:_ID_LENGTH],
        name=name,
        role=role.value,
        scope=scope,
        station=bounds.station,
        operations=only,
        owner=bounds.owner,
        days=days,
    )
    return secret


async def revoke_keys(
    transaction: Transaction, now: datetime, name: str, key: str | None = None, by: Caller | None = None
) -> int:
    """Revoke every key of a name, or only the one whose id is ``key``; how many. ``by``: an administrator, who revokes
    the keys within the own district only. NotFoundError if none was good.
    """
    mine = [_KEYS.c.name == name, _KEYS.c.revoked_at.is_(None), _managed(by)]
    if key is not None:
        mine.append(_KEYS.c.hash.startswith(key, autoescape=True))
    revoked = await _revoke(transaction, now, and_(*mine))
    if not revoked:
        raise NotFoundError("no key of that name stands to be revoked; list them first", place="name")
    return revoked


async def revoke_owned(transaction: Transaction, now: datetime, account: int) -> int:
    """Revoke every key that ``account`` owns: it may not do what they do any more. How many."""
    return await _revoke(transaction, now, and_(_KEYS.c.owner_id == account, _KEYS.c.revoked_at.is_(None)))


async def list_keys(connection: AsyncConnection, by: Caller | None = None) -> list[KeyRow]:
    """Every key there ever was, by name, the newest of a name first; of a district's reader (``by``) its own only."""
    query = (
        select(_KEYS, _ACCOUNTS.c.name.label("owner"))
        .join_from(_KEYS, _ACCOUNTS, _KEYS.c.owner_id == _ACCOUNTS.c.id, isouter=True)
        .where(_managed(by))
        .order_by(_KEYS.c.name, _KEYS.c.created_at.desc())
    )
    return [
        KeyRow(
            row.hash[:_ID_LENGTH],
            row.name,
            row.role,
            row.scope,
            row.station,
            tuple(row.operations) if row.operations is not None else None,
            row.owner,
            row.created_at,
            row.expires_at,
            row.revoked_at,
            row.used_at,
        )
        for row in await connection.execute(query)
    ]


async def find_caller(connection: AsyncConnection, secret: str, now: datetime) -> Caller:
    """Who holds the key ``secret``; KeyRefusedError if it opens nothing at ``now`` (wire time)."""
    found = await find_key(connection, secret, now)
    if found.refused is not None:
        raise found.refused
    return found.caller


async def find_key(connection: AsyncConnection, secret: str, now: datetime) -> FoundKey:
    """The key ``secret``, be it good or not; KeyRefusedError if it never was one."""
    # Looked up by its hash, a guess learns nothing from how long the answer takes.
    found: Row[Any] | None = None
    if _SECRET.fullmatch(secret):
        query = (
            select(_KEYS, _ACCOUNTS.c.disabled_at)
            .join_from(_KEYS, _ACCOUNTS, _KEYS.c.owner_id == _ACCOUNTS.c.id, isouter=True)
            .where(_KEYS.c.hash == _digest(secret))
        )
        found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise KeyRefusedError("is not a key of this installation; ask the administrator for one", "key-unknown")
    caller = Caller(
        found.name,
        found.role,
        found.scope,
        found.station,
        found.owner_id,
        in_person=found.owner_id is not None and found.made_by == found.owner_id,
        operations=frozenset(found.operations) if found.operations is not None else None,
    )
    return FoundKey(caller, found.hash, found.used_at, found.used_from, _refusal(found, now))


async def note_use(transaction: Transaction, now: datetime, found: FoundKey, source: str) -> None:
    """Remember that a key was used; the log is told of its first use, of another source, and of a refusal."""
    mine = _KEYS.c.hash == found.hash
    await transaction.connection.execute(update(_KEYS).where(mine).values(used_at=now, used_from=source[:64]))
    told = {"key": found.hash[:_ID_LENGTH], "source": source}
    if found.refused is not None:
        transaction.note("key.refused", "system", **told, why=found.refused.code)
    elif found.used_at is None:
        transaction.note("key.first_used", "system", **told)
    elif found.used_from != source[:64]:
        transaction.note("key.moved", "system", **told, before=found.used_from)


def is_use_due(found: FoundKey, now: datetime) -> bool:
    """Whether it is time to remember that a key was used."""
    return found.used_at is None or now - found.used_at >= USED_EVERY


def _refusal(found: Row[Any], now: datetime) -> KeyRefusedError | None:
    if found.revoked_at is not None:
        return KeyRefusedError("was revoked; ask the administrator for a new key", "key-revoked")
    if found.disabled_at is not None:
        return KeyRefusedError("belongs to an account that is disabled", "key-revoked")
    if found.expires_at <= now:
        return KeyRefusedError("has expired; ask the administrator for a new key", "key-expired")
    return None


async def _check_name(
    connection: AsyncConnection, now: datetime, name: str, role: Role, scope: str | None, bounds: KeyBounds
) -> None:
    if (await connection.execute(select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.name == name))).first():
        raise InputError("is a person's account; a key needs a name of its own", place="name")
    valid = and_(_KEYS.c.name == name, _KEYS.c.revoked_at.is_(None), _KEYS.c.expires_at > now)
    for other in await connection.execute(select(_KEYS).where(valid)):
        same = (role, scope, bounds.station, bounds.owner)
        if (other.role, other.scope, other.station, other.owner_id) != same:
            raise InputError("stands for a caller of another role, scope or owner; choose another", place="name")


async def _check_owner(connection: AsyncConnection, role: Role, scope: str | None, bounds: KeyBounds) -> None:
    """A key can do no more than its owner: in the own role and place, or what an administrator looks after."""
    if bounds.owner is None:
        return
    owner = (await connection.execute(select(_ACCOUNTS).where(_ACCOUNTS.c.id == bounds.owner))).one_or_none()
    if owner is None or owner.disabled_at is not None:
        raise ConflictError("is no account that could own a key, or is disabled", place="owner")
    person = Caller(owner.name, owner.role, owner.scope, owner.station)
    if owner.role is Role.ADMINISTRATOR:
        may = within(person, role, scope)
    else:
        may = role is owner.role and scope == owner.scope and bounds.station == owner.station
    if not may:
        raise AccessError("a key can see and do no more than its owner", place="owner")


async def _revoke(transaction: Transaction, now: datetime, which: ColumnElement[bool]) -> int:
    revoked = await transaction.connection.execute(
        update(_KEYS).where(which).values(revoked_at=now).returning(_KEYS.c.hash, _KEYS.c.name)
    )
    rows = revoked.all()
    for row in rows:
        transaction.note("key.revoked", "system", key=row.hash[:_ID_LENGTH], name=row.name)
    return len(rows)


def _managed(by: Caller | None) -> ColumnElement[bool]:
    """The keys that ``by`` may see and revoke."""
    return true() if by is None else in_district(_KEYS, by)


def check_operations(operations: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    """The routes that a key is to be for; InputError if one is not among ``known``, or there is none."""
    wanted = frozenset(operations)
    if unknown := wanted - frozenset(known):
        raise InputError(f"there is no operation {min(unknown)}; see operationId in /openapi.json", place="operations")
    if not wanted:
        raise InputError("a key for no operation opens nothing", place="operations")
    return wanted


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
