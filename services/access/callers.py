"""Callers and their sight: who is at the door, in which role, and which cases that role sees from there."""

from __future__ import annotations

from dataclasses import dataclass

from models import Role
from services.errors import AccessError, InputError, NotFoundError
from services.policy.registry import PackRegistry

# With the role before it, a name must fit the audit log's actor.
NAME_PATTERN = r"[\w.@-]{1,60}"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader sees: the cases of one district, or of one police station in it; the cases and steps of one
    department; or the whole city. ``station`` stands beside its district, never alone.
    """

    district: str | None = None
    department: str | None = None
    station: str | None = None


WHOLE_CITY = Sight()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: name and role; ``scope`` is a department for an officer, else a district or None (the whole city);
    ``station`` a clerk's police station.

    ``account``: the number of the account that signed in or that owns the key; None for a key without an owner and for
    the command line. ``in_person``: nobody but that person can have had the session or the key in hand. ``operations``:
    the routes that a key is for; None for all that its role may use.
    """

    name: str
    role: Role
    scope: str | None = None
    station: str | None = None
    account: int | None = None
    in_person: bool = False
    operations: frozenset[str] | None = None

    @property
    def actor(self) -> str:
        """How the audit log names the caller: ``clerk:zhangdian-1``."""
        return f"{self.role.value}:{self.name}"

    @property
    def sight(self) -> Sight:
        """What the caller sees."""
        if self.role is Role.OFFICER:
            return Sight(department=self.scope)
        return Sight(district=self.scope, station=self.station)


def check_scope(packs: PackRegistry, role: Role, scope: str | None, station: str | None = None) -> None:
    """InputError unless ``scope`` is what a caller of that role is bound to: a department, or a district or nothing;
    and ``station`` that of a clerk within a district."""
    if role is Role.OFFICER:
        if not any(scope in pack.departments for pack in packs.packs):
            raise InputError("an officer works for one department; give its code", place="scope")
    elif scope is not None and not any(scope in pack.districts for pack in packs.packs):
        raise InputError("is not the code of a district; leave it out for the whole city", place="scope")
    if station is None:
        return
    if role is not Role.CLERK or scope is None:
        raise InputError("only clerks work at a station, and it lies in a district; give its code", place="station")
    if not 1 <= len(station) <= 80 or not station.isprintable() or station != station.strip():
        raise InputError("must be the station's name as it stands in applications", place="station")


def within(caller: Caller, role: Role, scope: str | None) -> bool:
    """Whether an administrator may look after accounts and keys of ``role`` and ``scope``: one of the whole city after
    all, one of a district after those of the district."""
    return caller.scope is None or (role is not Role.OFFICER and scope == caller.scope)


def own_place(caller: Caller, district: str, station: str) -> None:
    """AccessError unless ``caller`` may hand in an application of that district and station."""
    if caller.sight.district not in (None, district):
        raise AccessError("you work for another district; hand the application in there", place="district")
    if caller.sight.station not in (None, station):
        raise AccessError("you work for another station; hand the application in there", place="station")


def own_department(caller: Caller, department: str) -> None:
    """NotFoundError if ``caller`` is an officer of another department than ``department``: it is out of sight."""
    if caller.role is Role.OFFICER and caller.scope != department:
        raise NotFoundError("no such department is connected", place="department")


def for_department(caller: Caller, department: str) -> None:
    """May ``caller`` act for ``department``, whose endpoint and messages serve the whole city? Its own officer, and the
    whole city's staff. NotFoundError for another department's officer, AccessError for a district's staff.
    """
    own_department(caller, department)
    if caller.role is not Role.OFFICER:
        whole_city(caller)


def whole_city(caller: Caller) -> None:
    """AccessError unless ``caller`` sees the whole city: for what reaches over districts and has no parts to show."""
    if caller.sight != WHOLE_CITY:
        raise AccessError("this is for the whole city's staff; you see a part of it", place="authorization")
