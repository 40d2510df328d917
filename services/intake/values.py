"""Cells of a sheet, read as people write them: days, terms, yes and no, grounds, children.

Every reader takes the cell's text, not empty, and gives what the application's model takes. What it cannot read
raises :class:`CellError` with a reason that does not repeat the cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal, TypeAlias

from services.intake.problems import Reason
from services.intake.text import clean, narrow

Cell: TypeAlias = str | float | bool | date | datetime | time | timedelta | None

# 2014-10-08, 2014/10/8, 2014.10.8, 2014年10月8日 or 20141008; a named group cannot stand twice in one pattern.
_DAY = r"(?P<year>[0-9]{4})(?:(?P<mark>[-/.])(?P<m1>[0-9]{1,2})(?P=mark)(?P<d1>[0-9]{1,2})" \
       r"|年(?P<m2>[0-9]{1,2})月(?P<d2>[0-9]{1,2})日|(?P<m3>[0-9]{2})(?P<d3>[0-9]{2}))"  # fmt: skip
_DAY_CELL = re.compile(_DAY + r"(T?0{1,2}:00(:00(\.0+)?)?)?")
_CHILD = re.compile(rf"(?:(?P<name>[^/]*)/)?{_DAY}(?:/(?P<relation>[^/]*)(?:/(?P<proof>.*))?)?")
# How sheets are made to keep a number as text: ="370303..." and '370303...
_KEPT_AS_TEXT = re.compile(r'="(.*)"|\'(.*)', re.DOTALL)

_ROUNDED = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]{1,3}")

_YES: Final = frozenset({"是", "有", "yes", "y", "true", "1", "1.0", "√"})
_NO: Final = frozenset({"否", "无", "no", "n", "false", "0", "0.0", "×"})
_TERMS: Final[Mapping[str, Literal[1, 3]]] = {
    **dict.fromkeys(("1", "1年", "一年", "1年期", "一年期"), 1),
    **dict.fromkeys(("3", "3年", "三年", "3年期", "三年期"), 3),
}
_GROUNDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("employment", "就业", "劳动合同", "劳动合同并参加社会保险"), "employment"),
    **dict.fromkeys(("business", "营业执照", "工商营业执照"), "business"),
    **dict.fromkeys(("housing", "住房", "购房", "租房", "购房或租房"), "housing"),
    **dict.fromkeys(("settlement", "落户", "落户条件", "符合落户条件"), "settlement"),
    **dict.fromkeys(("other", "其他", "其他情形"), "other"),
}
_RELATIONS: Final[Mapping[str, tuple[str, str | None]]] = {
    **dict.fromkeys(("son", "子", "儿子"), ("son", "male")),
    **dict.fromkeys(("daughter", "女", "女儿"), ("daughter", "female")),
    **dict.fromkeys(("ward", "被监护人"), ("ward", None)),
}

_NO_DAY = Reason(
    "day",
    "日期不存在或写法无法识别，请写成 2014-10-08",
    "not a day that exists, or not written as one; write it like 2014-10-08",
)
_NO_NUMBER = Reason(
    "rounded",
    "编号已被电子表格按数值改写，请将该列设为文本格式后重新填写",
    "a spreadsheet took the number for a quantity; set the column to text and enter it again",
)
_NO_FLAG = Reason("flag", "请填写“是”或“否”", "must be yes or no (是 or 否)")
_NO_TERM = Reason("term", "申领期限只能是“1年”或“3年”", "the term must be 1 or 3 years (1年 or 3年)")
_NO_GROUND = Reason(
    "ground",
    "申领情形只能是：就业、营业执照、住房、符合落户条件、其他",
    "grounds are employment, business, housing, settlement, other",
)


class CellError(Exception):
    """A cell cannot be read as what its column holds; ``reason`` says why."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.en)


def as_text(cell: Cell) -> str:
    """A cell as text, as if it had been typed; empty for an empty one.

    Whole numbers lose the ``.0`` a sheet gives them. One of 16 digits or more was rounded by the spreadsheet, so it
    stays in scientific notation, which no ID number passes for.
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        kept = _KEPT_AS_TEXT.fullmatch(cell.strip())
        return clean(cell if kept is None else kept[1] or kept[2] or "")
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.15G}"
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def read_number(text: str) -> str:
    """A number that names something. Refused where a spreadsheet rounded it, since others round to the same."""
    if _ROUNDED.fullmatch(narrow(text).upper()):
        raise CellError(_NO_NUMBER)
    return text


def read_day(text: str) -> date:
    """A day, in any of the ways days are written here; a time of midnight behind it is let pass."""
    found = _DAY_CELL.fullmatch(narrow(text))
    if found is None:
        raise CellError(_NO_DAY)
    return _day(found)


def read_flag(text: str) -> bool:
    """Yes or no (是 or 否)."""
    word = narrow(text).lower()
    if word not in _YES and word not in _NO:
        raise CellError(_NO_FLAG)
    return word in _YES


def read_term(text: str) -> Literal[1, 3]:
    """The term asked for, in years."""
    term = _TERMS.get(narrow(text))
    if term is None:
        raise CellError(_NO_TERM)
    return term


def read_grounds(text: str) -> tuple[str, ...]:
    """Grounds, parted by 、 , ; or blanks, in Chinese or by their codes."""
    words = [narrow(word).lower() for word in re.split(r"[、,，;；\s]+", text)]
    grounds = [_GROUNDS.get(word) for word in words if word]
    if None in grounds:
        raise CellError(_NO_GROUND)
    return tuple(ground for ground in grounds if ground)


def read_children(text: str) -> tuple[dict[str, Any], ...]:
    """Children as ``姓名/出生日期/关系/证明编号``, parted by semicolons; only the date of birth is needed."""
    children = (child.strip() for child in re.split(r"[;；]", text.replace("／", "/")))
    return tuple(_child(child, index) for index, child in enumerate(filter(None, children), start=1))


def _child(text: str, index: int) -> dict[str, Any]:
    found = _CHILD.fullmatch(text)
    relation = _RELATIONS.get(narrow(found["relation"] or "").lower()) if found else None
    if found is None or (relation is None and (found["relation"] or "").strip()):
        raise CellError(
            Reason(
                "child",
                f"第{index}名子女应写成“姓名/出生日期/关系”，关系为子、女或被监护人，多名以分号隔开",
                f"child {index} must be written as name/date of birth/relation (son, daughter or ward), several parted "
                "by semicolons",
            )
        )
    try:
        born_on = _day(found)
    except CellError as error:
        zh, en = f"第{index}名子女的出生{error.reason.zh}", f"child {index}, date of birth: {error.reason.en}"
        raise CellError(Reason("child-day", zh, en)) from None
    named, sex = relation or (None, None)
    return {
        "name": (found["name"] or "").strip() or None,
        "born_on": born_on,
        "sex": sex,
        "relation": named,
        "proof": (found["proof"] or "").strip() or None,
    }


def _day(found: re.Match[str]) -> date:
    month, day = (found[part + "1"] or found[part + "2"] or found[part + "3"] for part in "md")
    try:
        return date(int(found["year"]), int(month), int(day))
    except ValueError:
        raise CellError(_NO_DAY) from None
