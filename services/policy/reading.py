"""Reading a pack's YAML strictly: every field by its type, every problem noted at its place, none hidden.

A problem does not stop the reading: it is noted, a neutral value stands in, and at the end the file is
refused with all of them. Places are paths such as ``services[12].owner[0].code``.
"""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import date
from typing import Any, Final, NamedTuple

from services.policy.dated import Dated
from services.policy.text import Text

_MONTH_DAY: Final = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_LEAP_YEAR: Final = 2000


class Problem(NamedTuple):
    """What is wrong in a pack, and where: the path in the document and, where known, the line of the file."""

    place: str
    detail: str
    line: int | None = None

    def __str__(self) -> str:
        """Return it on one line."""
        line = f" (line {self.line})" if self.line is not None else ""
        return f"{self.place}{line}: {self.detail}"


class Entry:
    """One mapping of the document, read field by field. ``done`` notes the fields that nobody asked for."""

    def __init__(self, value: object, place: str, problems: list[Problem]) -> None:
        self.place = place
        self._problems = problems
        self._asked: set[str] = set()
        self._fields: dict[Any, object] = {}
        if isinstance(value, dict):
            self._fields = value
        else:
            self.note("", "must be a mapping")
            self._asked.add("*")  # nothing more to say about its fields

    def note(self, key: str, detail: str) -> None:
        """Note a problem with the field ``key``, or with the whole entry if it is empty."""
        place = f"{self.place}.{key}" if self.place and key else self.place or key
        self._problems.append(Problem(place or "document", detail))

    def has(self, key: str) -> bool:
        """Return whether the field is there; asking counts as knowing it."""
        self._asked.add(key)
        return key in self._fields

    def text(self, key: str) -> str:
        """Return a text that is not empty."""
        value = self._get(key)
        if value is not None and not (isinstance(value, str) and value.strip()):
            self.note(key, "must be a text that is not empty (put quotes around a number)")
        return value if isinstance(value, str) else ""

    def one_of(self, key: str, allowed: Container[str], what: str) -> Any:
        """Return a text out of ``allowed``; ``what`` says what it should have been."""
        value = self.text(key)
        if value and value not in allowed:
            self.note(key, f"{value!r} is no {what}")
        return value

    def number(self, key: str, *, least: int = 0, most: int = 1000) -> int:
        """Return a whole number within the bounds."""
        value = self._get(key)
        if type(value) is int and least <= value <= most:
            return value
        if value is not None:
            self.note(key, f"must be a whole number from {least} to {most}")
        return least

    def number_of(self, key: str, allowed: Container[int], what: str) -> int:
        """Return a whole number out of ``allowed``; ``what`` says what it should have been."""
        value = self._get(key)
        if type(value) is int and value in allowed:
            return value
        if value is not None:
            self.note(key, f"{value!r} is no {what}")
        return 0

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """Return true or false; a field with a default may be left out."""
        if default is not None and not self.has(key):
            return default
        value = self._get(key)
        if value is not None and not isinstance(value, bool):
            self.note(key, "must be true or false")
        return value is True

    def day(self, key: str) -> date:
        """Return a day."""
        value = self._get(key)
        if type(value) is date:
            return value
        if value is not None:
            self.note(key, "must be a day written YYYY-MM-DD")
        return date.min

    def month_day(self, key: str) -> tuple[int, int]:
        """Return a day of every year, written 'MM-DD' in quotes, as (month, day); 29 February is none."""
        value = self._get(key)
        if isinstance(value, str) and _MONTH_DAY.fullmatch(value) and value != "02-29":
            month, day = int(value[:2]), int(value[3:])
            try:
                return date(_LEAP_YEAR, month, day).month, day
            except ValueError:
                pass
        if value is not None:
            self.note(key, "must be a day of every year written 'MM-DD' in quotes")
        return (1, 1)

    def words(self, key: str) -> Text:
        """Return the words of a field with ``zh`` and ``en``."""
        entry = self.entry(key)
        words = entry.own_words()
        entry.done()
        return words

    def own_words(self) -> Text:
        """Return the words of an entry that has ``zh`` and ``en`` itself."""
        return Text(self.text("zh"), self.text("en"))

    def entry(self, key: str) -> Entry:
        """Return the mapping in a field."""
        value = self._get(key)
        return Entry({} if value is None else value, self._join(key), self._problems if value is not None else [])

    def entries(self, key: str, *, least: int = 1) -> list[Entry]:
        """Return the mappings of a list of at least so many."""
        return [Entry(item, place, self._problems) for place, item in self._items(key, least)]

    def names(self, key: str, allowed: Container[str], what: str, *, least: int = 0) -> tuple[str, ...]:
        """Return a list of names, each out of ``allowed`` and none twice; a list with ``least`` 0 may be left out."""
        if least == 0 and not self.has(key):
            return ()
        found: list[str] = []
        for place, item in self._items(key, least):
            if not isinstance(item, str) or item not in allowed:
                self._problems.append(Problem(place, f"{item!r} is no {what}"))
            elif item in found:
                self._problems.append(Problem(place, f"{item!r} is given more than once"))
            else:
                found.append(item)
        return tuple(found)

    def numbers(self, key: str, allowed: Container[int], what: str) -> tuple[int, ...]:
        """Return a list of whole numbers, each out of ``allowed``."""
        found: list[int] = []
        for place, item in self._items(key, 1):
            if type(item) is int and item in allowed:
                found.append(item)
            else:
                self._problems.append(Problem(place, f"{item!r} is no {what}"))
        return tuple(found)

    def owners(self, key: str, departments: Container[str], since: date) -> Dated[str]:
        """Return a dated list of departments, the first line of which holds from ``since`` at the latest."""
        lines = [(entry, entry.one_of("code", departments, "department")) for entry in self.entries(key)]
        return self._dated(key, lines, since)

    def dated_names(self, key: str, since: date) -> Dated[Text]:
        """Return a dated list of names, the first line of which holds from ``since`` at the latest."""
        return self._dated(key, [(entry, entry.own_words()) for entry in self.entries(key)], since)

    def done(self) -> None:
        """Note every field that the format does not know."""
        if "*" in self._asked:
            return
        for key in self._fields:
            if key not in self._asked:
                self.note(str(key), "is not a field of the format")

    def _dated(self, key: str, lines: list[tuple[Entry, Any]], since: date) -> Dated[Any]:
        dated = [(entry.day("from"), value) for entry, value in lines]
        for entry, _ in lines:
            entry.done()
        days = [day for day, _ in dated]
        if days != sorted(set(days)):
            self.note(key, "must stand in the order of their days, no day twice")
        if days and days[0] > since:
            self.note(key, f"leaves the days before {days[0]} without one: start by {since}")
        return Dated(tuple(dated) or ((date.min, None),))

    def _get(self, key: str) -> object:
        self._asked.add(key)
        value = self._fields.get(key)
        if value is None and "*" not in self._asked:
            self.note(key, "is missing")
        return value

    def _items(self, key: str, least: int) -> list[tuple[str, object]]:
        value = self._get(key)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) < least:
            self.note(key, f"must be a list of at least {least}" if least else "must be a list")
            return []
        return [(f"{self._join(key)}[{place}]", item) for place, item in enumerate(value)]

    def _join(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key
