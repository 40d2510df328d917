"""The meeting's office: who convenes it, writes down what it settles, and has it carried out. All of it concerns the
whole city, so that staff of a district read and do not write.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from models import Role
from services.access import WHOLE_CITY, Caller
from services.database import Transaction
from services.errors import AccessError
from services.house import House

_OFFICE = (Role.COORDINATOR, Role.ADMINISTRATOR)


def of_the_office(caller: Caller) -> None:
    """AccessError unless ``caller`` works for the meeting's office."""
    if caller.role not in _OFFICE or caller.sight != WHOLE_CITY:
        raise AccessError("this is for the joint meeting's office, which sees the whole city", place="authorization")


def office(house: House, caller: Caller) -> AbstractAsyncContextManager[Transaction]:
    """A change by the office; AccessError to anybody else."""
    of_the_office(caller)
    return house.database.write(caller.actor)
