"""What people do to their own account: change the password."""

from __future__ import annotations

from sqlalchemy import select, update

from models import Account
from services.access.accounts import subject_of
from services.access.callers import Caller
from services.access.passwords import check_password, hash_password, is_password
from services.access.sessions import end_sessions
from services.database import Database, table
from services.errors import AccessError, ConflictError, InputError

_ACCOUNTS = table(Account)


async def change_password(database: Database, caller: Caller, old: str, new: str, *, keep: str | None = None) -> None:
    """The caller's own password, given the old one. Every session but ``keep`` (a hash) is ended.

    AccessError for a wrong old one, InputError for a new one that may not be.
    """
    async with database.read() as connection:
        row = (await connection.execute(select(_ACCOUNTS).where(_ACCOUNTS.c.id == caller.account))).one()
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
