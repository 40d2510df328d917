"""Refusals reach an official in Chinese."""

from __future__ import annotations

import pytest

from api.console.refusals import in_words
from services.errors import AccessError, ConflictError


@pytest.mark.parametrize(
    ("detail", "place", "told"),
    [
        ("is closed; from there it cannot be running", "retry", "目前状态为“closed”"),
        ("is closed; only an application without a decision can be withdrawn; nothing was done",
         "370303-2014-000001", "370303-2014-000001：目前为“已办结”，只有尚未决定的申请可以撤回"),
        ("is more than 20000 steps; narrow the selection", "retry", "超过 20000 项，请缩小范围"),
    ],
)  # fmt: skip
def test_a_refusal_is_said_in_chinese(detail: str, place: str, told: str) -> None:
    error = ConflictError(detail, place=place)
    words = in_words(error, "zh")
    assert words.startswith(told.replace("“closed”", "“已办结”"))
    assert in_words(error, "en") == f"{place}: {detail}"


def test_what_is_not_known_is_shown_as_it_was_said() -> None:
    assert in_words(AccessError("something new", place="x"), "zh") == "x: something new"
