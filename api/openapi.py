"""The OpenAPI 3.1 document: what FastAPI derives, and what it cannot know: keys, problems and webhooks.

Who may call a route comes from the access matrix, and so do the answers that every guarded route may give. Webhooks
are the messages that departments receive, by the schemas that the exchange publishes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from api.access import MATRIX, GuardedRoute, Open
from api.problems import MEDIA_TYPE, ProblemDocument
from models import Role
from services.exchange.schemas import ANSWER, TYPES, event_schema, schema, spread

_COMPONENT = "#/components/schemas/"
_WORDS = {
    400: "请求无法读取 / The request cannot be read",
    401: "未提供有效密钥或者签名 / No valid key or signature",
    403: "该密钥无权办理 / Not for this key",
    404: "未找到，或者不在查看范围内 / Not found, or out of sight",
    409: "与现有情况冲突 / In conflict with what stands",
    413: "内容过大 / Too large",
    415: "须为 JSON / Must be JSON",
    422: "内容不符合要求，逐项说明 / Does not hold; each field is told",
    500: "系统内部错误，已记录 / An error of ours, logged",
    503: "暂时无法提供服务 / Unavailable for the moment",
}
_SCHEMES: dict[str, dict[str, Any]] = {
    "key": {"type": "http", "scheme": "bearer", "description": "访问密钥 / an access key, `lbk_…`"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "lianban",
        "description": "登录后的会话 / the session of a person who signed in; by https the cookie is `__Host-lianban`",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "会话的防伪令牌，办理类请求必带 / the session's token, with whatever changes something",
    },
}
_SIGNED_HEADERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("webhook-id", "消息编号，即幂等键 / the idempotency key: the same step always bears the same id", {}),
    (
        "webhook-timestamp",
        "发送时间，1970年以来的秒数 / seconds since 1970, UTC; refuse what is five minutes off",
        {"pattern": "^[0-9]{1,11}$"},
    ),
    (
        "webhook-signature",
        "签名 / `v1,` and HMAC-SHA-256 of `id.timestamp.body` in Base64 (Standard Webhooks); several, by blanks, "
        "while secrets change",
        {},
    ),
)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem answers of a route, for its ``responses``."""
    return {status: _problem(status) for status in statuses}


def signed_headers() -> list[dict[str, Any]]:
    """The three headers of Standard Webhooks as parameters of an operation."""
    return [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": words,
            "schema": {"type": "string", "minLength": 1, **more},
        }
        for name, words, more in _SIGNED_HEADERS
    ]


def install(app: FastAPI) -> None:
    """Make ``app`` publish the whole document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way in which FastAPI says to extend the document


def _problem(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": f"{_COMPONENT}ProblemDocument"}}}
    return {"description": _WORDS[status], "content": content}


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        description=app.description,
        routes=app.routes,
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    own = ProblemDocument.model_json_schema(ref_template=f"{_COMPONENT}{{model}}")
    schemas |= own.pop("$defs", {})
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas["ProblemDocument"] = own
    components["securitySchemes"] = dict(_SCHEMES)
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, GuardedRoute) and route.include_in_schema:
            for method in route.methods or ():
                _guard(document["paths"][route.path_format][method.lower()], route)
    document["webhooks"] = {type_: {"post": _webhook(type_, schemas)} for type_ in TYPES}
    return document


def _guard(operation: dict[str, Any], route: GuardedRoute) -> None:
    """Say who may call, and which answers the guard itself gives."""
    statuses = [500, 503]
    rule = MATRIX[route.name]
    if not isinstance(rule, Open):
        by_session: dict[str, list[str]] = {"session": [], "csrf": []} if route.changes else {"session": []}
        operation["security"] = [{"key": []}, by_session]
        operation["x-roles"] = [role.value for role in Role if role in rule]
        statuses += [401, 403]
    if route.takes_body:
        statuses += [400, 413, 415, 422]
    answers = operation["responses"]
    for status in statuses:
        # FastAPI's own 422 is another document than ours.
        answers[str(status)] = _problem(status)
    operation["responses"] = dict(sorted(answers.items()))


def _webhook(type_: str, schemas: dict[str, Any]) -> dict[str, Any]:
    event = f"{_COMPONENT}{_publish(type_, event_schema(type_), schemas)}"
    answer = f"{_COMPONENT}{_publish(ANSWER, schema(ANSWER), schemas)}"
    outcome = {"application/json": {"schema": {"$ref": answer}}}
    return {
        "operationId": type_.removeprefix("cn.zibo.lianban.").replace(".", "_"),
        "summary": event_schema(type_)["title"],
        "description": "发往部门接口 / sent to the department's endpoint, signed by Standard Webhooks; a batch bears "
        "an id of its own",
        "parameters": signed_headers(),
        "requestBody": {
            "required": True,
            "content": {
                "application/cloudevents+json": {"schema": {"$ref": event}},
                "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {"$ref": event}}},
            },
        },
        "responses": {
            "200": {
                "description": "已接收，可当场答复结果 / received; the outcome may be told at once",
                "content": outcome,
            },
            "202": {"description": "已接收，结果随后回报 / received; the outcome is reported later by call-back"},
            "410": {"description": "接口已停用 / the endpoint is closed for good; nothing more is sent"},
            "429": {"description": "请稍后重试 / busy: tried again later, after `Retry-After` where it is given"},
        },
    }


def _publish(name: str, whole: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Put a schema and its parts among the components, so that every reference holds in this one document."""
    schemas |= spread(name, whole, _COMPONENT)
    return name


def named_routes(app: FastAPI) -> Iterator[tuple[str, Any]]:
    """Every route of the application by its name, however deep it was included."""
    for context in iter_route_contexts(app.routes):
        yield str(getattr(context.original_route, "name", "")), context.original_route
