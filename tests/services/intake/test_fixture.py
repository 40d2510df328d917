from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InputError
from services.intake.fixture import FACTS, read_fixture
from services.policy.registry import default_registry


def test_facts_and_services_are_told_apart():
    fixture = read_fixture(
        "labour_contract=yes, home_owned=no；social_insurance=later service:ZB87-3.1.6b=decline:not-eligible"
    )
    assert fixture.facts == {"labour_contract": "yes", "home_owned": "no", "social_insurance": "later"}
    assert fixture.services == {"ZB87-3.1.6b": "decline:not-eligible"}


@pytest.mark.parametrize("text", [None, "", "  ", " ; "])
def test_nothing_told_means_the_usual(text):
    fixture = read_fixture(text)
    assert [fact for fact in FACTS if fixture.fact(fact) == "yes"] == ["identity_matches", "residence_registered"]
    assert fixture.service("ZB87-3.1.1a") == "yes"


def test_the_usual_can_be_told_otherwise():
    fixture = read_fixture("identity_matches=no honour=never service:ZB87-3.2.4=later")
    assert fixture.fact("identity_matches") == "no"
    assert fixture.fact("honour") == "never"
    assert fixture.service("ZB87-3.2.4") == "later"


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("labour_contract", 1),
        ("labour_contract=maybe", 1),
        ("labour_contract=yes wealth=yes", 2),
        ("labour_contract=yes labour_contract=no", 2),
        ("service:ZB87-3.1.6b=yes service:ZB87-3.1.6b=no", 2),
        ("service:=yes", 1),
        ("home_owned=decline:", 1),
        ("王小明", 1),
    ],
)
def test_a_pair_that_cannot_be_read_is_told_by_its_position(text, position):
    with pytest.raises(InputError, match=f"第 {position} 项") as caught:
        read_fixture(text)
    assert caught.value.place == "演示核验"
    assert "王小明" not in str(caught.value)


def test_a_text_without_end_is_refused():
    with pytest.raises(InputError):
        read_fixture("honour=yes " * 1000)


def test_the_facts_are_the_packs():
    assert tuple(default_registry().named("zibo-2014-87").facts) == FACTS


def test_every_service_of_the_pack_can_be_told():
    for service in default_registry().named("zibo-2014-87").services:
        assert read_fixture(f"service:{service}=no").service(service) == "no"


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(InputError):
        assert {*read_fixture(text).facts} <= {*FACTS}
