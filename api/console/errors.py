"""Errors as pages: what happened, and what the reader can do. Programs get problem documents (``api.problems``).

Errors of the services speak English; ``refusals`` says them in Chinese, so that officials read their own language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.responses import Response
from starlette.types import Scope

from api.console.catalogue import said
from api.console.frame import language_of, page
from api.console.refusals import in_words
from api.logs import log_failure
from services.errors import LianbanError
from services.intake.problems import Problem

_PREFIXES = ("/console", "/sign-in", "/sign-out", "/account")

# What happened, and what to do about it, by status.
_TOLD: Mapping[int, tuple[str, str]] = {
    400: (said("请求无法读取"), said("请返回上一页，刷新后重试。")),
    401: (said("请先登录"), said("登录已失效或尚未登录，请重新登录。")),
    403: (said("无权查看"), said("您的账号没有办理此项的权限。如工作需要，请联系系统管理员。")),
    404: (said("没有找到"), said("请核对编号或网址；该内容也可能不在您的查看范围内。")),
    405: (said("不支持该操作"), said("请从页面上的按钮办理。")),
    409: (said("与现有情况不符，未办理"), said("情况可能刚刚有变。请返回上一页，查看最新情况后再办。")),
    413: (said("内容过大"), said("请减少内容，分几次提交。")),
    422: (said("填写内容不符合要求，未办理"), said("请返回上一页，按下列提示更正后重新提交。")),
    500: (said("系统内部错误"), said("本次操作未完成。请稍后重试；仍不成功时，把下面的编号告诉系统管理员。")),
    503: (said("暂时无法办理"), said("数据库或相关服务暂无应答，未作任何更改。请稍后重试。")),
}


def is_page(path: str) -> bool:
    """Whether a person looks at what is answered there."""
    return path == "/" or any(path == prefix or path.startswith(f"{prefix}/") for prefix in _PREFIXES)


def error_page(
    request: Request, status: int, *, problem: LianbanError | None = None, fields: Sequence[Problem] = (),
    number: str | None = None,
) -> HTMLResponse:  # fmt: skip
    """The page for an error; ``number`` is the one under which a failure was logged."""
    detail = in_words(problem, language_of(request)) if problem is not None else None
    title, advice = _TOLD.get(status, _TOLD[500 if status >= 500 else 400])
    return page(
        request, "error.html", status=status, code=status, title=title, advice=advice, detail=detail, fields=fields,
        number=number,
    )  # fmt: skip


def answering(otherwise: Callable[[Scope, Exception], JSONResponse]) -> Callable[[Scope, Exception], Response]:
    """What answers a failure that nobody foresaw: a page to who looks at pages, else ``otherwise``."""

    def answer(scope: Scope, failure: Exception) -> Response:
        if is_page(scope["path"]):
            return error_page(Request(scope), 500, number=log_failure(scope, failure))
        return otherwise(scope, failure)

    return answer
