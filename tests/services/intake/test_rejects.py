from __future__ import annotations

import csv

import pytest

from services.errors import InputError
from services.intake.problems import Problem
from services.intake.rejects import Reject, harmless, rejected_path, write_rejects


def test_every_problem_is_a_line_beside_the_file(tmp_path):
    path = tmp_path / "一月.xlsx"
    rejects = [Reject(2, Problem("姓名", "不能为空", "must not be empty")), Reject(2, Problem("区县", "甲", "a"))]
    written = write_rejects(path, rejects)
    assert written == tmp_path / "一月.rejected.csv" == rejected_path(path)
    assert written.read_bytes().startswith(b"\xef\xbb\xbf")
    with written.open(encoding="utf-8-sig", newline="") as lines:
        assert list(csv.reader(lines)) == [
            ["行号", "字段", "原因", "reason"],
            ["2", "姓名", "不能为空", "must not be empty"],
            ["2", "区县", "甲", "a"],
        ]


def test_without_rejects_nothing_is_written_and_what_was_left_is_removed(tmp_path):
    path = tmp_path / "a.csv"
    write_rejects(path, [Reject(2, Problem("姓名", "不能为空", "must not be empty"))])
    assert write_rejects(path, []) is None
    assert not rejected_path(path).exists()
    assert write_rejects(path, []) is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_spreadsheet_runs_nothing_of_it(tmp_path, text):
    assert harmless(text) == f"'{text}"
    written = write_rejects(tmp_path / "a.csv", [Reject(2, Problem(text, text, text))])
    with written.open(encoding="utf-8-sig", newline="") as lines:
        assert all(cell.startswith("'") for cell in list(csv.reader(lines))[1][1:])


def test_harmless_text_stays_as_it_is():
    assert harmless("姓名 = 甲") == "姓名 = 甲"


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "a.rejected.csv").mkdir()
    with pytest.raises(InputError) as caught:
        write_rejects(tmp_path / "a.csv", [Reject(2, Problem("姓名", "甲", "a"))])
    assert caught.value.place == "a.rejected.csv"
