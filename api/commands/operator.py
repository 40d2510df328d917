"""Who works at the command line: the holder of the key in ``LIANBAN_KEY``, else the user of this machine.

What needs a second person needs to know the first: two who share a user of the machine each give their own key.
"""

from __future__ import annotations

import os
import pwd
import re

from models import Role
from services.access import Caller, find_caller
from services.errors import AccessError
from services.house import House

_NO_NAME = re.compile(r"[^\w.@-]")


async def administrator(house: House) -> Caller:
    """The administrator at the command line; AccessError if the key given is not an administrator's."""
    return await somebody(house, Role.ADMINISTRATOR)


async def somebody(house: House, *roles: Role) -> Caller:
    """Who is at the command line, in one of ``roles``; without a key an administrator. AccessError for others."""
    secret = os.environ.get("LIANBAN_KEY", "").strip()
    if not secret:
        user = pwd.getpwuid(os.getuid()).pw_name
        return Caller(_NO_NAME.sub("_", f"{user}@console")[:60], Role.ADMINISTRATOR)
    async with house.database.read() as connection:
        caller = await find_caller(connection, secret, house.database.clock.now())
    if caller.role not in roles:
        may = ", ".join(sorted(f"{role.value}s" for role in roles))
        raise AccessError(f"this is for {may}; the key is a {caller.role.value}'s", place="LIANBAN_KEY")
    return caller
