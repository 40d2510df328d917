"""The messages as one AsyncAPI 3.0 document with every schema in it: what a department's tools generate code from."""

from __future__ import annotations

from functools import cache
from typing import Any

from services.exchange.messages import BATCH_CONTENT_TYPE, CONTENT_TYPE
from services.exchange.schemas import ANSWER, TYPES, event_schema, schema, spread
from services.exchange.signatures import ID_HEADER, SIGNATURE_HEADER, TIME_HEADER

_SCHEMAS = "#/components/schemas/"
_MESSAGES = "#/components/messages/"
_EVENTS, _CALLBACKS = "departmentEndpoint", "callbacks"
_DESCRIPTION = (
    "联办发往各部门的消息，以及各部门的回报。\n\n"
    "The messages that Lianban sends to departments, and what they report. Every message is signed by Standard "
    f"Webhooks (`v1` HMAC-SHA-256, `v1a` ed25519); `{ID_HEADER}` is the idempotency key. A batch is a JSON array of "
    f"the same events (`{BATCH_CONTENT_TYPE}`)."
)


@cache
def asyncapi(public_url: str, version: str) -> dict[str, Any]:
    """The document for an installation that departments reach at ``public_url``. Not to be changed."""
    schemas: dict[str, Any] = {"signedHeaders": _headers()}
    for type_ in TYPES:
        schemas |= spread(type_, event_schema(type_), _SCHEMAS)
    schemas |= spread(ANSWER, schema(ANSWER), _SCHEMAS)
    names = {name: _name(name) for name in (*TYPES, ANSWER)}
    scheme, _, host = public_url.rstrip("/").partition("://")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "联办 Lianban", "version": version, "description": _DESCRIPTION},
        "defaultContentType": CONTENT_TYPE,
        "servers": {"lianban": {"host": host.partition("/")[0], "protocol": scheme}},
        "channels": {
            _EVENTS: {
                "address": None,
                "description": "部门登记的接收地址 / the address that the department registered",
                "messages": {names[type_]: {"$ref": f"{_MESSAGES}{names[type_]}"} for type_ in TYPES},
            },
            _CALLBACKS: {
                "address": "/api/v1/callbacks/{department}",
                "description": "回报办理结果；地址见消息中的 callback / where outcomes are reported: `data.callback`",
                "parameters": {"department": {"description": "部门代码 / code of the department"}},
                "servers": [{"$ref": "#/servers/lianban"}],
                "messages": {names[ANSWER]: {"$ref": f"{_MESSAGES}{names[ANSWER]}"}},
            },
        },
        "operations": {
            "sendToDepartment": {"action": "send", "channel": {"$ref": f"#/channels/{_EVENTS}"}},
            "receiveOutcome": {"action": "receive", "channel": {"$ref": f"#/channels/{_CALLBACKS}"}},
        },
        "components": {
            "messages": {names[name]: _message(name) for name in (*TYPES, ANSWER)},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _name(type_: str) -> str:
    return type_.removeprefix("cn.zibo.lianban.").replace(".", "_")


def _message(type_: str) -> dict[str, Any]:
    answer = type_ == ANSWER
    return {
        "name": type_,
        "title": (schema(ANSWER) if answer else event_schema(type_)).get("title", type_),
        "contentType": "application/json" if answer else CONTENT_TYPE,
        "headers": {"$ref": f"{_SCHEMAS}signedHeaders"},
        "payload": {"$ref": f"{_SCHEMAS}{type_}"},
    }


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "required": [ID_HEADER, TIME_HEADER, SIGNATURE_HEADER],
        "properties": {
            ID_HEADER: {"type": "string", "maxLength": 128},
            TIME_HEADER: {"type": "string", "pattern": "^[0-9]{1,11}$"},
            SIGNATURE_HEADER: {"type": "string", "pattern": "^v1a?,"},
        },
    }
