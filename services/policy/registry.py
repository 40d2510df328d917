"""The packs that are known, and which of them covers a day of receipt (A16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

from services.errors import InputError, NotFoundError
from services.policy.loading import SHIPPED, load_pack
from services.policy.pack import Pack


@dataclass(frozen=True, slots=True)
class PackRegistry:
    """Packs in the order of their first day, no two of them in force on the same day."""

    packs: tuple[Pack, ...]

    @classmethod
    def load(cls, *directories: Path) -> PackRegistry:
        """Return the packs of every ``*.yaml`` in the directories.

        Raises InputError if one is not good, if two bear the same code or if two cover the same day.
        """
        for directory in directories:
            if not directory.is_dir():
                raise InputError("is no folder; name the folder that the packs stand in", place=str(directory))
        files = [file for directory in directories for file in sorted(directory.glob("*.yaml"))]
        packs = sorted((load_pack(file) for file in files), key=lambda pack: pack.first_day)
        for earlier, later in pairwise(packs):
            if later.first_day <= earlier.last_day:
                raise InputError(f"covers days of {earlier.code} too: end the one before", place=later.code)
        if len({pack.code for pack in packs}) < len(packs):
            raise InputError("two packs bear the same code", place="policy packs")
        return cls(tuple(packs))

    def covering(self, day: date) -> Pack | None:
        """Return the pack under which an application received on ``day`` falls; None where there is none (A16)."""
        return next((pack for pack in self.packs if pack.covers(day)), None)

    def named(self, code: str) -> Pack:
        """Return the pack of that code; raise NotFoundError if it is not known."""
        for pack in self.packs:
            if pack.code == code:
                return pack
        raise NotFoundError("no such policy pack", place=code)


@cache
def default_registry() -> PackRegistry:
    """Return the packs that come with the house, read once a process."""
    return PackRegistry.load(SHIPPED)
