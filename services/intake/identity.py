"""Citizen ID numbers (公民身份号码), by GB 11643-1999.

Six digits of the county that gave the number out, eight of the date of birth, three in sequence (odd for men, even
for women), and a check character by ISO 7064 MOD 11-2. Nothing raised here bears the number or any part of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from services.errors import InputError
from services.intake.problems import Reason
from services.intake.regions import known_regions
from services.intake.text import narrow

Sex = Literal["male", "female"]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_LONG = re.compile(r"[0-9]{17}[0-9X]")
_SHORT = re.compile(r"[0-9]{15}")
# What a spreadsheet leaves of a number that it took for a quantity: 3.70303E+17, or fifteen digits and noughts.
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,2}|[0-9]{16,}\.0*")

REASONS: Mapping[str, Reason] = {
    reason.code: reason
    for reason in (
        Reason("id-missing", "公民身份号码不能为空", "the ID number must not be empty"),
        Reason(
            "id-short",
            "15位旧号码已停用，请填写18位公民身份号码",
            "old 15-digit numbers are no longer in use; give the 18-digit number",
        ),
        Reason(
            "id-spreadsheet",
            "号码已被电子表格按数值改写，末几位已丢失；请将该列设为文本格式后按证件重新填写",
            "a spreadsheet took the number for a quantity and lost its last digits; set the column to text and "
            "enter the number again",
        ),
        Reason(
            "id-form",
            "公民身份号码应为18位：前17位为数字，末位为数字或X",
            "an ID number has 18 characters: 17 digits, then a digit or X",
        ),
        Reason(
            "id-checksum",
            "公民身份号码校验码不正确，请核对证件",
            "the check character of the ID number is wrong; compare it with the card",
        ),
        Reason(
            "id-birth",
            "公民身份号码中的出生日期不存在",
            "the date of birth in the ID number is not a day of the calendar",
        ),
        Reason(
            "id-unborn",
            "公民身份号码中的出生日期晚于受理日期",
            "the date of birth in the ID number is after the day of receipt",
        ),
        Reason(
            "id-region",
            "公民身份号码前6位不是有效的行政区划代码",
            "the first six digits of the ID number are no division's code",
        ),
    )
}


class IdNumberError(InputError):
    """A text is no citizen ID number; ``reason`` says why, in both languages."""

    code = "id-number"

    def __init__(self, reason: Reason, *, place: str) -> None:
        self.reason = reason
        super().__init__(f"{reason.zh} / {reason.en}", place=place)


@dataclass(frozen=True, slots=True)
class CitizenId:
    """A number that passed every check, and what it says of its holder. ``number`` is kept out of ``repr``."""

    number: str = field(repr=False)
    region: str
    born_on: date = field(repr=False)
    sex: Sex


def parse_id(text: str, *, on: date | None = None, place: str = "person.id_number") -> CitizenId:
    """Check a citizen ID number and read it.

    Full-width digits, a small x and white space are put right. ``on`` is the day by which the holder must have been
    born (the day of receipt). Raises :class:`IdNumberError`, naming ``place``, for the first check that fails.
    """
    number = normalize_id(text)
    fault = _fault_of_form(number)
    if fault is None:
        born_on = _day(number[6:14])
        if born_on is None:
            fault = "id-birth"
        elif number[:6] not in known_regions():
            fault = "id-region"
        elif on is not None and born_on > on:
            fault = "id-unborn"
        else:
            return CitizenId(number, number[:6], born_on, sex_of(number))
    raise IdNumberError(REASONS[fault], place=place)


def normalize_id(text: str) -> str:
    """``text`` with full-width characters made narrow, letters made large and blanks taken out."""
    return narrow(text).upper()


def check_digit(body: str) -> str:
    """The check character that belongs to the first 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def sex_of(number: str) -> Sex:
    """The sex that the 17th digit of a checked number stands for."""
    return "male" if int(number[16]) % 2 else "female"


def born_on_of(number: str) -> date:
    """The date of birth in a checked number."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def mask_id(number: str) -> str:
    """The number as it may be shown: region and last four, ``370303********1234``. What is shorter is hidden whole."""
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}" if len(number) >= 15 else "*" * len(number)


def _fault_of_form(number: str) -> str | None:
    """What is wrong with the number's form or check character, as a code of ``REASONS``."""
    if not number:
        return "id-missing"
    if _SHORT.fullmatch(number):
        return "id-short"
    if _SCIENTIFIC.fullmatch(number):
        return "id-spreadsheet"
    if not _LONG.fullmatch(number):
        return "id-form"
    if check_digit(number[:17]) == number[17]:
        return None
    # A spreadsheet keeps fifteen digits: three noughts at the end are its mark more often than a slip of the pen.
    return "id-spreadsheet" if number.endswith("000") else "id-checksum"


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
