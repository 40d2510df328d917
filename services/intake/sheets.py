"""Tables in files: which kind a file is, and the rows of a .csv as text. Nothing is known here of what they mean."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from services.errors import InputError
from services.intake.values import Cell
from services.intake.workbooks import read_workbook

# A row's number as a person sees it in the sheet (the first is 1), and its cells.
Record: TypeAlias = tuple[int, list[Cell]]

MAX_BYTES: Final = 50 * 1024 * 1024
KINDS: Final = (".xlsx", ".csv", ".jsonl")

_CHUNK = 1 << 20


def kind_of(path: Path) -> str:
    """The kind of a file of applications, one of ``KINDS``.

    Raises InputError, naming the file, for one that is not there, empty, too large or of another kind.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise InputError("只接受 .xlsx、.csv 或 .jsonl 文件 / only .xlsx, .csv and .jsonl are taken", place=path.name)
    try:
        if not path.is_file():
            raise InputError("文件不存在 / there is no such file", place=path.name)
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError:
        raise InputError("文件无法读取 / the file cannot be read", place=path.name) from None
    if size == 0:
        raise InputError("文件是空的 / the file is empty", place=path.name)
    if size > MAX_BYTES:
        raise InputError("文件超过 50 MB，请分批导入 / larger than 50 MB; import it in parts", place=path.name)
    return kind


def read_table(path: Path, kind: str) -> Iterator[Record]:
    """The rows of a sheet, blank ones too. Raises InputError, naming file and row, where it cannot be read."""
    return read_workbook(path) if kind == ".xlsx" else _read_csv(path)


def _read_csv(path: Path) -> Iterator[Record]:
    number = 0
    with path.open(encoding=_encoding(path), newline="") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            for number, row in enumerate(reader, start=1):
                yield number, list(row)
        except csv.Error:
            raise InputError(
                f"第 {number + 1} 行无法读取：引号不成对或内容过长 / "
                f"row {number + 1} cannot be read: a quotation mark is missing, or a cell is too long",
                place=path.name,
            ) from None


def _encoding(path: Path) -> str:
    """UTF-8 (with its mark or without) if the whole file is, else GB 18030; read through once, in pieces."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if b"\0" in chunk:
                raise InputError(
                    "不是文本文件，或以 UTF-16 保存；请另存为“CSV UTF-8” / "
                    "not text, or saved as UTF-16; save it as CSV UTF-8",
                    place=path.name,
                )
    for encoding in ("utf-8-sig", "gb18030"):
        if _decodes(path, encoding):
            return encoding
    raise InputError("编码既非 UTF-8 也非 GB 18030 / the text is neither UTF-8 nor GB 18030", place=path.name)


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
