"""Accounts of people: made, listed, changed, disabled. Each change that takes something away ends their sessions."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import AccessKey, Account, Role
from services.access.callers import NAME_PATTERN, Caller, check_scope
from services.access.passwords import check_password, hash_password, is_password, new_password
from services.access.sessions import end_sessions
from services.database import Database, Transaction, is_postgresql, table
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.policy.registry import PackRegistry

_ACCOUNTS, _KEYS = table(Account), table(AccessKey)
_NAME = re.compile(NAME_PATTERN)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as a list shows it."""

    id: int
    name: str
    role: Role
    scope: str | None
    created_at: datetime
    disabled_at: datetime | None
    password_is_initial: bool

    @property
    def caller(self) -> Caller:
        """The person as a caller."""
        return Caller(self.name, self.role, self.scope, account=self.id)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account just made; ``password`` is shown once, for one sign-in, and stands nowhere."""

    account: AccountRow
    password: str


async def create_account(
    database: Database,
    packs: PackRegistry,
    actor: str,
    *,
    name: str,
    role: Role,
    scope: str | None = None,
    initial: bool = True,
) -> NewAccount:
    """Make an account with a password of our own; ``initial``: for the first sign-in only, as it should be.

    InputError for a name or a scope that cannot be, ConflictError for a name that somebody has or had.
    """
    name = plain_name(name)
    if not is_name(name):
        raise InputError("must be 1 to 60 letters, digits or . _ @ -", place="name")
    check_scope(packs, role, scope)
    password = new_password()
    kept = await hash_password(password)
    async with database.write(actor) as transaction:
        if await _is_taken(transaction.connection, name):
            raise ConflictError("somebody has that name, or had it; choose another", place="name")
        row = {
            "name": name,
            "role": role,
            "scope": scope,
            "password": kept,
            "password_is_initial": initial,
            "created_at": database.clock.now(),
            "disabled_at": None,
        }
        made = (await transaction.connection.execute(_ACCOUNTS.insert().values(row).returning(_ACCOUNTS))).one()
        transaction.note("account.created", subject_of(made.id), name=name, role=role.value, scope=scope)
    return NewAccount(_shown(made), password)


async def list_accounts(connection: AsyncConnection) -> list[AccountRow]:
    """Every account there ever was, by name."""
    return [_shown(row) for row in await connection.execute(select(_ACCOUNTS).order_by(_ACCOUNTS.c.name))]


async def read_account(connection: AsyncConnection, name: str) -> AccountRow:
    """The account ``name``; NotFoundError if there is none."""
    return _shown(await _find(connection, name))


async def has_administrator(connection: AsyncConnection) -> bool:
    """Whether anybody can sign in as an administrator of the whole city."""
    one = select(_ACCOUNTS.c.id).where(
        _ACCOUNTS.c.role == Role.ADMINISTRATOR, _ACCOUNTS.c.scope.is_(None), _ACCOUNTS.c.disabled_at.is_(None)
    )
    return bool((await connection.execute(select(exists(one)))).scalar_one())


async def disable_account(transaction: Transaction, now: datetime, name: str) -> int:
    """Shut the account and end its sessions; how many there were. ConflictError if it is shut already, or if nobody
    could administer the city any more."""
    row = await _find(transaction.connection, name, lock=is_postgresql(transaction.connection))
    if row.disabled_at is not None:
        raise ConflictError("is disabled already", place="name")
    await _set(transaction, row.id, disabled_at=now)
    await _keep_an_administrator(transaction.connection, row)
    transaction.note("account.disabled", subject_of(row.id))
    return await end_sessions(transaction, now, row.id, "disabled")


async def enable_account(transaction: Transaction, name: str) -> None:
    """Open a shut account again; ConflictError if it is open."""
    row = await _find(transaction.connection, name, lock=is_postgresql(transaction.connection))
    if row.disabled_at is None:
        raise ConflictError("is not disabled", place="name")
    await _set(transaction, row.id, disabled_at=None)
    transaction.note("account.enabled", subject_of(row.id))


async def change_role(
    transaction: Transaction, packs: PackRegistry, now: datetime, name: str, role: Role, scope: str | None
) -> int:
    """Give the account another role or scope and end its sessions; how many there were."""
    check_scope(packs, role, scope)
    row = await _find(transaction.connection, name, lock=is_postgresql(transaction.connection))
    await _set(transaction, row.id, role=role, scope=scope)
    await _keep_an_administrator(transaction.connection, row)
    before = {"was": row.role.value, "was_scope": row.scope}
    transaction.note("account.role_changed", subject_of(row.id), role=role.value, scope=scope, **before)
    return await end_sessions(transaction, now, row.id, "role_changed")


async def reset_password(database: Database, actor: str, name: str) -> str:
    """A new password for one sign-in, in the place of one that was forgotten; every session is ended."""
    password = new_password()
    kept = await hash_password(password)
    async with database.write(actor) as transaction:
        row = await _find(transaction.connection, name, lock=is_postgresql(transaction.connection))
        await _set(transaction, row.id, password=kept, password_is_initial=True)
        transaction.note("account.password_reset", subject_of(row.id))
        await end_sessions(transaction, database.clock.now(), row.id, "password_reset")
    return password


async def change_password(database: Database, caller: Caller, old: str, new: str, *, keep: str | None = None) -> None:
    """The caller's own password, given the old one. Every session but ``keep`` (a hash) is ended.

    AccessError for a wrong old one, InputError for a new one that may not be.
    """
    async with database.read() as connection:
        row = await _find(connection, caller.name)
    if not await is_password(old, row.password):
        raise AccessError("is not your present password", place="old")
    check_password(new, caller.name)
    if new == old:
        raise InputError("must be another than the one you have", place="password")
    kept = await hash_password(new)
    async with database.write(caller.actor) as transaction:
        # Only if it still is what was checked: of two changes at once, one holds.
        mine = (_ACCOUNTS.c.id == row.id) & (_ACCOUNTS.c.password == row.password)
        changed = await transaction.connection.execute(
            update(_ACCOUNTS).where(mine).values(password=kept, password_is_initial=False)
        )
        if changed.rowcount != 1:
            raise ConflictError("was changed this moment; sign in again", place="password")
        transaction.note("account.password_changed", subject_of(row.id))
        await end_sessions(transaction, database.clock.now(), row.id, "password_changed", keep=keep)


def plain_name(name: str) -> str:
    """A name as it is kept and compared: what people type alike is the same name."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def is_name(name: str) -> bool:
    """Whether a name may be an account's."""
    return _NAME.fullmatch(name) is not None


def subject_of(account: int) -> str:
    """How the audit log names an account."""
    return f"account:{account}"


async def _is_taken(connection: AsyncConnection, name: str) -> bool:
    account = select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.name == name)
    key = select(_KEYS.c.hash).where(_KEYS.c.name == name)
    return bool((await connection.execute(select(exists(account) | exists(key)))).scalar_one())


async def _find(connection: AsyncConnection, name: str, *, lock: bool = False) -> Row[Any]:
    query = select(_ACCOUNTS).where(_ACCOUNTS.c.name == plain_name(name))
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFoundError("there is no account of that name; list them first", place="name")
    return row


async def _set(transaction: Transaction, account: int, **values: Any) -> None:
    await transaction.connection.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.id == account).values(values))


async def _keep_an_administrator(connection: AsyncConnection, before: Row[Any]) -> None:
    """Refuse what took the last administrator of the whole city away."""
    was_one = before.role is Role.ADMINISTRATOR and before.scope is None and before.disabled_at is None
    if was_one and not await has_administrator(connection):
        raise ConflictError("is the last administrator of the whole city; make another one first", place="name")


def _shown(row: Row[Any]) -> AccountRow:
    return AccountRow(
        row.id, row.name, row.role, row.scope, row.created_at, row.disabled_at, bool(row.password_is_initial)
    )
