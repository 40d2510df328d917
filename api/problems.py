"""Problem details (RFC 9457) for every error of the HTTP doors. What was handed in is never repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Route

from api.logs import log_failure
from services.access import KeyRefusedError
from services.access.sessions import SessionRefusedError
from services.errors import LianbanError, UnavailableError
from services.intake.problems import Problem, problems_of
from services.policy.text import Text

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER = "5"

_TITLES: Mapping[int, Text] = {
    400: Text("请求无法读取", "The request cannot be read"),
    401: Text("未通过身份核验", "The caller is not known"),
    403: Text("无权办理", "Not permitted"),
    404: Text("未找到", "Not found"),
    405: Text("不支持该操作", "Not a method of this address"),
    408: Text("请求未按时送达", "The request did not come in time"),
    409: Text("与现有情况冲突", "In conflict with what stands"),
    413: Text("内容过大", "Too large"),
    415: Text("内容类型不支持", "Not a supported type of content"),
    422: Text("内容不符合要求", "The content does not hold"),
    429: Text("请求过于频繁，请稍后再试", "Too many requests; try again later"),
    500: Text("系统内部错误", "An error of ours"),
    503: Text("暂时无法提供服务", "Unavailable for the moment"),
}
_CODES: Mapping[int, str] = {
    400: "unreadable",
    401: "unauthorised",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    413: "too-large",
    415: "unsupported-type",
    422: "invalid-input",
    429: "too-many",
    503: "unavailable",
}
# Kinds of error in a query or a path, which no application has.
_KINDS: Mapping[str, Text] = {
    "int_parsing": Text("应为整数", "must be a whole number"),
    "int_type": Text("应为整数", "must be a whole number"),
    "greater_than_equal": Text("数值过小", "is too small"),
    "less_than_equal": Text("数值过大", "is too large"),
    "enum": Text("不在可选值之内", "is not one of the values to choose from"),
    "json_invalid": Text("不是有效的 JSON", "is not valid JSON"),
}


class FieldProblem(BaseModel):
    """One thing wrong with one field, in Chinese and English."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    zh: str
    en: str


class ProblemDocument(BaseModel):
    """错误说明 / Problem details (RFC 9457). ``code`` is for programs; ``place`` names what is at fault."""

    type: str = Field(examples=["urn:lianban:problem:not-found"])
    title: str = Field(description="中文与英文标题 / in Chinese and English")
    status: int
    code: str
    detail: str | None = None
    place: str | None = None
    errors: list[FieldProblem] | None = None
    instance: str | None = Field(default=None, description="异常编号 / number under which the failure was logged")
    checks: dict[str, Any] | None = None


def title_of(status: int) -> Text:
    """What a status means, for people."""
    return _TITLES.get(status, Text("请求未能办理", "The request failed"))


def problem(
    status: int,
    code: str | None = None,
    detail: str | None = None,
    *,
    place: str | None = None,
    errors: Iterable[Problem] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """A problem document as a response; ``more`` are further members of it."""
    title, code = title_of(status), code or _CODES.get(status, "error")
    document = ProblemDocument(
        type=f"urn:lianban:problem:{code}",
        title=f"{title.zh} {title.en}",
        status=status,
        code=code,
        detail=detail,
        place=place,
        errors=[FieldProblem.model_validate(one) for one in errors] or None,
        **more,
    )
    content = document.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def field_problems(errors: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """What FastAPI found wrong with a request, in our words, each with the path of its field."""
    found: list[Problem] = []
    for error in errors:
        words = _KINDS.get(str(error["type"]))
        if words is None:
            (told,) = problems_of([error], skip=1)
            found.append(told if len(error["loc"]) > 1 else Problem("body", told.zh, told.en))
            continue
        # Where JSON breaks off, the place is a number of characters and not a field.
        loc = error["loc"][:1] if error["type"] == "json_invalid" else error["loc"][1:]
        found.append(Problem(".".join(map(str, loc)) or "body", words.zh, words.en))
    return found


def answer_error(request: Request, error: LianbanError) -> JSONResponse:
    """An error of the domain as a problem document."""
    headers: dict[str, str] = {}
    if error.status == 401:
        scheme = "Bearer" if isinstance(error, KeyRefusedError | SessionRefusedError) else "Signature"
        headers["WWW-Authenticate"] = f'{scheme} realm="lianban"'
    if isinstance(error, UnavailableError):
        headers["Retry-After"] = _RETRY_AFTER
    more: dict[str, Any] = {}
    if error.status >= 500:
        more["instance"] = log_failure(request.scope, error)
    return problem(error.status, error.code, error.detail, place=error.place, headers=headers, **more)


def answer_failure(scope: Mapping[str, Any], failure: Exception) -> JSONResponse:
    """A failure nobody foresaw: its number, under which the log has where it arose."""
    detail = "the failure was logged; tell the administrator the number in `instance`"
    return problem(500, "internal", detail, instance=log_failure(scope, failure))


def _allowed(request: Request) -> str:
    """Every method of the address: each is a route of its own, and the router names only the first one's.

    ``/cases/search`` also looks like ``/cases/{number}``; what counts is the first path that the address fits.
    """
    routes = [context.original_route for context in iter_route_contexts(request.app.routes)]
    fitting = [one for one in routes if isinstance(one, Route) and one.path_regex.match(request.url.path)]
    methods = {method for one in fitting if one.path == fitting[0].path for method in one.methods or ()}
    return ", ".join(sorted(methods))


def install(app: FastAPI) -> None:
    """Make every error that a route raises a problem document."""

    async def on_domain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, LianbanError)  # noqa: S101 - it is registered for nothing else
        return answer_error(request, error)

    async def on_request(request: Request, error: Exception) -> JSONResponse:
        del request
        assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for nothing else
        detail = "see `errors` for each field; correct them and send the request again"
        return problem(422, detail=detail, errors=field_problems(error.errors()))

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
        known = error.status_code in _TITLES
        detail = None if known else HTTPStatus(error.status_code).phrase
        headers = {"Allow": _allowed(request)} if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else error.headers
        return problem(error.status_code, detail=detail, headers=headers)

    app.add_exception_handler(LianbanError, on_domain)
    app.add_exception_handler(RequestValidationError, on_request)
    app.add_exception_handler(HTTPException, on_http)
