from __future__ import annotations

import contextlib
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.values import (
    CellError,
    as_text,
    read_children,
    read_day,
    read_flag,
    read_grounds,
    read_term,
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("", ""),
        ("  王 小明\n", "王 小明"),
        ('="370303198503029974"', "370303198503029974"),
        ("'370303198503029974", "370303198503029974"),
        (3.0, "3"),
        (13800000000.0, "13800000000"),
        (2.5, "2.5"),
        (370303198503029974, "370303198503029974"),
        (3.70303198503029974e17, "3.7030319850303E+17"),
        (True, "True"),
        (date(2014, 10, 8), "2014-10-08"),
        (datetime(2014, 10, 8), "2014-10-08"),  # noqa: DTZ001  # a sheet knows no zone
        (datetime(2014, 10, 8, 9, 30), "2014-10-08T09:30:00"),  # noqa: DTZ001  # as above
        (time(9, 30), "09:30:00"),
        (timedelta(days=1), "1 day, 0:00:00"),
        (float("nan"), "NAN"),
        (float("inf"), "INF"),
    ],
)
def test_a_cell_becomes_the_text_that_was_typed(cell, text):
    assert as_text(cell) == text


@pytest.mark.parametrize(
    "text",
    [
        "2014-10-08",
        "2014-10-8",
        "2014/10/8",
        "2014.10.08",
        "20141008",
        "2014年10月8日",
        "２０１４－１０－０８",
        "2014-10-08 00:00:00",
    ],
)
def test_a_day_is_read_in_the_ways_it_is_written(text):
    assert read_day(text) == date(2014, 10, 8)


@pytest.mark.parametrize(
    "text",
    [
        "2014-02-30",
        "2014-13-01",
        "08/10/2014",
        "2014-10/08",
        "14-10-08",
        "41920",
        "2014-10-08 09:30",
        "2014",
        "十月八日",
        "0000-01-01",
    ],
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(CellError):
        read_day(text)


@given(
    st.dates(),
    st.sampled_from(
        ["{0.year:04d}-{0.month}-{0.day}", "{0.year:04d}年{0.month}月{0.day}日", "{0.year:04d}{0.month:02d}{0.day:02d}"]
    ),
)
def test_every_day_is_read_back(day, way):
    assert read_day(way.format(day)) == day


@pytest.mark.parametrize(
    ("text", "value"),
    [("是", True), ("YES", True), ("TRUE", True), ("1", True), ("否", False), ("No", False), ("0", False)],
)
def test_yes_and_no(text, value):
    assert read_flag(text) is value


@pytest.mark.parametrize("text", ["不知道", "2", "-", "是否"])
def test_what_is_neither_yes_nor_no_is_refused(text):
    with pytest.raises(CellError):
        read_flag(text)


@pytest.mark.parametrize(("text", "term"), [("1", 1), ("1年", 1), ("三年期", 3), ("３ 年", 3)])
def test_terms(text, term):
    assert read_term(text) == term


@pytest.mark.parametrize("text", ["2年", "两年", "10", "1.5"])
def test_other_terms_are_refused(text):
    with pytest.raises(CellError):
        read_term(text)


@pytest.mark.parametrize(
    "text", ["就业、住房", "employment,housing", "就业；住房；", "就业 住房", "就业\n住房", "Employment，住房"]
)
def test_grounds_are_parted_in_every_usual_way(text):
    assert read_grounds(text) == ("employment", "housing")


def test_an_unknown_ground_is_refused():
    with pytest.raises(CellError):
        read_grounds("就业、投靠亲友")


@pytest.mark.parametrize(
    ("text", "child"),
    [
        ("王一/2008-05-01/女", ("王一", date(2008, 5, 1), "female", "daughter", None)),
        ("王一／2008/5/1／儿子", ("王一", date(2008, 5, 1), "male", "son", None)),
        ("2008/5/1", (None, date(2008, 5, 1), None, None, None)),
        ("/20080501", (None, date(2008, 5, 1), None, None, None)),
        ("王一/2008年5月1日/被监护人/监2008/12", ("王一", date(2008, 5, 1), None, "ward", "监2008/12")),
        ("王一/2008-05-01//A123", ("王一", date(2008, 5, 1), None, None, "A123")),
    ],
)
def test_a_child_is_read(text, child):
    (read,) = read_children(text)
    assert (read["name"], read["born_on"], read["sex"], read["relation"], read["proof"]) == child


def test_children_are_parted_by_semicolons():
    assert [child["name"] for child in read_children("甲/2008-05-01/子;乙/2010-01-01；丙/2012-02-29/女;")] == [
        "甲",
        "乙",
        "丙",
    ]


@pytest.mark.parametrize("text", ["王一", "王一/2008", "王一/2008-05-01/侄子", "甲/2008-05-01;王一 2008-05-01"])
def test_a_child_that_cannot_be_read_is_told_by_its_place_only(text):
    with pytest.raises(CellError) as caught:
        read_children(text)
    assert f"第{2 if ';' in text else 1}名" in caught.value.reason.zh
    assert "王一" not in caught.value.reason.zh + caught.value.reason.en


def test_a_childs_day_must_exist():
    with pytest.raises(CellError) as caught:
        read_children("王一/2009-02-29/女")
    assert "出生日期" in caught.value.reason.zh


@given(st.text(max_size=40), st.sampled_from([read_day, read_flag, read_term, read_grounds, read_children]))
def test_any_text_is_read_or_refused(text, read):
    with contextlib.suppress(CellError):
        read(text)
