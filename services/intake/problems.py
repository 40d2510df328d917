"""What is wrong with an application, told to the person who handed it in.

A reason never repeats what was handed in: messages of pydantic do, so they are replaced by our own words, chosen by
the kind of the error. The words are Chinese and English, since a clerk and a program may both read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

# What our own validators raise with: the words stand in the context, since pydantic's own words are not used.
_OURS = "lianban."
# A key that is not ours is echoed only if it looks like one: it may be a name or a number in the wrong place.
_KEY = re.compile(r"[A-Za-z_]{1,40}")


class Reason(NamedTuple):
    """Why something cannot be accepted and what to do. ``code`` is for programs, ``zh`` and ``en`` for people."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field.

    ``field`` is a path (``person.id_number``) for JSON, and the heading of the column for a row of a sheet.
    """

    field: str
    zh: str
    en: str


_WORDS: Mapping[str, Reason] = {
    reason.code: reason
    for reason in (
        Reason("missing", "缺少必填项", "is missing; give a value"),
        Reason("extra_forbidden", "不是规定的字段，请删除", "is not a known field; leave it out"),
        # The names of the two kinds differ with the way in which pydantic builds the check.
        Reason("too_short", "不能为空", "must not be empty"),
        Reason("string_too_short", "不能为空", "must not be empty"),
        Reason("too_long", "内容过长", "is too long"),
        Reason("string_too_long", "内容过长", "is too long"),
        Reason("literal_error", "不在可选值之内", "is not one of the values to choose from"),
        Reason("string_pattern_mismatch", "格式不正确", "does not have the right form"),
        Reason("string_type", "应为文本", "must be text"),
        Reason("string_unicode", "含有无法识别的字符", "has characters that cannot be read"),
        Reason("bool_type", "应为是或否（true 或 false）", "must be true or false"),
        Reason("date_type", "日期应写成 2014-10-08 的形式", "must be a date like 2014-10-08"),
        Reason("tuple_type", "应为列表", "must be a list"),
        Reason("model_type", "应为对象", "must be an object"),
        Reason("model_attributes_type", "应为对象", "must be an object"),
        Reason("json_invalid", "不是有效的 JSON", "is not valid JSON"),
    )
}
_OTHER = Reason("invalid", "内容不符合要求", "is not an acceptable value")


def refusal(reason: Reason) -> PydanticCustomError:
    """The error for a pydantic validator to raise, so that :func:`problems` finds ``reason`` again."""
    # Only English stands in the template: its braces would be filled in, and none of our reasons has any.
    return PydanticCustomError(f"{_OURS}{reason.code}", reason.en, {"zh": reason.zh, "en": reason.en})


def refusals(title: str, found: Iterable[tuple[tuple[str | int, ...], Reason]]) -> ValidationError:
    """One error with several (path, reason) in it: raised in a validator, pydantic puts the place before each."""
    details = [InitErrorDetails(type=refusal(reason), loc=loc, input=None) for loc, reason in found]
    return ValidationError.from_exception_data(title, details)


def problems(exc: ValidationError) -> tuple[Problem, ...]:
    """What pydantic found, in our words, in the order of the fields; nothing that was handed in is repeated."""
    return problems_of(exc.errors(include_url=False, include_input=False))


def problems_of(errors: Iterable[Mapping[str, Any]], skip: int = 0) -> tuple[Problem, ...]:
    """The same from a list of pydantic's error details, leaving out the first ``skip`` steps of each path.

    FastAPI puts ``body`` before every path: pass ``skip=1`` with ``RequestValidationError.errors()``.
    """
    return tuple(_problem(error, skip) for error in errors)


def _problem(error: Mapping[str, Any], skip: int) -> Problem:
    kind, path = str(error["type"]), list(error["loc"])[skip:]
    if kind == "extra_forbidden" and path and not _KEY.fullmatch(str(path[-1])):
        path[-1] = "?"
    field = _dotted(path) or "application"
    if kind.startswith(_OURS):
        return Problem(field, error["ctx"]["zh"], error["ctx"]["en"])
    reason = _WORDS.get(kind, _OTHER)
    return Problem(field, reason.zh, reason.en)


def _dotted(path: Iterable[str | int]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
