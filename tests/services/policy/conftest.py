"""What the policy tests share: the shipped pack, and questions of every sort."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import strategies as st

from services.policy.question import FACTS, GROUNDS, HeldPermit, Question
from services.policy.registry import default_registry

EDGES = [
    date(y, m, d)
    for y in (1998, 2000, 2008, 2009, 2012, 2015)
    for m, d in ((1, 1), (2, 28), (3, 1), (8, 31), (9, 1), (12, 31))
] + [date(y, 2, 29) for y in (1996, 2000, 2004, 2008, 2012)]


def days(first, last):
    """Days between two, with the awkward ones of the calendar drawn often."""
    edges = [day for day in EDGES if first <= day <= last]
    anywhere = st.dates(first, last)
    return st.one_of(anywhere, st.sampled_from(edges)) if edges else anywhere


@st.composite
def _questions(draw, live=False):
    """Any valid question; ``live``: one with a permit in force, under the pack."""
    on = draw(days(date(2014, 10, 1), date(2021, 12, 31)))
    permit = None
    if live or draw(st.booleans()):
        valid_from = on - timedelta(days=draw(st.integers(0 if live else -40, 800)))
        valid_until = max(valid_from, on) if live else valid_from
        valid_until += timedelta(days=draw(st.integers(0, 1096)))
        permit = HeldPermit(draw(st.sampled_from([1, 3])), valid_from, valid_until)
    outside = not live and draw(st.integers(0, 9)) == 0  # else a quarter would end at A16
    received = (date(2014, 9, 25), date(2019, 1, 10)) if outside else (date(2014, 10, 1), date(2018, 12, 31))
    term = draw(st.sampled_from([1, 3]))
    known = draw(st.sets(st.sampled_from(FACTS)))
    facts = {fact: draw(st.booleans()) for fact in FACTS if fact in known}
    if draw(st.booleans()):  # else most questions would end at a gate
        facts |= {"identity_matches": True, "residence_registered": True}
    return Question(
        on=on,
        received_on=draw(days(received[0], min(on, received[1]))),
        term_years=term,
        grounds=tuple(draw(st.lists(st.sampled_from(GROUNDS), min_size=int(term == 3), max_size=4))),
        born_on=draw(st.one_of(days(date(1940, 1, 1), on), days(on - timedelta(days=7000), on))),
        sex=draw(st.sampled_from(["male", "female"])),
        registered_on=draw(st.one_of(days(on - timedelta(days=500), on), days(date(2000, 1, 1), on))),
        intends_half_year=draw(st.integers(0, 9)) > 0,
        from_outside_county=draw(st.integers(0, 9)) > 0,
        permit=permit,
        children=tuple(draw(st.lists(days(on - timedelta(days=7000), on), max_size=4))),
        declared=draw(st.sampled_from([frozenset(), frozenset({"wants_to_start_business"})])),
        facts=facts,
    )


@pytest.fixture(scope="session")
def questions():
    """A strategy for questions: ``data.draw(questions())``, ``questions(live=True)``."""
    return _questions


@pytest.fixture(scope="session")
def pack():
    return default_registry().named("zibo-2014-87")
