"""``lianban import``: good rows go in, bad ones come back with row, field and reason; again adds nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from api.demo.run import APPLICATIONS
from api.demo.sheet import cells_of, write_sheet
from tests.testing.people import application


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """Three good rows, one with a broken number, one without a district."""
    rows = [cells_of(application()) for _ in range(5)]
    rows[1]["公民身份号码"] = rows[1]["公民身份号码"][:-1] + ("0" if rows[1]["公民身份号码"][-1] != "0" else "1")
    rows[3]["区县"] = ""
    path = tmp_path / "applications.csv"
    write_sheet(path, rows)
    return path


def test_good_rows_go_in_and_bad_ones_come_back(installed, sheet):
    said = installed("import", sheet)
    assert (said.code, said.err) == (0, "")
    assert "5 rows: 3 new, 0 known, 2 sent back." in said.out
    with sheet.with_name("applications.rejected.csv").open(encoding="utf-8-sig") as rejects:
        rows = list(csv.reader(rejects))[1:]
    assert [int(row[0]) for row in rows] == [3, 5]
    assert ["公民身份号码" in row for row in rows] == [True, False]
    assert ["区县" in row for row in rows] == [False, True]


def test_the_same_file_again_adds_nothing(installed, sheet):
    installed("import", sheet)
    said = installed("import", sheet)
    assert "5 rows: 0 new, 3 known, 2 sent back." in said.out
    assert installed("status", "--json").out.count('"received": 3') == 1


def test_a_bad_row_put_right_goes_in(installed, sheet):
    installed("import", sheet)
    text = sheet.read_text(encoding="utf-8-sig").splitlines()
    fixed = cells_of(application())
    text[2] = ",".join(f'"{value}"' for value in fixed.values())
    sheet.write_text("\n".join(text), encoding="utf-8")
    assert "5 rows: 1 new, 3 known, 1 sent back." in installed("import", sheet).out


def test_no_personal_data_is_printed(installed, sheet):
    with sheet.open(encoding="utf-8-sig") as rows:
        people = list(csv.DictReader(rows))
    said = installed("import", sheet)
    for one in people:
        for heading in ("姓名", "公民身份号码", "联系电话"):
            assert not one.get(heading) or one[heading] not in said.out + said.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.csv", None),
        ("empty.csv", b""),
        ("notes.pdf", b"%PDF-1.4"),
        ("broken.xlsx", b"PK\x03\x04 no workbook"),
        ("headless.csv", "甲,乙,丙\n1,2,3\n".encode()),
        ("binary.csv", bytes(range(256)) * 20),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(installed, tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    said = installed("import", path)
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    assert "Traceback" not in said.err
    # A file without headings is named by the row that lacks them.
    assert name in said.err or name == "headless.csv"


def test_without_a_database_it_says_what_to_do(lianban, sheet):
    said = lianban("import", sheet)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "lianban migrate" in said.err


def test_the_shipped_file_goes_in(installed, tmp_path):
    path = tmp_path / "demo.csv"
    path.write_bytes(APPLICATIONS.read_bytes())
    said = installed("import", path)
    assert said.code == 0
    assert "200 rows" in said.out
