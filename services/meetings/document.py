"""The minutes as a document (.docx) in the usual form of official papers (GB/T 9704): A4, its margins and its founts.

The template is built here, paragraph by paragraph, and filled by docxtpl, so that what an official files can be read
off this page. Founts are named, not shipped: where they are not installed the reader's program takes its own.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from docx import Document
from docx.document import Document as Paper
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from docxtpl import DocxTemplate

_TITLE, _BODY, _HEADING, _SECOND = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
_LATIN = "Times New Roman"
_RED = RGBColor(0xC0, 0x00, 0x00)
_SIZE, _LINE = 16, 28
_INDENT = Pt(_SIZE * 2)


def minutes_document(content: dict[str, Any]) -> bytes:
    """The document of the minutes' ``content`` (``services.meetings.minutes``)."""
    template = DocxTemplate(io.BytesIO(_template()))
    numbered = [
        item | {"numeral": _numeral(place), "resolutions": item["resolutions"]}
        for place, item in enumerate(content["items"], start=1)
    ]
    template.render(content | {"items": numbered}, autoescape=True)
    out = io.BytesIO()
    template.save(out)
    return out.getvalue()


@cache
def _template() -> bytes:
    paper = Document()
    _page(paper)
    _line(paper, "{{ title }}", _TITLE, 22, centred=True, colour=_RED)
    _line(paper, "{{ number }}", _BODY, _SIZE, centred=True)
    _line(paper, "{%p if because %}", _BODY)
    _line(paper, "（第{{ version }}版，更正：{{ because }}）", _SECOND, _SIZE, centred=True)
    _line(paper, "{%p endif %}", _BODY)
    for label, value in (
        ("时    间", "{{ time }}"),
        ("地    点", "{{ place }}"),
        ("主    持", "{{ chair }}"),
        ("出    席", "{% for one in present %}{{ one.zh }}{% if one.delegate %}（{{ one.delegate }}）{% endif %}"
                     "{% if not loop.last %}、{% endif %}{% endfor %}"),
    ):  # fmt: skip
        _labelled(paper, label, value)
    _line(paper, "{%p if absent %}", _BODY)
    _labelled(paper, "未 到 会", "{% for one in absent %}{{ one.zh }}{% if not loop.last %}、{% endif %}{% endfor %}")
    _line(paper, "{%p endif %}", _BODY)
    _line(paper, "{{ opening }}", _BODY, indented=True)
    _line(paper, "{%p for item in items %}", _BODY)
    _line(paper, "{{ item.numeral }}、{{ item.title }}", _HEADING, indented=True)
    _line(paper, "{%p if item.told %}", _BODY)
    _line(paper, "{{ item.told }}", _BODY, indented=True)
    _line(paper, "{%p endif %}", _BODY)
    _line(paper, "{%p for one in item.resolutions %}", _BODY)
    _line(
        paper,
        "（{{ one.ordinal }}）{{ one.text }}（责任单位：{{ one.department }}"
        "{% if one.helpers %}；配合单位：{{ one.helpers }}{% endif %}；时限：{{ one.due }}"
        "{% if one.action %}；系统执行：{{ one.action }}{% endif %}）",
        _BODY,
        indented=True,
    )
    _line(paper, "{%p endfor %}", _BODY)
    _line(paper, "{%p if item.left %}", _BODY)
    _line(paper, "{{ item.left }}", _BODY, indented=True)
    _line(paper, "{%p endif %}", _BODY)
    _line(paper, "{%p endfor %}", _BODY)
    _labelled(paper, "印发范围", "{{ circulated }}。")
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def _page(paper: Paper) -> None:
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    style = paper.styles["Normal"]
    style.font.name, style.font.size = _LATIN, Pt(_SIZE)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), _BODY)


def _line(
    paper: Paper,
    text: str,
    fount: str,
    size: int = _SIZE,
    *,
    centred: bool = False,
    indented: bool = False,
    colour: RGBColor | None = None,
) -> None:
    paragraph = paper.add_paragraph()
    _spaced(paragraph)
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if indented:
        paragraph.paragraph_format.first_line_indent = _INDENT
    _run(paragraph, text, fount, size, colour)


def _labelled(paper: Paper, label: str, value: str) -> None:
    paragraph = paper.add_paragraph()
    _spaced(paragraph)
    _run(paragraph, f"{label}：", _HEADING, _SIZE)
    _run(paragraph, value, _BODY, _SIZE)


def _spaced(paragraph: Paragraph) -> None:
    form = paragraph.paragraph_format
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(_LINE)
    form.space_before = form.space_after = Pt(0)


def _run(paragraph: Paragraph, text: str, fount: str, size: int, colour: RGBColor | None = None) -> None:
    run = paragraph.add_run(text)
    run.font.name, run.font.size = _LATIN, Pt(size)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), fount)
    if colour is not None:
        run.font.color.rgb = colour


_DIGITS = "〇一二三四五六七八九"


def _numeral(number: int) -> str:
    """1 to 99 as official papers number: 一, 十, 十一, 二十, 二十一."""
    tens, ones = divmod(number, 10)
    head = "" if not tens else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones or not tens else "")
