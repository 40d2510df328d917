from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.errors import InputError
from services.intake import sheets
from services.intake.rows import Row, read_applications


@pytest.fixture
def read(districts, today):
    def read(path: Path) -> Iterator[Row]:
        return read_applications(path, districts=districts, today=today)

    return read


def only(rows: Iterator[Row]) -> Row:
    (row,) = rows
    return row


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_either_encoding(read, csv_of, cells, encoding):
    row = only(read(csv_of(cells | {"姓名": "王㛃"}, encoding=encoding)))
    assert row.number == 2
    assert row.problems == ()
    assert row.application.person.name == "王㛃"
    assert row.application.district == "370303"
    assert row.application.children[0].relation == "daughter"


def test_english_headings_in_any_order_and_width(read, tmp_path):
    path = tmp_path / "x.CSV"
    head = "term_years,Grounds,ＮＡＭＥ,id_number, received_on ,application_number,station,district,"
    head += "residence_registered_on,intends_half_year,from_outside_county"
    path.write_text(head + "\n1,,王小明,370123198503029965,20141008,A-1,科苑,370303,2013/3/1,yes,TRUE\n")
    row = only(read(path))
    assert row.problems == ()
    assert row.application.term_years == 1
    assert row.application.declared.wants_to_start_business is False


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("申请编号", ""),
        ("申请编号", "2.0141E+15"),
        ("受理日期", "2014-11-04"),
        ("受理日期", "昨天"),
        ("区县", "历下区"),
        ("派出所", ""),
        ("姓名", ""),
        ("姓名", "字" * 61),
        ("公民身份号码", ""),
        ("公民身份号码", "370123198503029960"),
        ("公民身份号码", "3.70123E+17"),
        ("手机号码", "无"),
        ("居住地址", "长" * 201),
        ("申领期限", "5年"),
        ("申领情形", ""),
        ("申领情形", "探亲"),
        ("居住登记日期", "2015-01-01"),
        ("拟居住半年以上", ""),
        ("来自本县以外", "或许"),
        ("子女", "王一"),
        ("子女", "王一/2014-10-09/女"),
        ("有创业需求", "maybe"),
    ],
)
def test_what_is_wrong_is_told_under_its_heading(read, csv_of, cells, heading, text):
    row = only(read(csv_of(cells | {heading: text})))
    assert row.application is None
    assert [problem.field for problem in row.problems] == [heading]


def test_several_problems_of_a_row_are_told_in_the_order_of_the_columns(read, csv_of, cells):
    row = only(read(csv_of(cells | {"来自本县以外": "", "公民身份号码": "12", "受理日期": "x", "手机号码": "无"})))
    assert [problem.field for problem in row.problems] == ["受理日期", "公民身份号码", "手机号码", "来自本县以外"]


def test_problems_bear_no_persons_values(read, csv_of, cells):
    row = only(read(csv_of(cells | {"公民身份号码": "370123198503029960", "子女": "王一/王一", "申领期限": "王小明"})))
    assert not [value for value in ("37012319", "王") if value in repr(row)]


def test_one_of_several_children_says_which(read, csv_of, cells):
    row = only(read(csv_of(cells | {"子女": "甲/2008-05-01;乙/1980-01-01/子"})))
    assert row.problems[0].field == "子女"
    assert row.problems[0].zh.startswith("第2项")


def test_rows_are_numbered_as_the_sheet_shows_them(read, tmp_path, csv_of, cells):
    text = csv_of(cells, cells).read_text(encoding="utf-8")
    head, first, second = text.splitlines()
    path = tmp_path / "gaps.csv"
    # A blank row, a cell of two lines, a row of commas only.
    path.write_text(
        "\n".join(["", head, first.replace("柳泉路1号", '"柳泉路\n1号"'), "", "," * 14, second]), encoding="utf-8"
    )
    assert [row.number for row in read(path)] == [3, 6]


def test_the_templates_sample_is_passed_over(read, csv_of, cells):
    rows = list(read(csv_of(cells | {"申请编号": "示例-可删除", "姓名": ""}, cells)))
    assert [row.number for row in rows] == [3]


def test_the_fixture_is_carried_and_not_judged(read, csv_of, cells):
    path = csv_of(cells | {"演示核验": "any thing"}, cells, headings=[*cells, "演示核验"])
    assert [row.fixture_text for row in read(path)] == ["any thing", None]


def test_a_row_wider_than_the_headings_is_refused(read, csv_of, cells):
    path = csv_of(cells)
    path.write_text(path.read_text(encoding="utf-8") + ",more", encoding="utf-8")
    row = only(read(path))
    assert row.application is None
    assert [problem.field for problem in row.problems] == ["整行"]


def test_blank_cells_beyond_the_headings_do_no_harm(read, csv_of, cells):
    path = csv_of(cells)
    path.write_text(path.read_text(encoding="utf-8") + ",,, ", encoding="utf-8")
    assert only(read(path)).application


def test_headings_without_rows_give_none(read, csv_of):
    assert list(read(csv_of())) == []


@pytest.mark.parametrize(
    ("headings", "place"),
    [
        (lambda titles: [*titles, "备注"], "备注"),
        (lambda titles: [*titles, "姓名"], "姓名"),
        (lambda titles: [*titles, "name"], "name"),
        (lambda titles: [title for title in titles if title != "公民身份号码"], "公民身份号码"),
        (lambda titles: [*titles, "演示核验", "demo_facts"], "demo_facts"),
        (lambda titles: [";".join(titles)], "列名"),
    ],
)
def test_headings_that_do_not_fit_are_named_at_once(read, csv_of, cells, headings, place):
    with pytest.raises(InputError) as caught:
        read(csv_of(cells, headings=headings(list(cells))))
    assert caught.value.place == place


def test_a_file_without_headings_is_refused_without_repeating_it(read, tmp_path, cells):
    path = tmp_path / "x.csv"
    path.write_text(",".join(cells.values()), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read(path)
    assert not [value for value in cells.values() if value in str(caught.value)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"\n\n \n"),
        ("a.csv", b"\xef\xbb\xbf"),
        ("a.csv", "姓名,".encode("utf-16")),
        ("a.csv", b"a,b\0c\n"),
        ("a.csv", b"\xff\xff\xff"),
        ("a.csv", b'"unclosed,\n'),
        ("a.csv", b"x" * 200_000),
        ("a.xls", b"x"),
        ("a.txt", b"x"),
        ("a", b"x"),
        ("a.xlsx", b"PK\x03\x04nonsense"),
        ("a.xlsx", b"plain"),
        ("a.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600),
    ],
)
def test_rubbish_is_refused_in_one_line_that_names_the_file(read, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read(path))
    assert caught.value.place in {name, "列名"}
    assert "\n" not in str(caught.value)


def test_a_quotation_mark_left_open_names_the_row(read, csv_of, cells):
    path = csv_of(cells, cells, cells | {"姓名": '"王'})
    with pytest.raises(InputError, match="第 4 行"):
        list(read(path))


def test_what_is_no_file_is_refused(read, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for path in (tmp_path / "none.csv", tmp_path / "folder.csv", tmp_path / ("n" * 300 + ".csv")):
        with pytest.raises(InputError):
            read(path)


def test_a_file_too_large_is_refused_before_it_is_read(read, csv_of, cells, monkeypatch):
    path = csv_of(cells)
    monkeypatch.setattr(sheets, "MAX_BYTES", path.stat().st_size)
    assert only(read(path))
    monkeypatch.setattr(sheets, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(InputError, match="50 MB"):
        read(path)
