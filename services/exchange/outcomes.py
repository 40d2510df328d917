"""What a department answers (办理结果), at once in the body or later by call-back, read strictly.

Whoever signed the answer may still have it wrong, so every part is bounded and every error names its path. Whether
a step stands here, and is that department's, is the caller's to check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal, NoReturn, cast

import orjson

from services.errors import InputError
from services.exchange.masking import NOTE, mask
from services.exchange.reasons import REASONS, Concern

ServiceState = Literal["in_force", "ended", "declined"]

MAX_OUTCOMES = 1000
MAX_PARTS = 200
MAX_KEY = 80
MAX_AUTHORITY = 200
_STATES = ("in_force", "ended", "declined")
_OUTCOME_NAMES = frozenset({"step", "facts", "authority", "services", "declined", "received"})
_SPACED = re.compile(rb'"\s+:')


@dataclass(frozen=True, slots=True)
class Declined:
    """The department cannot say, or will not do it: a code of ``reasons.REASONS`` and its own words."""

    reason: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    """One service as the department now holds it. ``from_on`` only in force, ``reason`` only declined."""

    state: ServiceState
    from_on: date | None = None
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a department says about one step. Facts and services may come in parts, over several answers."""

    step: str
    facts: Mapping[str, bool] = field(default_factory=dict)
    authority: str | None = None
    services: Mapping[str, ServiceOutcome] = field(default_factory=dict)
    declined: Declined | None = None
    received: bool = False


def parse_outcomes(body: bytes) -> tuple[Outcome, ...]:
    """The outcomes of a call-back; InputError with the path of what is wrong."""
    answer = _object(_load(body), "body", {"outcomes"})
    if "outcomes" not in answer:
        _fail("body.outcomes", "is missing; give a list with one object a step")
    return _outcomes(answer["outcomes"])


def parse_answer(body: bytes) -> tuple[Outcome, ...]:
    """The outcomes in the body of a 2xx answer. A body that is empty or bears none is a mere receipt: ``()``."""
    if not body.strip():
        return ()
    answer = _load(body)
    if isinstance(answer, dict) and "outcomes" not in answer:
        return ()
    return _outcomes(_object(answer, "body", {"outcomes"})["outcomes"])


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome as a department would have written it."""
    written: dict[str, Any] = {"step": outcome.step}
    if outcome.facts:
        written["facts"] = dict(outcome.facts)
    if outcome.authority is not None:
        written["authority"] = outcome.authority
    if outcome.services:
        written["services"] = {
            service: _present(
                {
                    "state": its.state,
                    "from": its.from_on.isoformat() if its.from_on else None,
                    "reason": its.reason,
                    "note": its.note,
                }
            )
            for service, its in outcome.services.items()
        }
    if outcome.declined is not None:
        written["declined"] = _present({"reason": outcome.declined.reason, "note": outcome.declined.note})
    if outcome.received:
        written["received"] = True
    return written


def _present(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value is not None}


def _fail(place: str, detail: str) -> NoReturn:
    raise InputError(detail, place=place)


def _load(body: bytes) -> Any:
    """The JSON in ``body``, with no name given twice in an object.

    The quick reader keeps the last of two like names. Each pair of a text without blanks before its colons has one
    ``":``: if there are no more of them than names were read, no name was lost. All else is read by the strict one,
    which takes ten times as long and knows what is wrong.
    """
    if _SPACED.search(body) is None:
        try:
            read = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _load_strictly(body)
        if body.count(b'":') == _names(read):
            return read
    return _load_strictly(body)


def _names(value: Any) -> int:
    """How many names stand in the objects of ``value``."""
    count, rest = 0, [value]
    while rest:
        one = rest.pop()
        kind = type(one)
        if kind is dict:
            count += len(one)
            rest.extend(one.values())
        elif kind is list:
            rest.extend(one)
    return count


def _load_strictly(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        _fail("body", "is not UTF-8")
    except (ValueError, RecursionError):
        _fail("body", "is not JSON; answer with a JSON object or with nothing at all")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # A name given twice with two answers must not be settled by which one the parser keeps.
    parts = dict(pairs)
    if len(parts) != len(pairs):
        _fail("body", "gives one name twice in the same object")
    return parts


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _object(value: Any, place: str, names: Collection[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        _fail(place, "must be an object")
    for name in value:
        if name not in names:
            _fail(place, f"has a name that is not known: {_shown(name)}; known are {', '.join(sorted(names))}")
    return value


def _shown(name: str) -> str:
    return mask(name[:40]).encode("ascii", "backslashreplace").decode()


def _text(value: Any, place: str, limit: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        _fail(place, "must be text")
    if len(value) > limit:
        _fail(place, f"is longer than {limit} characters")
    return mask(" ".join(value.split())) or None


def _table(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _fail(place, "must be an object")
    if len(value) > MAX_PARTS:
        _fail(place, f"has more than {MAX_PARTS} entries")
    for name in value:
        _key(name, place)
    return value


def _key(value: Any, place: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_KEY or not (value.isascii() and value.isprintable()):
        _fail(place, f"must be a key of 1 to {MAX_KEY} ASCII characters")
    return value


def _outcomes(value: Any) -> tuple[Outcome, ...]:
    if not isinstance(value, list):
        _fail("outcomes", "must be a list")
    if len(value) > MAX_OUTCOMES:
        _fail("outcomes", f"has more than {MAX_OUTCOMES} entries; send several answers")
    outcomes = tuple(_outcome(entry, f"outcomes[{number}]") for number, entry in enumerate(value))
    if len({outcome.step for outcome in outcomes}) != len(outcomes):
        _fail("outcomes", "names one step twice; put all that is said of a step into one entry")
    return outcomes


def _outcome(value: Any, place: str) -> Outcome:
    entry = _object(value, place, _OUTCOME_NAMES)
    if "step" not in entry:
        _fail(f"{place}.step", "is missing; give the id of the message that is answered")
    facts = _table(entry["facts"], f"{place}.facts") if "facts" in entry else {}
    for name, held in facts.items():
        if not isinstance(held, bool):
            _fail(f"{place}.facts.{name}", "must be true or false; leave out what cannot be said")
    services = {
        service: _plain(its) or _service(its, f"{place}.services.{service}")
        for service, its in (_table(entry["services"], f"{place}.services") if "services" in entry else {}).items()
    }
    received = entry.get("received", False)
    if not isinstance(received, bool):
        _fail(f"{place}.received", "must be true or false")
    declined = entry.get("declined")
    outcome = Outcome(
        _key(entry["step"], f"{place}.step"),
        facts,
        _text(entry["authority"], f"{place}.authority", MAX_AUTHORITY) if "authority" in entry else None,
        services,
        None if declined is None else _declined(declined, f"{place}.declined"),
        received,
    )
    if not (facts or services or received or outcome.declined):
        _fail(place, "says nothing; give facts, services, declined or received")
    return outcome


def _declined(value: Any, place: str) -> Declined:
    entry = _object(value, place, {"reason", "note"})
    return Declined(_reason(entry, place, None), _text(entry.get("note"), f"{place}.note", NOTE))


# What most services are answered with; an outcome never changes, so one serves all.
_PLAIN: Mapping[Any, ServiceOutcome] = {"in_force": ServiceOutcome("in_force"), "ended": ServiceOutcome("ended")}


def _plain(value: Any) -> ServiceOutcome | None:
    """The outcome, where it is one of the two that are read thousands of times; all else is for ``_service``."""
    if not isinstance(value, dict) or not isinstance(state := value.get("state"), str):
        return None
    if len(value) == 1:
        return _PLAIN.get(state)
    first_day = value.get("from")
    if len(value) == 2 and state == "in_force" and isinstance(first_day, str):
        return _in_force_from(first_day)
    return None


@lru_cache(maxsize=1024)
def _in_force_from(first_day: str) -> ServiceOutcome | None:
    try:
        return ServiceOutcome("in_force", _day(first_day, "from"))
    except InputError:
        return None


def _service(value: Any, place: str) -> ServiceOutcome:
    entry = _object(value, place, {"state", "from", "reason", "note"})
    state = entry.get("state")
    if state not in _STATES:
        _fail(f"{place}.state", f"must be one of {', '.join(_STATES)}")
    if "from" in entry and state != "in_force":
        _fail(f"{place}.from", "goes with in_force only")
    if "reason" in entry and state != "declined":
        _fail(f"{place}.reason", "goes with declined only")
    return ServiceOutcome(
        cast("ServiceState", state),
        _day(entry["from"], f"{place}.from") if "from" in entry else None,
        _reason(entry, place, "services") if state == "declined" else None,
        _text(entry.get("note"), f"{place}.note", NOTE),
    )


def _reason(entry: Mapping[str, Any], place: str, concern: Concern | None) -> str:
    code = entry.get("reason")
    fitting = [known for known, its in REASONS.items() if concern is None or concern in its.concerns]
    if code not in fitting:
        _fail(f"{place}.reason", f"must be one of {', '.join(fitting)}")
    return cast("str", code)


def _day(value: Any, place: str) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        day = None
    if day is None or day.isoformat() != value:
        _fail(place, "must be a day as 2014-11-03")
    return day
