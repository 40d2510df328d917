"""Rows of an .xlsx workbook, read by calamine after the file has been measured.

Calamine keeps a sheet as a full rectangle and inflates whatever it is given, and running out of memory ends the
process: one stray cell at XFD1048576 asks for 512 GB. So a file is inflated and walked once beforehand, in pieces;
entities, the danger of walking XML, need a document type, and that is refused.
"""

from __future__ import annotations

import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.parsers import expat

import python_calamine as calamine

from services.errors import InputError
from services.intake.values import Cell

MAX_INFLATED: Final = 200 * 1024 * 1024
MAX_CELLS: Final = 8_000_000
MAX_PARTS: Final = 2_000
# Between two tags; a spreadsheet allows 32,767 characters in a cell.
MAX_TEXT: Final = 1 << 20

_CHUNK = 1 << 16
# Compound files: workbooks with a password, and the old .xls under a new name.
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
_NO_XML = (".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf", ".bin", ".vml")
_REFERENCE = re.compile(r"([A-Za-z]{0,3})([0-9]{1,7})")
# Whatever the standard library raises while it walks an archive or its XML.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    expat.ExpatError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)
_TAKEN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def read_workbook(path: Path) -> Iterator[tuple[int, list[Cell]]]:
    """The rows of the first visible sheet with their numbers; InputError, naming the file, if there is none to read."""
    _measure(path)
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as workbook:
            sheet = next(
                (
                    index
                    for index, sheet in enumerate(workbook.sheets_metadata)
                    if sheet.typ is calamine.SheetTypeEnum.WorkSheet
                    and sheet.visible is calamine.SheetVisibleEnum.Visible
                ),
                None,
            )
            if sheet is None:
                raise InputError("工作簿中没有可见的工作表 / the workbook has no visible sheet", place=path.name)
            rows = workbook.get_sheet_by_index(sheet).iter_rows()
            for number, row in enumerate(rows, start=1):
                yield number, list(row)
    except (calamine.CalamineError, ValueError, OSError):
        raise _damaged(path) from None


def _measure(path: Path) -> None:
    """Refuse what must not be handed on: encrypted, damaged, or far larger inside than outside."""
    with path.open("rb") as file:
        if file.read(len(_COMPOUND)) == _COMPOUND:
            raise InputError(
                "工作簿设有密码，或是旧版 .xls；请取消密码后另存为 .xlsx / "
                "has a password or is an old .xls; save it as .xlsx without one",
                place=path.name,
            )
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_INFLATED:
                raise _too_large(path)
            if any(part.flag_bits & 1 for part in parts):
                raise InputError("文件已加密，请取消密码 / encrypted; remove the password", place=path.name)
            if any(part.compress_type not in _TAKEN for part in parts):
                raise _damaged(path)
            left = MAX_INFLATED
            for part in parts:
                left -= _walk(path, archive, part, left)
    except _DAMAGE:
        raise _damaged(path) from None


def _walk(path: Path, archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """The true size of one part in bytes, having looked at every tag in it."""
    # The size written in the file may be a lie, and zipfile stops reading there; calamine does not.
    part.file_size = sys.maxsize
    tags = None if part.filename.lower().endswith(_NO_XML) else _Tags(path)
    size = 0
    with archive.open(part) as inside:
        while chunk := inside.read(_CHUNK):
            size += len(chunk)
            if size > left:
                raise _too_large(path)
            if tags is not None:
                tags.feed(chunk)
    if tags is not None and size:
        tags.feed(b"", last=True)
    return size


class _Tags:
    """Follows the tags of one part as calamine does, and refuses a rectangle of cells that is too large."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._row = self._column = self._rows = self._columns = self._seen = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        self._parser.Parse(chunk, last)

    def _doctype(self, *_declared: object) -> None:
        raise _damaged(self._path)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        if at - self._seen > MAX_TEXT:
            raise _too_large(self._path)
        self._seen = at
        tag = name.rpartition(":")[2]
        if tag not in {"row", "c"}:
            return
        row, column = _position(attributes.get("r"), self._path)
        if tag == "row":
            self._row, self._column = row or self._row + 1, 0
        else:
            # A cell that does not say where it stands follows the one before it.
            self._row, self._column = row or self._row, column or self._column + 1
        self._rows, self._columns = max(self._rows, self._row), max(self._columns, self._column)
        if self._rows * self._columns > MAX_CELLS:
            raise InputError(
                "表格范围过大，请删除表格之外多余的内容 / "
                "the sheet is too wide or too long; delete what stands outside the table",
                place=self._path.name,
            )


def _position(reference: str | None, path: Path) -> tuple[int, int]:
    """Row and column of ``B12`` (12, 2) or of a row's ``12`` (12, 0), from 1; 0 where not told."""
    if reference is None:
        return 0, 0
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise _damaged(path)
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column


def _damaged(path: Path) -> InputError:
    return InputError(
        "不是有效的 .xlsx 工作簿，或文件已损坏 / not a readable .xlsx workbook, or damaged", place=path.name
    )


def _too_large(path: Path) -> InputError:
    return InputError("工作簿内容过大，请分批导入 / too large inside; import it in parts", place=path.name)
