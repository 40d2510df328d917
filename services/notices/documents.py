"""Notices on paper: a PDF of one A4 page, set by Typst in a Chinese font of this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from services.errors import UnavailableError
from services.lexicon import day_words
from services.notices.receipt import Receipt
from services.notices.rights import RightsNotice
from services.policy.text import Text

if TYPE_CHECKING:
    import typst

# What official papers are set in, then what a Debian machine has.
_FONTS = (
    "FangSong",
    "FangSong_GB2312",
    "STFangsong",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "SimSun",
    "Noto Sans CJK SC",
)
_TEMPLATES = {RightsNotice: "rights.typ", Receipt: "receipt.typ"}


def to_pdf(notice: RightsNotice | Receipt) -> bytes:
    """The notice as a PDF. UnavailableError where this machine has no Chinese font: a page of boxes helps nobody."""
    import typst  # noqa: PLC0415 - a compiler of some tens of megabytes, for those who print

    chosen, known = chinese_fonts(), fonts()[1]
    source = files("services.notices") / "templates" / _TEMPLATES[type(notice)]
    told = json.dumps({"fonts": chosen, "notice": _plain(notice)}, ensure_ascii=False)
    pdf: bytes = typst.compile(
        source.read_bytes(), font_paths=known, sys_inputs={"told": told}, timestamp=0, format="pdf"
    )
    return pdf


def chinese_fonts() -> list[str]:
    """The fonts a notice can be set in, the best first; UnavailableError if there are none."""
    chosen = [name for name in _FONTS if name in fonts()[0]]
    if not chosen:
        raise UnavailableError(
            "this machine has no Chinese font; install one (Debian: fonts-noto-cjk) and try again", place="pdf"
        )
    return chosen


@cache
def fonts() -> tuple[frozenset[str], typst.Fonts]:
    """The fonts of this machine, looked for once."""
    import typst  # noqa: PLC0415 - as above

    known = typst.Fonts()
    return frozenset(known.families()), known


def _plain(value: Any) -> Any:
    """A notice as JSON in Chinese: names by their words, days as documents write them."""
    if isinstance(value, date):
        return day_words(value).zh
    if isinstance(value, Text):
        return value.zh
    if is_dataclass(value) and not isinstance(value, type):
        fields = {name: _plain(getattr(value, name)) for name in asdict(value)}
        return fields.get("zh", fields)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
