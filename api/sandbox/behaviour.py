"""How a sandbox department misbehaves: each fault with the share of requests, 0 to 1, that it strikes."""

from __future__ import annotations

import random
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from services.errors import InputError, NotFoundError
from services.exchange.reasons import reason


def _known_reason(code: str) -> str:
    try:
        return reason(code).code
    except NotFoundError as problem:
        raise ValueError(problem.detail) from None


class Fault(BaseModel):
    """A fault that strikes ``share`` of the requests."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = Field(default=1.0, ge=0, le=1)


class Slow(Fault):
    """The answer takes longer."""

    milliseconds: int = Field(default=500, ge=0, le=600_000)


class Failing(Fault):
    """An error status instead of work; 3xx sends a ``Location`` that must not be followed."""

    status: int = Field(default=500, ge=300, le=599)


class Busy(Fault):
    """429 with ``Retry-After`` in seconds."""

    retry_after: int = Field(default=2, ge=0, le=86_400)


class Declining(Fault):
    """Everything asked is declined with this reason code."""

    reason: Annotated[str, AfterValidator(_known_reason)] = "other"


class Late(Fault):
    """The outcome comes by call-back after so many seconds; None: the sandbox's own delay."""

    seconds: float | None = Field(default=None, ge=0, le=86_400)


class Behaviour(BaseModel):
    """What one department does wrong; nothing, if nothing is set.

    ``reset`` drops the connection and ``malformed`` spoils the body after the work is done and kept, which is when
    a sender is most tempted to do it twice. ``wrong_signature`` signs call-backs with a key that is not the
    department's. ``forget`` answers 202, does nothing and never calls back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slow: Slow | None = None
    error: Failing | None = None
    busy: Busy | None = None
    reset: Fault | None = None
    malformed: Fault | None = None
    wrong_signature: Fault | None = None
    decline: Declining | None = None
    forget: Fault | None = None
    later: Late | None = None


_VALUES = {
    "slow": "milliseconds",
    "error": "status",
    "busy": "retry_after",
    "decline": "reason",
    "later": "seconds",
}


def read_behaviours(texts: list[str]) -> dict[str, Behaviour]:
    """Behaviours by department from ``DEPARTMENT:FAULT[=VALUE][@SHARE]``; the department ``*`` is every other one.

    Several texts about one department add up: ``hrss:slow=500@0.3 hrss:reset@0.1``.
    """
    faults: dict[str, dict[str, dict[str, str]]] = {}
    for text in texts:
        department, colon, rest = text.partition(":")
        rest, _, share = rest.partition("@")
        fault, _, value = rest.partition("=")
        if not (department and colon) or fault not in Behaviour.model_fields or (value and fault not in _VALUES):
            known = ", ".join(f"{name}=…" if name in _VALUES else name for name in Behaviour.model_fields)
            raise InputError(
                f"cannot be read; write DEPARTMENT:FAULT[=VALUE][@SHARE], FAULT one of {known}", place=text
            )
        parts = faults.setdefault(department, {}).setdefault(fault, {})
        if value:
            parts[_VALUES[fault]] = value
        if share:
            parts["share"] = share
    try:
        return {department: Behaviour.model_validate(parts) for department, parts in faults.items()}
    except ValidationError as problem:
        first = problem.errors()[0]
        raise InputError(first["msg"], place=".".join(str(part) for part in first["loc"])) from None


class Dice:
    """Whether a fault strikes. What a step is told stays the same however often it comes; the rest is per request."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - dice for faults, no secrets

    def strikes(self, fault: Fault | None, step: str | None = None) -> bool:
        """Throw for ``fault``: anew for every request, or once and for all for a ``step``."""
        if fault is None:
            return False
        if fault.share >= 1:
            return True
        if step is None:
            return self._random.random() < fault.share
        once = random.Random(f"{self._seed} {type(fault).__name__} {step}")  # noqa: S311 - as above
        return once.random() < fault.share
