"""Kinds of field in an application: what is accepted, and what it is made into.

Types are strict where JSON is: ``true`` is no number and ``1.0`` no term. A day is ``2014-10-08`` and nothing else.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StringConstraints,
    ValidationInfo,
)

from services.intake.identity import IdNumberError, parse_id
from services.intake.problems import Reason, refusal
from services.intake.text import clean, is_printable, narrow

# Given as the context of a validation that reads back what was accepted before.
STORED: Final = {"stored": True}

GROUNDS: Final = ("employment", "business", "housing", "settlement", "other")

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PHONE = re.compile(r"\+?[0-9]{7,15}")

_DAY = Reason("day", "日期应写成 2014-10-08 的形式，且须真实存在", "must be a real day written like 2014-10-08")
_TERM = Reason("term", "申领期限只能是1年或3年", "the term must be 1 or 3 years")
_GROUND = Reason(
    "ground",
    "申领情形只能是就业、营业执照、住房、符合落户条件或其他",
    "a ground must be employment, business, housing, settlement or other",
)
_UNPRINTABLE = Reason("unprintable", "含有无法识别的字符", "has control characters in it")
_PHONE_FORM = Reason("phone", "电话号码应为7至15位数字", "a telephone number has 7 to 15 digits")

T = TypeVar("T")


class Form(BaseModel):
    """Base of every part of an application: cannot be changed, and knows no further fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _ISO_DAY.fullmatch(value):
        raise refusal(_DAY)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise refusal(_DAY) from None


def _term(value: object) -> object:
    if type(value) is not int or value not in {1, 3}:
        raise refusal(_TERM)
    return value


def _ground(value: object) -> object:
    if not isinstance(value, str) or value not in GROUNDS:
        raise refusal(_GROUND)
    return value


def _text(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


def _number(value: object) -> object:
    return narrow(value) if isinstance(value, str) else value


def _dialled(value: object) -> object:
    return narrow(value).replace("-", "") if isinstance(value, str) else value


def _printable(value: str) -> str:
    if not is_printable(value):
        raise refusal(_UNPRINTABLE)
    return value


def _phone(value: str) -> str:
    if not _PHONE.fullmatch(value):
        raise refusal(_PHONE_FORM)
    return value


def _citizen(value: str, info: ValidationInfo) -> str:
    if info.context is STORED:
        return value
    try:
        return parse_id(value).number
    except IdNumberError as error:
        raise refusal(error.reason) from None


def _unlike(values: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


Day = Annotated[date, BeforeValidator(_day)]
Term = Annotated[Literal[1, 3], BeforeValidator(_term)]
Ground = Annotated[Literal["employment", "business", "housing", "settlement", "other"], BeforeValidator(_ground)]
StrictFlag = StrictBool
_Strict = StringConstraints(strict=True, min_length=1)
Line = Annotated[str, BeforeValidator(_text), _Strict, AfterValidator(_printable)]
ReferenceNumber = Annotated[str, BeforeValidator(_number), _Strict, AfterValidator(_printable)]
Phone = Annotated[str, BeforeValidator(_dialled), _Strict, AfterValidator(_phone)]
Citizen = Annotated[str, StringConstraints(strict=True, max_length=64), AfterValidator(_citizen)]
# A tuple in which nothing stands twice: a repetition is dropped, not an error.
Distinct = Annotated[tuple[T, ...], AfterValidator(_unlike)]
