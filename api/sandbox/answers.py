"""What a sandbox department makes of a message: what it answers at once, what later, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from services.exchange.reasons import REASONS
from services.intake.fixture import Fixture

Action = Literal["open", "withdraw"]
_DECLINE = "decline:"


@dataclass(frozen=True, slots=True)
class Effect:
    """A service opened or withdrawn for one case, on the word of one step."""

    case_number: str
    service: str
    step: str
    action: Action


@dataclass(slots=True)
class Answer:
    """One step's outcome in two parts, either of which may be empty, and the effects it had."""

    step: str
    now: dict[str, Any] = field(default_factory=dict)
    later: dict[str, Any] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)

    def delay(self) -> None:
        """Tell all of it later."""
        for name, value in self.now.items():
            if isinstance(value, dict) and name in self.later:
                self.later[name] |= value
            else:
                self.later[name] = value
        self.now = {}


class UnknownPerson:
    """Stands for the fixture of a person the sandbox does not know: the same answer to every fact."""

    def __init__(self, fact: str) -> None:
        self._fact = fact

    def fact(self, name: str) -> str:
        """Return the one answer."""
        del name
        return self._fact

    def service(self, service_id: str) -> str:
        """Return yes: who is entitled by the message gets the service."""
        del service_id
        return "yes"


# The joint meeting's own word (A8): no system of a department can give it.
_NOBODYS = frozenset({"other_ground_accepted"})


def answer(data: Mapping[str, Any], person: Fixture | UnknownPerson, declining: str | None = None) -> Answer:
    """The department's answer to the ``data`` of one event; KeyError or TypeError if it is no message of ours.

    ``declining`` is a reason code with which everything is declined.
    """
    reply = Answer(data["step"])
    if "facts" in data:
        _facts(reply, data["facts"], person, declining)
    elif "open" in data:
        _services(reply, data, person, declining)
    elif "permit" in data:
        reply.now["received"] = True
    return reply


def _facts(reply: Answer, names: list[str], person: Fixture | UnknownPerson, declining: str | None) -> None:
    for name in names:
        if name in _NOBODYS:
            continue
        told = f"{_DECLINE}{declining}" if declining else person.fact(name)
        if told in ("yes", "no"):
            reply.now.setdefault("facts", {})[name] = told == "yes"
        elif told == "later":
            reply.later.setdefault("facts", {})[name] = True
        elif told.startswith(_DECLINE):
            reply.now["declined"] = {"reason": _reason(told, "facts")}
    for part in (reply.now, reply.later):
        if "facts" in part:
            part["authority"] = "沙盒业务系统 sandbox register"


def _services(reply: Answer, data: Mapping[str, Any], person: Fixture | UnknownPerson, declining: str | None) -> None:
    case = data["case"]
    for item in data["open"]:
        service = item["service"]
        told = f"{_DECLINE}{declining}" if declining else person.service(service)
        if told == "no" or told.startswith(_DECLINE):
            reason = "not-eligible" if told == "no" else _reason(told, "services")
            reply.now.setdefault("services", {})[service] = {"state": "declined", "reason": reason}
        elif told in ("yes", "later"):
            part = reply.now if told == "yes" else reply.later
            part.setdefault("services", {})[service] = {"state": "in_force", "from": item["from"]}
            reply.effects.append(Effect(case, service, reply.step, "open"))
    for item in data["withdraw"]:
        service = item["service"]
        reply.now.setdefault("services", {})[service] = {"state": "ended"}
        reply.effects.append(Effect(case, service, reply.step, "withdraw"))


def _reason(told: str, concern: Literal["facts", "services"]) -> str:
    known = REASONS.get(told.removeprefix(_DECLINE))
    return known.code if known is not None and concern in known.concerns else "other"
