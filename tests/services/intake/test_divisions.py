from __future__ import annotations

import pytest

from services.intake.divisions import Districts


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("370303", "370303"),
        ("张店区", "370303"),
        (" 张 店 区 ", "370303"),
        ("淄博市张店区", "370303"),
        ("山东省淄博市沂源县", "370323"),
        ("淄博高新区", "3703-gaoxin"),
        ("３７０３０３", "370303"),
        ("3703-wenchanghu", "3703-wenchanghu"),
        ("济南高新区", None),
        ("历下区", None),
        ("370399", None),
        ("", None),
    ],
)
def test_a_district_is_found_by_code_or_name(districts, text, code):
    assert districts.find(text) == code


def test_the_pack_lists_ten(districts):
    assert len(districts) == 10
    assert "370303" in districts
    assert "张店区" not in districts
    assert all(districts.find(name) == code for code, name in districts.names.items())


def test_two_districts_of_one_name_are_refused():
    with pytest.raises(ValueError, match="same name"):
        Districts({"370303": "张店区", "370304": "张店区"})


def test_districts_cannot_be_changed_behind_their_back():
    names = {"370303": "张店区"}
    districts = Districts(names)
    names["370304"] = "博山区"
    assert list(districts) == ["370303"]
