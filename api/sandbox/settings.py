"""What a sandbox is told when it starts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from api.sandbox.behaviour import Behaviour
from services.clock import Clock
from services.errors import InputError
from services.exchange.signatures import check_secret


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """One sandbox.

    ``people`` is a file of applications with the column 演示核验; ``data`` a SQLite file, or ``:memory:``.
    ``secrets``: by department, one signing secret or several (the first signs call-backs). ``unknown`` is answered
    about a person who is not in the file. ``delay_seconds`` is how long after the message a later outcome comes.
    ``keep_records`` off writes no messages and effects down; signatures are verified all the same. ``behaviours``
    by department, ``*`` for all others; ``seed`` makes the faults' dice repeatable.
    """

    secrets: Mapping[str, str | Sequence[str]] = field(default_factory=dict, repr=False)
    people: Path | None = None
    data: str = ":memory:"
    unknown: Literal["yes", "no", "later"] = "yes"
    delay_seconds: float = 2.0
    keep_records: bool = True
    behaviours: Mapping[str, Behaviour] = field(default_factory=dict)
    seed: int = 0
    clock: Clock = field(default_factory=Clock)

    def secrets_of(self, department: str) -> tuple[str, ...]:
        """The department's secrets, the current one first; none if it has none."""
        given = self.secrets.get(department, ())
        return (given,) if isinstance(given, str) else tuple(given)


def read_secrets(path: Path) -> dict[str, str | list[str]]:
    """Secrets by department from a JSON file: ``{"hrss": "whsec_…"}``, or a list of them while two overlap."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror}", place=path.name) from None
    except ValueError:
        raise InputError("is not JSON; give an object of department to secret", place=path.name) from None
    if not isinstance(table, dict):
        raise InputError("must be an object of department to secret", place=path.name)
    for department, secrets in table.items():
        for secret in secrets if isinstance(secrets, list) else [secrets]:
            check_secret(secret if isinstance(secret, str) else "", place=f"{path.name}.{department}")
    return table
