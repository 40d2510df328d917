"""JSON Schemas (2020-12) of every message and of the answer, as the service publishes them.

By CloudEvents, ``dataschema`` names the schema of ``data``; ``schema`` gives that. The files share parts through
``common.json``; what is published is bundled, so that a department needs one file for one type.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from services.errors import NotFoundError
from services.exchange.orders import KINDS, TEST_TYPE
from services.exchange.reasons import REASONS

TYPES = (*(kind.type for kind in KINDS.values()), TEST_TYPE)
ANSWER = "cn.zibo.lianban.outcome.v1"

_SHARED = re.compile(r'"(?:common\.json)?#/\$defs/([a-z_]+)"')


def _read(name: str) -> str:
    return (files("services.exchange") / "schemas" / f"{name}.json").read_text(encoding="utf-8")


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of ``data`` of a type, or of the answer (``ANSWER``), whole in itself. Not to be changed."""
    if name not in (*TYPES, ANSWER):
        raise NotFoundError(f"no such schema; there are {', '.join((*TYPES, ANSWER))}", place="schema")
    text = _read(name)
    bundled: dict[str, Any] = json.loads(text.replace('"common.json#', '"#'))
    own = bundled.pop("$defs", {})
    shared = json.loads(_read("common"))["$defs"]
    parts: dict[str, Any] = {}
    wanted = _SHARED.findall(text)
    while wanted:
        part = wanted.pop()
        if part not in parts:
            parts[part] = own.get(part) or shared[part]
            wanted.extend(_SHARED.findall(json.dumps(parts[part])))
    if name == ANSWER:
        # The list of reasons stands once, in the table of codes.
        parts["reason"] = {**parts["reason"], "enum": list(REASONS)}
    return {**bundled, "$defs": {part: _local(parts[part]) for part in sorted(parts)}}


def _local(part: Any) -> Any:
    return json.loads(json.dumps(part).replace('"common.json#', '"#'))


@cache
def event_schema(type_: str) -> dict[str, Any]:
    """The schema of the whole CloudEvent of a type, ``data`` included, for descriptions of the HTTP interface."""
    data = dict(schema(type_))
    parts = data.pop("$defs")
    if type_ == ANSWER:
        raise NotFoundError("an answer is no event", place="schema")
    for name in ("$schema", "$id"):
        data.pop(name)
    text = {"type": "string", "minLength": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:lianban:schema:event:{type_}",
        "title": data["title"],
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": parts["step"],
            "source": {"type": "string", "format": "uri-reference", "minLength": 1},
            "type": {"const": type_},
            "subject": text,
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "dataschema": {"type": "string", "format": "uri"},
            "data": data,
        },
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"],
        "additionalProperties": False,
        "$defs": parts,
    }


def spread(name: str, whole: dict[str, Any], prefix: str) -> dict[str, Any]:
    """``whole`` and its parts (``name``, ``name.part``) as entries of the table of schemas that stands at ``prefix``
    of a larger document (``#/components/schemas/``), so that every reference holds there.
    """
    own = {key: value for key, value in whole.items() if key not in ("$defs", "$schema", "$id")}
    parts = {name: own} | {f"{name}.{part}": content for part, content in whole.get("$defs", {}).items()}
    return {
        key: json.loads(json.dumps(content, ensure_ascii=False).replace('"#/$defs/', f'"{prefix}{name}.'))
        for key, content in parts.items()
    }
