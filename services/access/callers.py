"""Callers and their sight: who is at the door, in which role, and which cases that role sees from there."""

from __future__ import annotations

from dataclasses import dataclass

from models import Role
from services.errors import InputError, NotFoundError
from services.policy.registry import PackRegistry

# With the role before it, a name must fit the audit log's actor.
NAME_PATTERN = r"[\w.@-]{1,60}"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader sees: the cases of one district, the cases and steps of one department, or the whole city."""

    district: str | None = None
    department: str | None = None


WHOLE_CITY = Sight()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: name and role; ``scope`` is a department for an officer, else a district or None (the whole city).

    ``account``: the number of the account that signed in; None for a key.
    """

    name: str
    role: Role
    scope: str | None = None
    account: int | None = None

    @property
    def actor(self) -> str:
        """How the audit log names the caller: ``clerk:zhangdian-1``."""
        return f"{self.role.value}:{self.name}"

    @property
    def sight(self) -> Sight:
        """What the caller sees."""
        return Sight(department=self.scope) if self.role is Role.OFFICER else Sight(district=self.scope)


def check_scope(packs: PackRegistry, role: Role, scope: str | None) -> None:
    """InputError unless ``scope`` is what a caller of that role is bound to: a department, or a district or nothing."""
    if role is Role.OFFICER:
        if not any(scope in pack.departments for pack in packs.packs):
            raise InputError("an officer works for one department; give its code", place="scope")
    elif scope is not None and not any(scope in pack.districts for pack in packs.packs):
        raise InputError("is not the code of a district; leave it out for the whole city", place="scope")


def own_department(caller: Caller, department: str) -> None:
    """NotFoundError if ``caller`` is an officer of another department than ``department``: it is out of sight."""
    if caller.role is Role.OFFICER and caller.scope != department:
        raise NotFoundError("no such department is connected", place="department")
