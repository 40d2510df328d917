"""From a pack's file to a `Pack`: every section read, every code checked against the section that defines it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from services.errors import InputError, NotFoundError
from services.policy.pack import Pack
from services.policy.reading import Entry, Problem
from services.policy.sections import read_pack
from services.policy.strict_yaml import parse_yaml, with_lines

SHIPPED: Final = Path(__file__).parent / "packs"
"""The folder of the packs that come with the house, one ``<code>.yaml`` each."""
# The fields that hold days; a day of every year, which some hold in their place, is a text in the file, too.
_DAYS: Final = frozenset({"from", "until", "issued_on"})
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def load_pack(source: str | Path) -> Pack:
    """Return the pack of a shipped name (``zibo-2014-87``) or a file.

    Raises NotFoundError if there is none, and InputError with its first problem if it is not good.
    """
    path = pack_file(source)
    pack, problems = check_pack(path)
    if pack is None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(f"{problems[0]}{more}", place=path.name)
    return pack


def check_pack(source: str | Path) -> tuple[Pack | None, list[Problem]]:
    """Return the pack, or None and everything that is wrong with it, in the order of the file."""
    text = _text(pack_file(source))
    try:
        document = parse_yaml(text)
        content = _plain(document, set())
    except InputError as error:
        return None, [Problem(error.place or "document", error.detail)]
    if not isinstance(content, dict):
        return None, [Problem("document", "must be a mapping")]
    problems: list[Problem] = []
    pack = read_pack(Entry(document, "", problems), problems, content)
    return pack, with_lines(problems, text) if problems else []


def pack_from(content: Mapping[str, Any]) -> Pack:
    """Return the pack that ``content`` says, in the plain values of `Pack.content` (days as ISO strings).

    Raises InputError with its first problem if it is not good.
    """
    problems: list[Problem] = []
    pack = read_pack(Entry(_with_days(content), "", problems), problems, dict(content))
    if pack is None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(f"{problems[0].detail}{more}", place=problems[0].place)
    return pack


def pack_file(source: str | Path) -> Path:
    """Return the file of a pack: a path as it is, a bare name out of the shipped ones."""
    path = Path(source)
    if isinstance(source, str) and path.suffix == "" and path.name == source:
        path = SHIPPED / f"{source}.yaml"
    if not path.is_file():
        raise NotFoundError("no such policy pack: give the name of a shipped one or a file", place=str(source))
    return path


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("is not UTF-8", place=path.name) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=path.name) from None


def _with_days(value: Any, key: str = "") -> Any:
    """The content as a document: what ``_plain`` wrote as texts, as days again."""
    if isinstance(value, Mapping):
        return {name: _with_days(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_days(item) for item in value]
    if key in _DAYS and isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value


def _plain(value: object, met: set[int]) -> Any:
    """The document as JSON values: days as ISO strings, keys as text.

    ``met`` holds the lists and mappings already met: one met again comes of a YAML alias, which could hide a
    loop or grow without bound, and which no reader of a law wants.
    """
    if isinstance(value, dict | list):
        if id(value) in met:
            raise InputError("uses a YAML alias (*name): write the thing out", place="document")
        met.add(id(value))
    if isinstance(value, dict):
        return {str(key): _plain(item, met) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, met) for item in value]
    return value.isoformat() if isinstance(value, date) else value
