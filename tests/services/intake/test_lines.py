from __future__ import annotations

import json

import pytest

from services.intake.rows import read_applications


@pytest.fixture
def read(tmp_path, districts, today):
    def read(*lines: bytes | dict) -> list:
        path = tmp_path / "applications.jsonl"
        texts = [json.dumps(line, ensure_ascii=False).encode() if isinstance(line, dict) else line for line in lines]
        path.write_bytes(b"\n".join(texts))
        return list(read_applications(path, districts=districts, today=today))

    return read


def test_the_form_of_the_http_door_is_read(read, good):
    (row,) = read(good | {"演示核验": "honour=yes"})
    assert row.application.person.name == "王小明"
    assert row.fixture_text == "honour=yes"


def test_a_districts_name_will_do(read, good):
    (row,) = read(good | {"district": "张店区"})
    assert row.application.district == "370303"


def test_flat_lines_under_a_sheets_headings_are_read_the_same(read, cells, good):
    flat, nested = read(cells, good | {"children": [{**good["children"][0], "sex": "female"}]})
    assert flat.application == nested.application


def test_flat_lines_may_hold_numbers_and_truths(read, cells):
    (row,) = read(cells | {"申领期限": 3, "拟居住半年以上": True, "手机号码": None, "公民身份号码": 370123198503029965})
    assert row.problems == ()


def test_lines_are_counted_with_the_blank_ones(read, good):
    rows = read(b"\xef\xbb\xbf" + json.dumps(good).encode(), b"", b"  ", good | {"station": ""})
    assert [(row.number, bool(row.problems)) for row in rows] == [(1, False), (4, True)]


def test_what_is_wrong_is_told_by_path_or_by_heading(read, good, cells):
    nested, flat = read(good | {"term_years": "3"}, cells | {"申领期限": "2"})
    assert [problem.field for problem in nested.problems] == ["term_years"]
    assert [problem.field for problem in flat.problems] == ["申领期限"]


def test_the_sample_is_passed_over(read, good, cells):
    assert read(good | {"application_number": "示例"}, cells | {"申请编号": "示例-1"}) == []


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"person": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"name": "x", "\xe5\xa7\x93\xe5\x90\x8d": "y"}',
        b'{"unknown": 1}',
        b'{"name": ["x"]}',
        b"[" * 50_000,
        b'{"person":' * 5_000,
        b'{"name": ' + b"9" * 6_000 + b"}",
        b'{"name": "' + b"x" * 70_000 + b'"}',
    ],
)
def test_a_line_that_is_no_application_is_a_bad_row_and_the_next_is_read(read, good, line):
    bad, fine = read(line, good)
    assert bad.application is None
    assert bad.problems
    assert fine.application


@pytest.mark.parametrize("value", [None, 5, "x", [], [None], {"born_on": None}])
def test_values_of_any_kind_anywhere_are_problems(read, good, value):
    lines = [{**good, key: value} for key in good]
    for row in read(*lines):
        assert row.application or row.problems
