"""People with accounts, made as the command line makes them."""

from __future__ import annotations

from models import Account, Role
from services.access import Caller
from services.access.management import Management
from services.database import table
from services.house import House

CONSOLE = Management(Caller("operator@console", Role.ADMINISTRATOR))


async def person(
    house: House, name: str, role: Role = Role.ADMINISTRATOR, scope: str | None = None, in_hands_of: int | None = None
) -> Caller:
    """A person who signed in; without a password, whose hash would cost more than most tests."""
    async with house.database.write(CONSOLE.caller.actor) as transaction:
        row = {"name": name, "role": role, "scope": scope, "in_hands_of": in_hands_of, "password_is_initial": False}
        made = await transaction.connection.execute(
            table(Account).insert().values(row | {"created_at": transaction.at}).returning(table(Account).c.id)
        )
    return Caller(name, role, scope, None, made.scalar_one(), in_person=True)
