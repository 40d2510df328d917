"""The empty sheet that clerks fill in (.xlsx): headings, lists to choose from, a sample row, and what each means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import xlsxwriter  # type: ignore[import-untyped]  # the package ships no types
from xlsxwriter.exceptions import XlsxWriterException  # type: ignore[import-untyped]  # as above

from services.errors import InputError
from services.intake.columns import COLUMNS
from services.intake.divisions import Districts

# Rows that are prepared; a longer sheet works, without the lists to choose from.
PREPARED: Final = 2_000

# The built-in format “text”: what is typed stays as it is.
_TEXT = 49
_YES_NO = ("是", "否")
_CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "term_years": ("1年", "3年"),
    "residence.intends_half_year": _YES_NO,
    "residence.from_outside_county": _YES_NO,
    "declared.wants_to_start_business": _YES_NO,
}
_WIDTHS: Final[Mapping[str, int]] = {"person.id_number": 22, "person.address": 28, "grounds": 26, "children": 40}
_EXPLAINED = ("列名", "Column", "必填", "Required", "填写说明", "What to fill in", "示例 Example")


def write_template(path: Path, districts: Districts) -> None:
    """Write the sheet to ``path``, which must end in .xlsx.

    Raises InputError, naming the file, if it exists already (it may be filled in) or cannot be written.
    """
    if path.suffix.lower() != ".xlsx":
        raise InputError("模板文件名应以 .xlsx 结尾 / the template's name must end in .xlsx", place=path.name)
    if path.exists():
        raise InputError("文件已存在，请另取名称 / the file exists already; choose another name", place=path.name)
    try:
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
            _write_form(book, districts)
            _write_explanation(book)
    except (XlsxWriterException, OSError):
        raise InputError("文件无法写入 / the file cannot be written", place=path.name) from None


def _write_form(book: Any, districts: Districts) -> None:
    sheet = book.add_worksheet("申请")
    heading = book.add_format({"bold": True, "bg_color": "#E6F4FF", "border": 1, "num_format": _TEXT})
    sample = book.add_format({"italic": True, "font_color": "#8C8C8C", "num_format": _TEXT})
    # A date stays text here as well: what is typed is what is read, in every locale.
    text = book.add_format({"num_format": _TEXT})
    choices = {**_CHOICES, "district": tuple(districts.names.values())}
    for position, column in enumerate(COLUMNS):
        sheet.set_column(position, position, _WIDTHS.get(column.path, 15), text)
        sheet.write_string(0, position, column.title, heading)
        sheet.write_string(1, position, column.example, sample)
        if column.path in choices:
            options = {"validate": "list", "source": list(choices[column.path]), "error_title": column.title}
            sheet.data_validation(1, position, PREPARED, position, {**options, "error_message": "请从列表中选择"})
    sheet.write_comment(1, 0, "示例行：导入时自动跳过，可删除。\nSample row: passed over by the import.")
    sheet.freeze_panes(1, 0)


def _write_explanation(book: Any) -> None:
    sheet = book.add_worksheet("填表说明")
    heading = book.add_format({"bold": True, "bg_color": "#E6F4FF", "border": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
    for position, width in enumerate((16, 24, 8, 10, 50, 50, 24)):
        sheet.set_column(position, position, width)
    for position, title in enumerate(_EXPLAINED):
        sheet.write_string(0, position, title, heading)
    for line, column in enumerate(COLUMNS, start=1):
        required = ("否", "no") if column.may_be_blank else ("是", "yes")
        told = (column.title, column.alias, *required, column.zh, column.en, column.example)
        for position, words in enumerate(told):
            sheet.write_string(line, position, words, wrapped)
