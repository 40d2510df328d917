"""Posts: the role a person has, and the place for which it is."""

from __future__ import annotations

from dataclasses import dataclass

from models import Role
from services.access.callers import check_scope
from services.errors import InputError
from services.policy.registry import PackRegistry


@dataclass(frozen=True, slots=True)
class Post:
    """Where a person works: the role, the department or district, and a clerk's station."""

    role: Role
    scope: str | None = None
    station: str | None = None

    def check(self, packs: PackRegistry) -> None:
        """InputError if there is no such post. A clerk's is one station."""
        check_scope(packs, self.role, self.scope, self.station)
        if self.role is Role.CLERK and self.station is None:
            raise InputError("a clerk works at one station of a district; name it", place="station")

    def told(self) -> dict[str, str | None]:
        """As an entry of the log says it."""
        return {"role": self.role.value, "scope": self.scope, "station": self.station}
