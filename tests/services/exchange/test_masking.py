"""What is kept of an answer: bounded, printable, and nobody recognisable in it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from services.exchange.masking import excerpt, mask

NUMBER = "44052418800101001X"


def test_numbers_and_phones_are_masked():
    assert mask(f"身份证{NUMBER}，电话13800001234") == "身份证440524********001X，电话138****1234"
    assert mask("440524800101001") == "440524*****1001"
    assert mask("４４０５２４１８８００１０１００１４") == "４４０５２４********００１４"
    assert mask("370303-2014-000123 2014-11-03 201411031200") == "370303-2014-000123 2014-11-03 201411031200"


@given(st.text(max_size=30), st.from_regex(r"[1-9]\d{16}[\dX]", fullmatch=True), st.text(max_size=30))
def test_no_id_number_is_left_whole(before, number, after):
    assert number not in mask(before + number + after)


def test_what_the_receiver_echoes_is_struck_out():
    echo = {"error": {"input": {"name": "测试甲", "born_on": "1880-01-01", "id_number": NUMBER}}}
    for body in (json.dumps(echo), json.dumps(echo, ensure_ascii=False), f"<b>测试甲</b> 1880-01-01 {NUMBER}"):
        kept = excerpt(body.encode(), ["测试甲", NUMBER, "1880-01-01"])
        assert kept is not None
        assert not any(value in kept for value in ("测试甲", NUMBER, "1880-01-01", "\\u"))


@given(st.integers(0, 2_500), st.integers(0, 60))
def test_what_a_cut_goes_through_is_not_kept_either(padding, people):
    """However many values shrink to stars before it, no half of a value comes to stand within the excerpt."""
    values = [f"{'甲乙丙丁'[n % 4]}路{n:03d}号" * 12 for n in range(people)]
    body = ("x" * padding + "".join(values)).encode()
    kept = excerpt(body, values) or ""
    assert "路" not in kept
    assert len(kept) <= 500


@given(st.binary(max_size=3_000))
def test_an_excerpt_is_bounded_and_printable(body):
    kept = excerpt(body)
    assert kept is None or (len(kept) <= 500 and "\n" not in kept and "\x00" not in kept)


def test_nothing_is_kept_of_nothing():
    assert excerpt(b"") is None
    assert excerpt(b" \n") is None
    long = excerpt("长".encode() * 900)
    assert long is not None
    assert long.endswith("…")
