"""The next day on which the answer changes by time alone: one case for each thing that time changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.policy.decide import decide
from services.policy.question import HeldPermit, Question

ON = date(2015, 6, 1)
SETTLED = {"social_insurance": True, "housing_fund_12_months": True, "honour": True, "housing_poor": True}
OPEN = {"identity_matches": True, "residence_registered": True}
ASKED = Question(
    on=ON,
    received_on=date(2015, 5, 20),
    term_years=3,
    grounds=("business",),
    born_on=date(1985, 3, 2),
    sex="male",
    registered_on=date(2010, 1, 1),
    intends_half_year=True,
    from_outside_county=True,
    facts={**OPEN, **SETTLED, "business_licence": True, "low_income": True},
)
HELD = HeldPermit(3, date(2015, 6, 1), date(2018, 5, 31))


@pytest.mark.parametrize(
    ("what", "changes", "expected"),
    [
        ("the permit's end", {}, date(2018, 6, 1)),
        ("the same, a permit in hand", {"permit": HELD}, date(2018, 6, 1)),
        ("the last day of the permit", {"permit": HELD, "on": date(2018, 5, 31)}, date(2018, 6, 1)),
        ("a permit that is not yet in force", {"permit": HELD, "on": date(2015, 5, 30)}, date(2015, 6, 1)),
        ("a permit that has ended", {"permit": HELD, "on": date(2018, 6, 1)}, None),
        ("a full year of residence", {"registered_on": date(2014, 10, 8)}, date(2015, 10, 8)),
        ("the holder's birthday begins something", {"born_on": date(1950, 8, 9)}, date(2015, 8, 9)),
        ("the holder's birthday ends something", {"born_on": date(1965, 8, 9)}, date(2015, 8, 9)),
        ("a child turns 7: no more immunisation", {"children": (date(2009, 3, 4),)}, date(2015, 9, 1)),
        ("a child leaves school", {"children": (date(2000, 3, 4),)}, date(2015, 9, 1)),
        ("a child is born to turn 3", {"children": (date(2012, 7, 4),)}, date(2015, 7, 4)),
        ("a child turns 18", {"children": (date(1997, 7, 4),)}, date(2015, 7, 4)),
        ("a refusal stays", {"intends_half_year": False}, None),
        ("a wait waits for facts, not for time", {"facts": {}}, None),
        ("no policy", {"received_on": date(2014, 9, 1)}, None),
    ],
)
def test_next_change(what, changes, expected, pack):
    assert decide(pack, replace(ASKED, **changes)).next_change == expected, what


def test_an_unknown_service_opens_before_any_other_change(pack):
    """Rent subsidy, its income unknown, opens with tier 2, which alone would change nothing else first."""
    facts = {fact: known for fact, known in ASKED.facts.items() if fact != "low_income"}
    question = replace(ASKED, facts=facts, registered_on=date(2014, 10, 8), permit=HELD)
    before = decide(pack, question).entitlements["ZB87-3.2.4"]
    assert (before.state, before.opens) == ("unknown", date(2015, 10, 8))
    after = decide(pack, replace(question, on=date(2015, 10, 8))).entitlements["ZB87-3.2.4"]
    assert (after.state, after.opens) == ("unknown", date(2015, 10, 8))
