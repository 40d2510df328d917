"""The packs that are known, which of them covers a day of receipt (A16), and which version of it holds on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

from services.errors import InputError, NotFoundError
from services.policy.loading import SHIPPED, load_pack
from services.policy.pack import Pack


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a pack, in force from the day ``from_on`` on until the next one is."""

    from_on: date
    pack: Pack


@dataclass(frozen=True, slots=True)
class PackRegistry:
    """``packs``: the newest version of each pack, in the order of their first day, no two in force on the same day.

    ``versions`` has every version of the packs that were amended, by code, the oldest first.
    """

    packs: tuple[Pack, ...]
    versions: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)

    @classmethod
    def load(cls, *directories: Path) -> PackRegistry:
        """Return the packs of every ``*.yaml`` in the directories.

        Raises InputError if one is not good, if two bear the same code or if two cover the same day.
        """
        for directory in directories:
            if not directory.is_dir():
                raise InputError("is no folder; name the folder that the packs stand in", place=str(directory))
        files = [file for directory in directories for file in sorted(directory.glob("*.yaml"))]
        return cls(_in_order([load_pack(file) for file in files]))

    def with_version(self, pack: Pack, from_on: date) -> PackRegistry:
        """Return the registry with ``pack`` as the newest version of its code, in force from ``from_on`` on; or as a
        new pack. Raises InputError if it covers days of another pack.
        """
        history = self.history(pack.code)
        others = [each for each in self.packs if each.code != pack.code]
        newest = replace(pack, version=len(history) + 1)
        packs = _in_order([*others, newest])
        versions = {pack.code: (*history, Version(from_on, newest))} if history else {}
        return PackRegistry(packs, {**self.versions, **versions})

    def covering(self, day: date) -> Pack | None:
        """Return the pack under which an application received on ``day`` falls, in the version in force on that day;
        None where there is none (A16).
        """
        pack = next((pack for pack in self.packs if pack.covers(day)), None)
        return self.on(pack.code, day) if pack is not None else None

    def named(self, name: str) -> Pack:
        """Return the pack of that name (``zibo-2014-87``, ``zibo-2014-87@2``); raise NotFoundError if it is not known.

        A code alone is the name of the first version.
        """
        for version in self.history(name.partition("@")[0]):
            if version.pack.name == name:
                return version.pack
        raise NotFoundError("no such policy pack", place=name)

    def on(self, code: str, day: date) -> Pack:
        """Return the version of the pack ``code`` that is in force on ``day``; before the first, that one."""
        history = self.history(code)
        if not history:
            raise NotFoundError("no such policy pack", place=code)
        return next((version.pack for version in reversed(history) if version.from_on <= day), history[0].pack)

    def coming(self, code: str, day: date) -> tuple[Version, ...]:
        """Return the versions of the pack ``code`` that come into force after ``day``, in order."""
        return tuple(version for version in self.versions.get(code, ()) if version.from_on > day)

    def history(self, code: str) -> tuple[Version, ...]:
        """Return every version of the pack ``code``, the oldest first; none if it is not known."""
        if code in self.versions:
            return self.versions[code]
        return tuple(Version(pack.first_day, pack) for pack in self.packs if pack.code == code)


def _in_order(packs: list[Pack]) -> tuple[Pack, ...]:
    ordered = sorted(packs, key=lambda pack: pack.first_day)
    for earlier, later in pairwise(ordered):
        if later.first_day <= earlier.last_day:
            raise InputError(f"covers days of {earlier.code} too: end the one before", place=later.code)
    if len({pack.code for pack in ordered}) < len(ordered):
        raise InputError("two packs bear the same code", place="policy packs")
    return tuple(ordered)


@cache
def default_registry() -> PackRegistry:
    """Return the packs that come with the house, read once a process."""
    return PackRegistry.load(SHIPPED)
