"""What must be true of every answer, whoever asks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import InputError
from services.policy.decide import decide
from services.policy.needs import facts_to_ask
from services.policy.question import FACTS, HeldPermit, Question

DAY = timedelta(days=1)
LIVE = {"issue", "in-force"}
REPLACED = "ZB87-3.1.1a"
QUICK = settings(max_examples=100, deadline=None)


def states(decision):
    return {service: each.state for service, each in decision.entitlements.items()}


def held(question, decision):
    """The same question with the decided permit in hand."""
    permit = decision.permit
    return replace(question, permit=HeldPermit(permit.term_years, permit.valid_from, permit.valid_until))


@QUICK
@given(data=st.data())
def test_runs_lie_within_the_permit_and_hold_the_day_only_if_granted(data, questions, pack):
    question = data.draw(questions())
    decision = decide(pack, question)
    permit = decision.permit
    for each in decision.entitlements.values():
        if each.state in {"granted", "upcoming", "public"}:
            assert permit.valid_from <= each.first_day <= each.last_day <= permit.valid_until
            assert (each.first_day <= question.on <= each.last_day) == (each.state != "upcoming")
        else:
            assert each.first_day is None
            assert each.last_day is None
        assert bool(each.needs) == (each.state == "unknown")
        assert each.because[0] == each.service


@QUICK
@given(data=st.data())
def test_an_unknown_fact_never_grants(data, questions, pack):
    question = data.draw(questions(live=True))
    decision = decide(pack, question)
    for each in decision.entitlements.values():
        conditions = [pack.conditions[code] for code in pack.services[each.service].conditions]
        asked = {condition.fact for condition in conditions if hasattr(condition, "fact")}
        if each.state in {"granted", "upcoming"}:
            assert all(question.facts.get(fact) for fact in asked)
        if each.state == "unknown":
            assert not any(question.facts.get(fact) is False for fact in asked)
        assert not {need.fact for need in each.needs} & set(question.facts)


@QUICK
@given(data=st.data())
def test_a_longer_permit_loses_no_service(data, questions, pack):
    """But for 3.1.1a, whose place 3.2.1b and c take on the same day (A9)."""
    question = data.draw(questions(live=True))
    valid_from = max(question.permit.valid_from, question.on - 364 * DAY)
    longer = HeldPermit(3, valid_from, valid_from + 1095 * DAY)
    shorter = HeldPermit(1, valid_from, valid_from + 364 * DAY)
    with_longer = states(decide(pack, replace(question, permit=longer)))
    for service, state in states(decide(pack, replace(question, permit=shorter))).items():
        if state != "granted" or with_longer[service] == "granted":
            continue
        assert service == REPLACED
        assert all(with_longer[other] == "granted" for other in pack.services[REPLACED].replaced_by)


@QUICK
@given(data=st.data(), later=st.integers(1, 1100))
def test_a_later_day_takes_nothing_before_its_last_day(data, later, questions, pack):
    """Within one permit, what is granted stays, with the same run, through the last day it was given for."""
    question = data.draw(questions(live=True))
    decision = decide(pack, question)
    day = min(question.on + later * DAY, decision.permit.valid_until)
    after = decide(pack, replace(held(question, decision), on=day)).entitlements
    for service, before in decision.entitlements.items():
        if before.state in {"granted", "upcoming"} and before.first_day <= day <= before.last_day:
            assert (after[service].state, *after[service][2:4]) == ("granted", before.first_day, before.last_day)
        if before.state == "granted" and after[service].state == "unmet":
            assert before.last_day < day
            timed = [code for code in pack.services[service].conditions if hasattr(pack.conditions[code], "windows")]
            assert timed or service == REPLACED  # an age, or A9
        if before.state == "unmet":
            assert after[service].state == "unmet"


@settings(max_examples=100, deadline=None)
@given(data=st.data(), live=st.integers(0, 3))
def test_next_change_is_true(data, live, questions, pack):
    """Nothing changes on any day before it, and something does on the day itself."""
    question = data.draw(questions(live=live > 0))
    decision = decide(pack, question)
    if decision.next_change is None:
        assert decision.permit.outcome in {"refuse", "ended", "wait"}
        return
    assert decision.next_change > question.on
    if decision.permit.outcome in LIVE:
        question = held(question, decision)

    def answer(day):
        found = decide(pack, replace(question, on=day))
        shown = {
            service: (each.state, each.first_day, each.last_day, each.department, each.needs)
            for service, each in found.entitlements.items()
        }
        return found.permit.outcome, shown

    def opened(day):
        return {s: e.opens and e.opens <= day for s, e in decide(pack, replace(question, on=day)).entitlements.items()}

    now, now_open = answer(question.on), opened(question.on)
    day = question.on + DAY
    while day < decision.next_change:
        assert answer(day) == now, day
        day += DAY
    assert answer(day) != now or opened(day) != now_open


@QUICK
@given(data=st.data(), fact=st.sampled_from(FACTS))
def test_answers_are_monotonic_in_facts(data, fact, questions, pack):
    """To learn a fact never reopens what was settled, and a true one never takes anything away."""
    question = data.draw(questions(live=True))
    unknown = replace(question, facts={name: known for name, known in question.facts.items() if name != fact})
    true = states(decide(pack, replace(unknown, facts={**unknown.facts, fact: True})))
    false = states(decide(pack, replace(unknown, facts={**unknown.facts, fact: False})))
    for service, state in states(decide(pack, unknown)).items():
        if state != "unknown":
            assert true[service] == false[service] == state
        if false[service] in {"granted", "upcoming"}:
            assert true[service] == false[service]


@QUICK
@given(data=st.data())
def test_another_child_takes_nothing_away(data, questions, pack):
    question = data.draw(questions(live=True))
    without = states(decide(pack, replace(question, children=question.children[1:])))
    found = states(decide(pack, question))
    assert found == states(decide(pack, replace(question, children=question.children[::-1])))
    assert all(found[service] == "granted" for service, state in without.items() if state == "granted")


@QUICK
@given(data=st.data(), truth=st.booleans())
def test_the_facts_asked_for_settle_the_permit(data, truth, questions, pack):
    question = data.draw(questions())
    asked = facts_to_ask(pack, question)
    facts = [fact for each in asked.values() for fact in each]
    assert len(facts) == len(set(facts))
    assert not set(facts) & set(question.facts)
    for department, each in asked.items():
        assert all(pack.facts[fact].owner_on(question.on) == department for fact in each)
    answered = replace(question, facts={**question.facts, **dict.fromkeys(facts, truth)})
    decision = decide(pack, answered)
    assert decision.permit.outcome != "wait"
    # what is still unknown then matters on a later day only
    assert all(e.opens > question.on for e in decision.entitlements.values() if e.state == "unknown")


@QUICK
@given(data=st.data())
def test_every_reason_is_a_clause_or_settlement_of_the_pack(data, questions, pack):
    decision = decide(pack, data.draw(questions()))
    known = {*pack.services, *pack.clauses, *pack.settlements}
    assert decision.permit.because
    reasons = [decision.permit.because, *(each.because for each in decision.entitlements.values())]
    for because in reasons:
        assert set(because) <= known
        assert len(set(because)) == len(because)


@QUICK
@given(data=st.data())
def test_the_answer_has_the_shape_of_the_contract(data, questions, pack):
    question = data.draw(questions())
    answer = decide(pack, question).to_json()
    assert json.loads(json.dumps(answer)) == answer
    assert list(answer) == ["policy", "permit", "entitlements"]
    assert list(answer["permit"]) == [
        "outcome", "term_years", "valid_from", "valid_until", "grounds", "needs", "because",
    ]  # fmt: skip
    live = answer["permit"]["outcome"] in {"issue", "in-force", "ended", "not-yet"}
    assert all((answer["permit"][key] is not None) == live for key in ("term_years", "valid_from", "valid_until"))
    assert bool(answer["permit"]["needs"]) == (answer["permit"]["outcome"] == "wait")
    assert len(answer["entitlements"]) == (78 if answer["policy"] else 0)
    for each in answer["entitlements"].values():
        assert list(each) == ["state", "from", "until", "kind", "department", "needs", "because"]
        assert each["kind"] in {"enrol", "assess", "public"}
        assert each["department"] in pack.departments
        assert all(list(need) == ["fact", "department"] for need in each["needs"])


@QUICK
@given(data=st.data(), on=st.dates(date(9990, 1, 1)), born=st.dates(), registered=st.dates())
def test_every_valid_question_is_answered_up_to_the_end_of_the_calendar(data, on, born, registered, questions, pack):
    """Nothing overflows. Only a permit that no date could end is an error, and it names the day."""
    question = data.draw(questions())
    born, registered = min(born, on), min(registered, on)
    question = replace(question, on=on, born_on=born, registered_on=registered, children=(born, registered))
    try:
        decision, place = decide(pack, question), None
    except InputError as error:
        decision, place = None, error.place
    if decision is None:
        assert place == "on"
        assert question.permit is None
        assert on > date(9996, 12, 31)
    else:
        assert decision.next_change is None or decision.next_change > on
        assert isinstance(facts_to_ask(pack, question), dict)


def test_a_permit_through_the_last_day_of_the_calendar(pack):
    last = HeldPermit(3, date(9997, 1, 1), date.max)
    question = Question(
        on=date(9999, 12, 31),
        received_on=date(2014, 10, 8),
        term_years=1,
        born_on=date(9990, 2, 28),
        sex="male",
        registered_on=date(9999, 12, 31),
        intends_half_year=True,
        from_outside_county=True,
        permit=last,
        children=(date(9999, 12, 31),),
    )
    decision = decide(pack, question)
    assert decision.permit.outcome == "in-force"
    assert decision.entitlements["ZB87-3.1.4d"].last_day == date.max
    assert decision.next_change is None
