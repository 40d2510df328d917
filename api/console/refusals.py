"""What services say when they refuse, in the reader's language. Services speak English; ``catalogue/zh/refusals.po``
has the Chinese, sentence by sentence. What stands there in no line is shown as the service said it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

from services.errors import LianbanError
from services.meetings.words import AGENDA_WORDS, MEETING_WORDS, RESOLUTION_WORDS
from services.operations.words import RETRY_WORDS
from services.policy.text import Text
from services.remedies.words import STATE_WORDS as REMEDY_WORDS
from services.supervision.words import CARD_STATE_WORDS
from services.words import CASE_WORDS, STEP_WORDS

_SENTENCES = Path(__file__).parent / "catalogue" / "zh" / "refusals.po"
_BY_PYDANTIC = "Value error, "
_BLANK = re.compile(r"\{(\w+)\}")
# What a state is called depends on what is in it; a place that is none of these is a case's number.
_STATES: Mapping[str, Mapping[Any, Text]] = {
    "meeting": MEETING_WORDS, "resolution": RESOLUTION_WORDS, "matter": AGENDA_WORDS, "retry": RETRY_WORDS,
    "remedy": REMEDY_WORDS, "card": CARD_STATE_WORDS, "step": STEP_WORDS, "message": STEP_WORDS,
}  # fmt: skip
# Places that are fields of a form, as the form calls them.
_FIELDS = {
    "days": "天数", "from": "起始日期", "from_on": "起始日期", "held_on": "会议日期", "due_on": "办理期限",
    "because": "理由", "reason": "理由", "note": "说明", "title": "名称", "name": "名称", "number": "数值",
    "password": "密码", "again": "再次输入", "old": "现用密码", "url": "接口地址", "endpoint.url": "接口地址",
    "endpoint.fallback": "后备方式", "endpoint.signing": "签名方式", "overlap_hours": "并用时间", "until": "结束时间",
    "scope": "范围", "station": "派出所", "owner": "责任人", "services": "权益事项", "period": "期间",
    "action.clause": "条款", "action.services": "权益事项", "action.from_at": "停机开始", "action.until_at": "停机结束",
    "officer": "经办人", "department": "部门", "action.department": "部门", "figure": "指标", "document": "文件",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sentence:
    pattern: re.Pattern[str]
    words: str


def in_words(error: LianbanError, language: str) -> str:
    """What ``error`` says, for a reader of ``language``."""
    plain = f"{error.place}: {error.detail}" if error.place else error.detail
    if " / " in error.detail and not error.detail.isascii():
        # Said in both languages already, as to who hands in a sheet.
        return error.detail.split(" / ", 1)[0 if language == "zh" else 1]
    if language != "zh":
        return plain
    told = refusal_words(error.detail, error.place)
    if told is None:
        return plain
    subject = _FIELDS.get(error.place or "") or (error.place if _names_something(error.place) else None)
    return f"{subject}：{told}" if subject else told


def refusal_words(detail: str, place: str | None = None) -> str | None:
    """The Chinese of a refusal that services say about ``place``; None where there is none."""
    for sentence in _sentences():
        said = sentence.pattern.fullmatch(detail.removeprefix(_BY_PYDANTIC))
        if said is not None:
            filled = {blank: _filled(blank, value, place) for blank, value in said.groupdict().items()}
            return sentence.words.format_map(filled)
    return None


def _filled(blank: str, value: str, place: str | None) -> str:
    """What stands in a blank: a state and another refusal in words, all else as it is."""
    if blank == "problem":
        return refusal_words(value, place) or value
    word = _STATES.get(place or "", CASE_WORDS).get(value) if blank in {"state", "target"} else None
    return word.zh if word is not None else value


@cache
def _sentences() -> tuple[_Sentence, ...]:
    """Every sentence of the catalogue, those first that leave the least open."""
    with _SENTENCES.open("rb") as source:
        pairs = [(str(one.id), str(one.string)) for one in read_po(source, locale="zh") if one.id]
    pairs.sort(key=lambda pair: -len(_BLANK.sub("", pair[0])))
    return tuple(_Sentence(_pattern(said), words) for said, words in pairs)


def _pattern(said: str) -> re.Pattern[str]:
    parts = _BLANK.split(said)
    text = "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile(text, re.DOTALL)


def _names_something(place: str | None) -> bool:
    """Whether the place is a case, a step or the like, which an official knows, and no name of a field."""
    return place is not None and any(character.isdigit() for character in place)
