"""The strict reader of a question: contract section 2 as JSON, nothing more and nothing less.

Every error is one line that names the field by its path (``children[1].born_on``) and what is wrong with it.
No value is ever repeated in an error: most of them are a person's. Problems are met in the order of the
document, keys that are missing after those that are there, and days that contradict each other last.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, NoReturn, TypeAlias

from services.errors import InputError
from services.policy.question import (
    DECLARATIONS,
    FACTS,
    GROUNDS,
    RESIDENCE_DECLARATIONS,
    SEXES,
    TERMS,
    HeldPermit,
    Question,
)

Reader: TypeAlias = Callable[[object, str], Any]

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST_KEY: Final = 40


class _Repeated(dict[str, object]):
    """A JSON object in which ``key`` stands more than once; kept as such until its path is known."""

    key: str


def read_question(data: bytes) -> Question:
    """Read a question from the bytes of a JSON document (UTF-8, a byte order mark allowed).

    Raises InputError, with ``input`` as the place where no field can be named.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 (byte {error.start + 1})", place="input") from None
    if not text.strip():
        raise InputError("is empty: one JSON object is expected", place="input")
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"is not JSON: {error.msg} ({where})", place="input") from None
    except RecursionError:
        raise InputError("is nested too deeply", place="input") from None
    except ValueError:  # an integer of more digits than Python reads
        raise InputError("holds a number that is too long", place="input") from None
    return parse_question(document)


def parse_question(document: object) -> Question:
    """Return the question that a decoded JSON document puts; raise InputError with the path of the first problem."""
    read = _fields(
        document,
        "",
        required={"on": _day, "application": _application, "applicant": _applicant, "residence": _residence},
        optional={"permit": _permit, "children": _children, "declared": _declared, "facts": _facts},
    )
    application, applicant, residence = read["application"], read["applicant"], read["residence"]
    question = Question(
        on=read["on"],
        received_on=application["received_on"],
        term_years=application["term_years"],
        grounds=application.get("grounds", ()),
        born_on=applicant["born_on"],
        sex=applicant["sex"],
        registered_on=residence["registered_on"],
        intends_half_year=residence["intends_half_year"],
        from_outside_county=residence["from_outside_county"],
        permit=read.get("permit"),
        children=read.get("children", ()),
        declared=read.get("declared", frozenset()),
        facts=read.get("facts", {}),
    )
    _check_days(question)
    return question


def _check_days(question: Question) -> None:
    """Refuse what lies after the day of the decision: it cannot be known on that day."""
    days = [
        ("application.received_on", question.received_on),
        ("applicant.born_on", question.born_on),
        ("residence.registered_on", question.registered_on),
        *((f"children[{place}].born_on", born) for place, born in enumerate(question.children)),
    ]
    for place, day in days:
        if day > question.on:
            raise InputError("is after the day of the decision (on)", place=place)


def _application(value: object, path: str) -> dict[str, Any]:
    read = _fields(
        value,
        path,
        required={"received_on": _day, "term_years": _term},
        optional={"grounds": _grounds},
    )
    if read["term_years"] == 3 and not read.get("grounds"):
        raise InputError("needs at least one ground for 3 years", place=f"{path}.grounds")
    return read


def _applicant(value: object, path: str) -> dict[str, Any]:
    return _fields(value, path, required={"born_on": _day, "sex": _sex})


def _residence(value: object, path: str) -> dict[str, Any]:
    declarations: dict[str, Reader] = dict.fromkeys(RESIDENCE_DECLARATIONS, _flag)
    return _fields(value, path, required={"registered_on": _day, **declarations})


def _permit(value: object, path: str) -> HeldPermit | None:
    if value is None:
        return None
    read = _fields(value, path, required={"term_years": _term, "valid_from": _day, "valid_until": _day})
    if read["valid_until"] < read["valid_from"]:
        raise InputError("is before valid_from", place=f"{path}.valid_until")
    return HeldPermit(**read)


def _children(value: object, path: str) -> tuple[date, ...]:
    children = (
        _fields(child, f"{path}[{place}]", required={"born_on": _day}) for place, child in enumerate(_list(value, path))
    )
    return tuple(child["born_on"] for child in children)


def _declared(value: object, path: str) -> frozenset[str]:
    read = _fields(value, path, optional=dict.fromkeys(DECLARATIONS, _flag))
    return frozenset(name for name, declared in read.items() if declared)


def _facts(value: object, path: str) -> dict[str, bool]:
    return _fields(value, path, optional=dict.fromkeys(FACTS, _flag))


def _grounds(value: object, path: str) -> tuple[str, ...]:
    return tuple(_one_of(GROUNDS, item, f"{path}[{place}]") for place, item in enumerate(_list(value, path)))


def _sex(value: object, path: str) -> str:
    return _one_of(SEXES, value, path)


def _term(value: object, path: str) -> int:
    if type(value) is not int or value not in TERMS:  # bool is an int to isinstance, never to us
        raise InputError("must be 1 or 3, a whole number of years", place=path)
    return value


def _flag(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise InputError("must be true or false", place=path)
    return value


def _day(value: object, path: str) -> date:
    # The pattern comes first: date.fromisoformat also reads 20141008 and 2014-W41-3.
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise InputError("must be a day written YYYY-MM-DD", place=path)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputError("is no day of the calendar", place=path) from None


def _one_of(allowed: tuple[str, ...], value: object, path: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"must be one of {', '.join(allowed)}", place=path)
    return value


def _list(value: object, path: str) -> list[object]:
    if not isinstance(value, list):
        raise InputError(f"must be a list, not {_kind(value)}", place=path)
    return value


def _fields(
    value: object,
    path: str,
    *,
    required: Mapping[str, Reader] | None = None,
    optional: Mapping[str, Reader] | None = None,
) -> dict[str, Any]:
    """Read one JSON object: every key by its reader, none unknown, none of ``required`` missing, none twice."""
    required, optional = required or {}, optional or {}
    if not isinstance(value, dict):
        raise InputError(f"must be a JSON object, not {_kind(value)}", place=path or "input")
    read: dict[str, Any] = {}
    for key, item in value.items():
        reader = required.get(key) or optional.get(key)
        if reader is None:
            known = ", ".join((*required, *optional))
            raise InputError(f"is not a known field; known here: {known}", place=_join(path, key))
        if isinstance(value, _Repeated) and key == value.key:
            raise InputError("is given more than once", place=_join(path, key))
        read[key] = reader(item, _join(path, key))
    for key in required:
        if key not in read:
            raise InputError("is missing", place=_join(path, key))
    return read


def _join(path: str, key: object) -> str:
    """Append a key to a path so that it stays one short printable line, whatever the key holds."""
    text = key if isinstance(key, str) else str(type(key).__name__)
    if len(text) > _LONGEST_KEY:
        text = f"{text[:_LONGEST_KEY]}…"
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    if not shown or shown != text or not all(char.isalnum() or char in "_-…" for char in shown):
        shown = f'"{shown}"'
    return f"{path}.{shown}" if path else shown


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) == len(pairs):
        return read
    repeated = _Repeated(read)
    repeated.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
    return repeated


def _no_constant(name: str) -> NoReturn:
    raise InputError(f"holds {name}, which is not JSON", place="input")
