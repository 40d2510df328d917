"""Access keys: how machines and programs knock at the doors.

A key is shown once, when it is made; only its SHA-256 is kept. A name stands for one caller: several keys of one name
may overlap, so that a key is changed without a stop. Keys live in wire time, whatever a simulated system's clock says.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import AccessKey, Account, Role
from services.access.callers import NAME_PATTERN, Caller, check_scope
from services.database import Transaction, table
from services.errors import AccessError, InputError, NotFoundError
from services.policy.registry import PackRegistry

_KEYS, _ACCOUNTS = table(AccessKey), table(Account)
_PREFIX = "lbk_"
# 32 random bytes in URL-safe Base64: what does not look like it is not worth a look into the database.
_SECRET = re.compile(r"lbk_[A-Za-z0-9_-]{43}")
_NAME = re.compile(NAME_PATTERN)
_ID_LENGTH = 12
MAX_DAYS = 1_095


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key as a list shows it; ``id`` tells it from others of the same name and opens nothing."""

    id: str
    name: str
    role: Role
    scope: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class KeyRefusedError(AccessError):
    """No key, or one that opens nothing (any more). ``code``: key-missing, key-unknown, key-expired, key-revoked."""

    status = 401

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail, place="authorization")
        self.code = code


async def create_key(
    transaction: Transaction,
    packs: PackRegistry,
    now: datetime,
    *,
    name: str,
    role: Role,
    scope: str | None = None,
    days: int = 365,
) -> str:
    """Make a key that is good for ``days`` from ``now`` (wire time); the secret, which is not kept and not shown again.

    InputError for a name of other characters, a scope that is no district (an officer's: no department), a time out
    of bounds, or a name that stands for a caller of another role or scope.
    """
    if not _NAME.fullmatch(name):
        raise InputError("must be 1 to 60 letters, digits or . _ @ -", place="name")
    if not 1 <= days <= MAX_DAYS:
        raise InputError(f"must be 1 to {MAX_DAYS} days", place="days")
    check_scope(packs, role, scope)
    if (await transaction.connection.execute(select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.name == name))).first():
        raise InputError("is a person's account; a key needs a name of its own", place="name")
    valid = and_(_KEYS.c.name == name, _KEYS.c.revoked_at.is_(None), _KEYS.c.expires_at > now)
    for other in await transaction.connection.execute(select(_KEYS.c.role, _KEYS.c.scope).where(valid)):
        if (other.role, other.scope) != (role, scope):
            raise InputError("stands for a caller of another role or scope; choose another", place="name")
    secret = _PREFIX + secrets.token_urlsafe(32)
    digest = _digest(secret)
    row = {
        "hash": digest,
        "name": name,
        "role": role,
        "scope": scope,
        "created_at": now,
        "expires_at": now + timedelta(days=days),
        "revoked_at": None,
    }
    await transaction.insert(AccessKey, [row])
    transaction.note(
        "key.created", "system", key=digest[:_ID_LENGTH], name=name, role=role.value, scope=scope, days=days
    )
    return secret


async def revoke_keys(transaction: Transaction, now: datetime, name: str, key: str | None = None) -> int:
    """Revoke every key of a name, or only the one whose id is ``key``; how many. NotFoundError if none was good."""
    mine = [_KEYS.c.name == name, _KEYS.c.revoked_at.is_(None)]
    if key is not None:
        mine.append(_KEYS.c.hash.startswith(key, autoescape=True))
    revoked = await transaction.connection.execute(
        update(_KEYS).where(and_(*mine)).values(revoked_at=now).returning(_KEYS.c.hash)
    )
    hashes = revoked.scalars().all()
    if not hashes:
        raise NotFoundError("no key of that name stands to be revoked; list them first", place="name")
    for digest in hashes:
        transaction.note("key.revoked", "system", key=digest[:_ID_LENGTH], name=name)
    return len(hashes)


async def list_keys(connection: AsyncConnection) -> list[KeyRow]:
    """Every key there ever was, by name, the newest of a name first."""
    rows = await connection.execute(select(_KEYS).order_by(_KEYS.c.name, _KEYS.c.created_at.desc()))
    return [
        KeyRow(row.hash[:_ID_LENGTH], row.name, row.role, row.scope, row.created_at, row.expires_at, row.revoked_at)
        for row in rows
    ]


async def find_caller(connection: AsyncConnection, secret: str, now: datetime) -> Caller:
    """Who holds the key ``secret``; KeyRefusedError if it opens nothing at ``now`` (wire time)."""
    # Looked up by its hash, a guess learns nothing from how long the answer takes.
    found: Row[tuple[object, ...]] | None = None
    if _SECRET.fullmatch(secret):
        found = (await connection.execute(select(_KEYS).where(_KEYS.c.hash == _digest(secret)))).one_or_none()
    if found is None:
        raise KeyRefusedError("is not a key of this installation; ask the administrator for one", "key-unknown")
    if found.revoked_at is not None:
        raise KeyRefusedError("was revoked; ask the administrator for a new key", "key-revoked")
    if found.expires_at <= now:
        raise KeyRefusedError("has expired; ask the administrator for a new key", "key-expired")
    return Caller(found.name, found.role, found.scope)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
