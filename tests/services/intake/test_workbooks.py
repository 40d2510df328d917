from __future__ import annotations

import contextlib
import random
import zipfile
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from services.errors import InputError
from services.intake import workbooks
from services.intake.columns import COLUMNS
from services.intake.rows import read_applications


def write_book(path: Path, cells: dict, *, skip_rows: int = 0, columns: int = 0, first_hidden: bool = False) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        if first_hidden:
            hidden = book.add_worksheet("别处")
            hidden.write("A1", "x")
        sheet = book.add_worksheet("申请")
        if first_hidden:
            sheet.activate()
            hidden.hide()
        day = book.add_format({"num_format": "yyyy/m/d"})
        for position, column in enumerate(COLUMNS):
            sheet.write(skip_rows, columns + position, column.title)
            value = cells.get(column.title, "")
            sheet.write(skip_rows + 1, columns + position, value, *([day] if isinstance(value, date) else []))
    return path


@pytest.fixture
def read(districts, today):
    return lambda path: list(read_applications(path, districts=districts, today=today))


def test_a_workbook_is_read_with_real_dates_numbers_and_truths(read, tmp_path, cells):
    typed = {"受理日期": date(2014, 10, 8), "居住登记日期": date(2013, 3, 1), "申领期限": 3, "手机号码": 15400000000}
    (row,) = read(write_book(tmp_path / "a.xlsx", cells | typed | {"拟居住半年以上": True, "有创业需求": False}))
    assert row.problems == ()
    assert row.number == 2
    assert row.application.received_on == date(2014, 10, 8)
    assert row.application.person.phone == "15400000000"


def test_an_id_number_kept_as_a_number_lost_its_end_and_says_so(read, tmp_path, cells):
    (row,) = read(write_book(tmp_path / "a.xlsx", cells | {"公民身份号码": 370123198503029965}))
    assert [problem.field for problem in row.problems] == ["公民身份号码"]
    assert "文本" in row.problems[0].zh


def test_an_application_number_of_many_digits_must_be_text(read, tmp_path, cells):
    (row,) = read(write_book(tmp_path / "a.xlsx", cells | {"申请编号": 2014100800000001}))
    assert [problem.field for problem in row.problems] == ["申请编号"]


def test_rows_are_numbered_as_the_sheet_shows_them_wherever_the_table_stands(read, tmp_path, cells):
    (row,) = read(write_book(tmp_path / "a.xlsx", cells, skip_rows=3, columns=2))
    assert row.number == 5
    assert row.application


def test_the_first_sheet_that_is_seen_is_read(read, tmp_path, cells):
    (row,) = read(write_book(tmp_path / "a.xlsx", cells, first_hidden=True))
    assert row.application


def test_an_empty_workbook_says_so(read, tmp_path):
    xlsxwriter.Workbook(str(tmp_path / "a.xlsx")).close()
    with pytest.raises(InputError, match="没有内容"):
        read(tmp_path / "a.xlsx")


def test_a_stray_cell_far_away_is_refused_and_ends_no_process(read, tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "申请编号")
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(InputError, match="范围过大"):
        read(path)


def rewrite(path: Path, name: str, change) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {part.filename: archive.read(part) for part in archive.infolist()}
    parts[name] = change(parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    "cells_far_away",
    [
        b'<row r="9999999"><c r="XFD9999999"><v>1</v></c></row>',
        b"<row r='9999999'><c  r = 'XFD9999999'><v>1</v></c></row>",
        b'<row r="9999999"><c x="r=&quot;A1&quot;" r="XFD9999999"><v>1</v></c></row>',
        b'<row r="9999999">' + b"<c/>" * 16_000 + b"<c><v>1</v></c></row>",
        b'<y:row xmlns:y="urn:any" r="9999999"><y:c r="XFD9999999"/></y:row>',
    ],
)
def test_a_far_cell_is_found_however_it_is_written(read, tmp_path, cells, cells_far_away):
    path = write_book(tmp_path / "a.xlsx", cells)
    rewrite(path, SHEET, lambda xml: xml.replace(b"</sheetData>", cells_far_away + b"</sheetData>"))
    with pytest.raises(InputError, match="范围过大"):
        read(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + xml.partition(b"?>")[2],
        lambda xml: xml[:-20],
        lambda xml: xml.replace(b'r="A1"', b'r="??"'),
        lambda _: b"",
        lambda _: b"\xff\xfe<",
        lambda _: b"plain",
        lambda xml: xml.replace(b"UTF-8", b"UTX-8"),
    ],
)
def test_a_sheet_that_is_not_what_it_should_be_is_refused(read, tmp_path, cells, change):
    path = rewrite(write_book(tmp_path / "a.xlsx", cells), SHEET, change)
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.place == "a.xlsx"


def test_a_bomb_is_refused_by_what_it_says_of_itself(read, tmp_path, cells, monkeypatch):
    path = write_book(tmp_path / "a.xlsx", cells)
    rewrite(path, "docProps/app.xml", lambda xml: xml + b"<!--" + b"x" * 3_000_000 + b"-->")
    assert path.stat().st_size < 30_000
    assert read(path) if workbooks.MAX_TEXT > 3_000_000 else True
    monkeypatch.setattr(workbooks, "MAX_INFLATED", 1_000_000)
    with pytest.raises(InputError, match="过大"):
        read(path)


def test_a_bomb_that_lies_about_its_size_is_refused_too(read, tmp_path, cells, monkeypatch):
    path = write_book(tmp_path / "a.xlsx", cells)
    rewrite(path, "docProps/app.xml", lambda xml: xml + b" " * 3_000_000)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        true_size = archive.getinfo("docProps/app.xml").file_size
    path.write_bytes(content.replace(true_size.to_bytes(4, "little"), (900).to_bytes(4, "little")))
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("docProps/app.xml").file_size == 900
    monkeypatch.setattr(workbooks, "MAX_INFLATED", 1_000_000)
    with pytest.raises(InputError, match="过大"):
        read(path)


def test_an_encrypted_part_is_refused(read, tmp_path, cells):
    path = write_book(tmp_path / "a.xlsx", cells)
    content = bytearray(path.read_bytes())
    for start in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[start] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="密码"):
        read(path)


def test_damage_anywhere_is_refused_or_read_and_never_worse(read, tmp_path, cells):
    """Bytes of the sheet's parts changed at random, inside and outside the archive."""
    path = write_book(tmp_path / "a.xlsx", cells)
    whole = path.read_bytes()
    draw = random.Random(2003)  # noqa: S311  # the same damage every time
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    for turn in range(150):
        path.write_bytes(whole)
        if turn % 3:
            rewrite(path, draw.choice(names), lambda xml: _hurt(xml, draw))
        else:
            path.write_bytes(_hurt(whole, draw))
        with contextlib.suppress(InputError):
            read(path)


def _hurt(content: bytes, draw: random.Random) -> bytes:
    hurt = bytearray(content)
    for _ in range(draw.randrange(1, 6)):
        hurt[draw.randrange(len(hurt))] = draw.choice(b'<>/"=0A9\x00\xff &;')
    return bytes(hurt)
