"""The engine against an independent oracle: slow, plain, day by day, its table written from the reading, not the pack.

The oracle asks of every single day of a permit whether a service is due on it, and reads runs off the row of
answers. It knows nothing of windows, ordinals, profiles or the pack's YAML.
"""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.policy.decide import decide

# id, department, kind, condition: "16" = 16 or more, "<7" = a child under 7, a word = a fact or one of the words below.
TABLE = """
3.1.1a education enrol school | 3.1.1b hrss assess | 3.1.1c hrss assess | 3.1.1d hrss assess
3.1.2a hrss enrol 16 | 3.1.2b hrss public | 3.1.2c hrss enrol 16 | 3.1.2d hrss enrol 16 | 3.1.2e hrss enrol 16
3.1.2f hrss public | 3.1.2g hrss public | 3.1.2h hrss public | 3.1.2i hrss enrol 16 | 3.1.2j hrss enrol 16
3.1.2k hrss public | 3.1.2l trade-union enrol 16 | 3.1.2m trade-union enrol 16
3.1.3a hrss enrol 16 | 3.1.3b hrss assess social_insurance
3.1.4a health public | 3.1.4b health enrol | 3.1.4c health enrol | 3.1.4d health enrol <7 | 3.1.4e health enrol
3.1.4f health enrol bearing
3.1.5a housing-administration assess | 3.1.5b housing-fund assess housing_fund_12_months
3.1.6a justice enrol | 3.1.6b justice assess | 3.1.6c justice public | 3.1.6d hrss enrol | 3.1.6e hrss enrol 16
3.1.6f hrss assess 16
3.1.7a culture enrol | 3.1.7b culture public | 3.1.7c culture public | 3.1.7d culture public | 3.1.7e sports enrol
3.1.8a food-drug public | 3.1.8b food-drug public | 3.1.8c police public | 3.1.8d police public
3.1.8e police public | 3.1.8f education public | 3.1.8g education public
3.1.9a police assess 18 | 3.1.9b police enrol 18 | 3.1.9c police assess | 3.1.9d police assess
3.1.9e police assess | 3.1.9f police assess | 3.1.9g police assess | 3.1.9h police assess | 3.1.9i commerce enrol 18
3.1.10a leading-group-office assess | 3.1.10b leading-group-office assess honour
3.1.11a civil-affairs enrol | 3.1.11b civil-affairs enrol 18
3.2.1a education enrol preschool | 3.2.1b education enrol school | 3.2.1c education enrol school
3.2.2a hrss enrol start | 3.2.2b hrss enrol start | 3.2.2c hrss enrol start | 3.2.2d hrss assess start
3.2.2e finance assess start | 3.2.2f hrss assess start | 3.2.2g hrss assess start | 3.2.2h tax assess start
3.2.2i hrss assess start | 3.2.2j hrss assess 16 | 3.2.2k hrss assess 16
3.2.3a health enrol <18 | 3.2.3b health enrol bearing woman | 3.2.3c health enrol 65 | 3.2.3d health assess
3.2.3e health assess
3.2.4 housing-administration assess housing_poor low_income
"""
SERVICES = {
    f"ZB87-{words[0]}": (words[1], words[2], tuple(words[3:]))
    for words in (cell.split() for line in TABLE.strip().splitlines() for cell in line.split("|"))
}
ASKED_OF = {
    "police": ["identity_matches", "residence_registered", "settlement_conditions"],
    "hrss": ["labour_contract", "social_insurance"],
    "commerce": ["business_licence"],
    "housing-administration": ["home_owned", "rental_filed", "housing_poor"],
    "housing-fund": ["housing_fund_12_months"],
    "civil-affairs": ["low_income"],
    "leading-group-office": ["honour"],
    "joint-meeting": ["other_ground_accepted"],
}
DEPARTMENT = {fact: department for department, facts in ASKED_OF.items() for fact in facts}
FACT_ORDER = list(DEPARTMENT)
CLAUSES = [
    ("employment", "ZB87-2.1", ["labour_contract", "social_insurance"]),
    ("business", "ZB87-2.2", ["business_licence"]),
    ("housing", "ZB87-2.3a", ["home_owned"]),
    ("housing", "ZB87-2.3b", ["rental_filed"]),
    ("settlement", "ZB87-2.4", ["settlement_conditions"]),
    ("other", "ZB87-2.5", ["other_ground_accepted"]),
]


def full_years(born, day):
    """Whole years lived on a day; who was born on 29 February has a birthday on the 28th of common years."""
    leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
    birthday = (2, 28) if (born.month, born.day) == (2, 29) and not leap else (born.month, born.day)
    return day.year - born.year - (0 if (day.month, day.day) >= birthday else 1)


def school_year(child, day):
    """Which school year of its life (1 to 9: compulsory) the child is in; 0 or less before it enters."""
    entry = next(y for y in range(child.year, child.year + 9) if full_years(child, date(y, 8, 31)) >= 6)
    return (day.year if day.month >= 9 else day.year - 1) - entry + 1


def time_holds(condition, question, day):
    if condition == "school":
        return any(1 <= school_year(child, day) <= 9 for child in question.children)
    if condition == "preschool":
        return any(full_years(c, day) >= 3 and school_year(c, day) < 1 for c in question.children)
    if condition.startswith("<"):
        return any(day >= c and full_years(c, day) < int(condition[1:]) for c in question.children)
    if condition == "bearing":
        return 15 <= full_years(question.born_on, day) < 50
    return full_years(question.born_on, day) >= int(condition)


def always_holds(condition, question):
    """True, False or None for what time does not change; "time" for what it does."""
    if condition == "start":
        return "wants_to_start_business" in question.declared
    if condition == "woman":
        return question.sex == "female"
    return question.facts.get(condition) if condition in DEPARTMENT else "time"


def needs(facts):
    return [{"fact": fact, "department": DEPARTMENT[fact]} for fact in FACT_ORDER if fact in facts]


def permit_of(question):
    """Outcome, term, first day, last day, proven clauses, facts waited for."""
    if question.permit:
        held = question.permit
        outcome = "in-force"
        if question.on < held.valid_from:
            outcome = "not-yet"
        if question.on > held.valid_until:
            outcome = "ended"
        return outcome, held.term_years, held.valid_from, held.valid_until, [], set()
    say = question.facts.get
    proven = [c for g, c, facts in CLAUSES if g in question.grounds and all(say(f) for f in facts)]
    gates = [question.intends_half_year, question.from_outside_county]
    gates += [say("identity_matches"), say("residence_registered")]
    if any(gate is False for gate in gates):
        return "refuse", None, None, None, proven, set()
    waiting = {fact for fact in FACT_ORDER[:2] if say(fact) is None}
    if question.term_years == 3 and not proven:
        for ground, _, facts in CLAUSES:
            if ground in question.grounds and not any(say(fact) is False for fact in facts):
                waiting |= {fact for fact in facts if say(fact) is None}
    if waiting:
        return "wait", None, None, None, proven, waiting
    years = 3 if question.term_years == 3 and proven else 1
    last = question.on
    while full_years(question.on, last + timedelta(days=1)) < years:
        last += timedelta(days=1)
    return "issue", years, question.on, last, proven, set()


def service_of(service, question, permit):  # noqa: PLR0911 - one return a state, as the contract tells them
    """State, first day, last day and facts waited for, found by looking at every day of the permit."""
    outcome, years, first, last, _, waiting = permit
    _, kind, conditions = SERVICES[service]
    unknown = {c for c in conditions if always_holds(c, question) is None}
    if outcome == "wait":
        return "unknown", None, None, waiting | unknown
    if outcome not in {"issue", "in-force"}:
        return "unmet", None, None, set()
    if kind == "public":
        return "public", first, last, set()
    if any(always_holds(condition, question) is False for condition in conditions):
        return "unmet", None, None, set()
    timed = [c for c in conditions if always_holds(c, question) == "time"]

    def due(day):
        second = years == 3 and full_years(question.registered_on, day) >= 1
        if service.startswith("ZB87-3.2") and not second:
            return False
        if service == "ZB87-3.1.1a" and second:
            return False
        return all(time_holds(condition, question, day) for condition in timed)

    day = question.on
    while day <= last and not due(day):
        day += timedelta(days=1)
    if day > last:
        return "unmet", None, None, set()
    if unknown:
        return "unknown", None, None, unknown
    start = end = day
    while start > first and due(start - timedelta(days=1)):
        start -= timedelta(days=1)
    while end < last and due(end + timedelta(days=1)):
        end += timedelta(days=1)
    return ("granted" if day == question.on else "upcoming"), start, end, set()


def iso(day):
    return day and day.isoformat()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_engine_answers_as_the_oracle(data, questions, pack):
    question = data.draw(questions())
    answer = decide(pack, question).to_json()
    if not date(2014, 10, 1) <= question.received_on <= date(2018, 12, 31):
        assert answer["policy"] is None
        assert answer["permit"]["outcome"] == "refuse"
        assert answer["entitlements"] == {}
        return
    permit = permit_of(question)
    outcome, years, first, last, proven, waiting = permit
    found = {key: value for key, value in answer["permit"].items() if key != "because"}
    assert found == {
        "outcome": outcome,
        "term_years": years,
        "valid_from": iso(first),
        "valid_until": iso(last),
        "grounds": proven,
        "needs": needs(waiting),
    }
    assert list(answer["entitlements"]) == list(SERVICES)
    asked_alike = {}
    for service, found in answer["entitlements"].items():
        department, kind, conditions = SERVICES[service]
        alike = (service[:8], service == "ZB87-3.1.1a", kind == "public", conditions)
        if alike not in asked_alike:
            asked_alike[alike] = service_of(service, question, permit)
        state, start, end, unknown = asked_alike[alike]
        expected = {"state": state, "from": iso(start), "until": iso(end), "kind": kind}
        expected |= {"department": department, "needs": needs(unknown)}
        assert {key: value for key, value in found.items() if key != "because"} == expected, service


def test_the_table_is_the_reading():
    """58 services in tier 1, 20 in tier 2."""
    assert len([service for service in SERVICES if service.startswith("ZB87-3.1.")]) == 58
    assert len([service for service in SERVICES if service.startswith("ZB87-3.2.")]) == 20
