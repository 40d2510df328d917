"""Values that change on certain days: who owns a service, what a department is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Dated(Generic[Value]):
    """A value that changes on certain days (an owner, a name): ``lines`` of (first day, value), in order."""

    lines: tuple[tuple[date, Value], ...]

    def on(self, day: date) -> Value:
        """Return the value that holds on ``day``; before the first line, the first one's."""
        found = self.lines[0][1]
        for first_day, value in self.lines[1:]:
            if first_day > day:
                break
            found = value
        return found
