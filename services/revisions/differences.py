"""What differs between two versions of a pack, place by place, as people can read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.policy.pack import Pack

# By which field the entries of a list are told apart: the first that all of them have, and no two the same.
_KEYS = ("from", "code", "id", "name", "number", "years", "clause")
_MOST = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One place (``parameters[elderly-age].value``) with its value before and after; None: it was not, or is not."""

    place: str
    before: Any
    after: Any


def differences(before: Pack | None, after: Pack) -> tuple[Difference, ...]:
    """What ``after`` changes; of a new pack nothing is told, since everything is new."""
    if before is None:
        return ()
    return tuple(_walk("", before.content, after.content))[:_MOST]


def _walk(place: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**before, **after}:
            yield from _walk(f"{place}.{key}" if place else key, before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and (key := _key(before, after)) is not None:
        was, is_ = _by_key(before, key), _by_key(after, key)
        for name in {**was, **is_}:
            yield from _walk(f"{place}[{name}]", was.get(name), is_.get(name))
    else:
        yield Difference(place, before, after)


def _key(*lists: list[Any]) -> str | None:
    """The field by which the entries of each list can be told apart."""
    return next((key for key in _KEYS if all(_tells_apart(key, entries) for entries in lists)), None)


def _tells_apart(key: str, entries: list[Any]) -> bool:
    names = [entry.get(key) for entry in entries if isinstance(entry, Mapping)]
    return len(names) == len(entries) and None not in names and len(set(map(str, names))) == len(names)


def _by_key(entries: list[Any], key: str) -> dict[str, Any]:
    return {str(entry[key]): entry for entry in entries}
