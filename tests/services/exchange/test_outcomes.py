"""Answers of departments, read strictly: bounded, every fault named by its path, nothing guessed."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InputError
from services.exchange.outcomes import (
    Declined,
    Outcome,
    ServiceOutcome,
    outcome_json,
    parse_answer,
    parse_outcomes,
)
from services.exchange.reasons import REASONS


def written(*outcomes):
    return json.dumps({"outcomes": list(outcomes)}).encode()


def test_an_answer_in_all_its_parts():
    body = written(
        {
            "step": "370303-2014-000123-v-hrss-1",
            "facts": {"labour_contract": True, "social_insurance": False},
            "authority": "劳动用工备案系统",
        },
        {
            "step": "370303-2014-000123-e-justice-2",
            "services": {
                "ZB87-3.1.6a": {"state": "in_force", "from": "2014-11-03"},
                "ZB87-3.1.6b": {"state": "declined", "reason": "not-eligible", "note": "  收入  超标 "},
                "ZB87-3.1.6c": {"state": "ended"},
            },
            "declined": None,
        },
        {"step": "370303-2014-000123-i-police-1", "received": True},
        {"step": "370303-2014-000123-v-police-1", "declined": {"reason": "no-record", "note": ""}},
    )
    assert parse_outcomes(body) == (
        Outcome(
            "370303-2014-000123-v-hrss-1",
            {"labour_contract": True, "social_insurance": False},
            "劳动用工备案系统",
        ),
        Outcome(
            "370303-2014-000123-e-justice-2",
            services={
                "ZB87-3.1.6a": ServiceOutcome("in_force", date(2014, 11, 3)),
                "ZB87-3.1.6b": ServiceOutcome("declined", reason="not-eligible", note="收入 超标"),
                "ZB87-3.1.6c": ServiceOutcome("ended"),
            },
        ),
        Outcome("370303-2014-000123-i-police-1", received=True),
        Outcome("370303-2014-000123-v-police-1", declined=Declined("no-record")),
    )


@pytest.mark.parametrize("body", [b"", b" \r\n", b"{}", b'{"ok": true, "trace": "abc"}', b'{"outcomes": []}'])
def test_an_answer_without_outcomes_is_a_receipt(body):
    assert parse_answer(body) == ()


def test_a_call_back_must_bear_outcomes():
    with pytest.raises(InputError) as refused:
        parse_outcomes(b"{}")
    assert refused.value.place == "body.outcomes"
    assert parse_outcomes(b'{"outcomes": []}') == ()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"OK", "body"),
        (b"\xff\xfe", "body"),
        (b'{"outcomes": NaN}', "body"),
        (b'{"outcomes": [], "outcomes": []}', "body"),
        (b"[" * 50_000, "body"),
        (b'{"outcomes": ' + b"9" * 6_000 + b"}", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b'{"outcomes": [], "fee": 1}', "body"),
        (b'{"outcomes": {}}', "outcomes"),
        (written(*[{"step": f"a-{n}", "received": True} for n in range(1001)]), "outcomes"),
        (written({"step": "a", "received": True}, {"step": "a", "received": True}), "outcomes"),
        (written({"step": "a", "received": True}, 7), "outcomes[1]"),
        (written({}), "outcomes[0].step"),
        (written({"step": 7, "received": True}), "outcomes[0].step"),
        (written({"step": "", "received": True}), "outcomes[0].step"),
        (written({"step": "x" * 81, "received": True}), "outcomes[0].step"),
        (written({"step": "a\n", "received": True}), "outcomes[0].step"),
        (written({"step": "a"}), "outcomes[0]"),
        (written({"step": "a", "facts": {}, "received": False}), "outcomes[0]"),
        (written({"step": "a", "facts": {"honour": 1}}), "outcomes[0].facts.honour"),
        (written({"step": "a", "facts": {"": True}}), "outcomes[0].facts"),
        (written({"step": "a", "facts": {str(n): True for n in range(201)}}), "outcomes[0].facts"),
        (written({"step": "a", "received": True, "authority": "x" * 201}), "outcomes[0].authority"),
        (written({"step": "a", "received": True, "authority": ["x"]}), "outcomes[0].authority"),
        (written({"step": "a", "declined": {"reason": "because"}}), "outcomes[0].declined.reason"),
        (written({"step": "a", "declined": {"reason": ["other"]}}), "outcomes[0].declined.reason"),
        (written({"step": "a", "declined": {"reason": "other", "note": "x" * 501}}), "outcomes[0].declined.note"),
        (written({"step": "a", "services": {"S": {}}}), "outcomes[0].services.S.state"),
        (written({"step": "a", "services": {"S": {"state": []}}}), "outcomes[0].services.S.state"),
        (written({"step": "a", "services": {"S": {"state": "declined"}}}), "outcomes[0].services.S.reason"),
        (
            written({"step": "a", "services": {"S": {"state": "in_force", "reason": "other"}}}),
            "outcomes[0].services.S.reason",
        ),
        (
            written({"step": "a", "services": {"S": {"state": "ended", "from": "2014-11-03"}}}),
            "outcomes[0].services.S.from",
        ),
        (
            written({"step": "a", "services": {"S": {"state": "in_force", "from": "20141103"}}}),
            "outcomes[0].services.S.from",
        ),
        (written({"step": "a", "services": {"S": {"state": "in_force", "from": 7}}}), "outcomes[0].services.S.from"),
        (written({"step": "a", "services": {"S": {"state": "ended", "x": 1}}}), "outcomes[0].services.S"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(body, place):
    with pytest.raises(InputError) as refused:
        parse_outcomes(body)
    assert refused.value.place == place
    assert "\n" not in str(refused.value)


def test_a_reason_must_concern_what_it_is_given_for():
    only_services = next(code for code, its in REASONS.items() if its.concerns == {"services"})
    assert parse_outcomes(written({"step": "a", "services": {"S": {"state": "declined", "reason": only_services}}}))
    # A whole step is declined with any reason: it may have been a step about services.
    assert parse_outcomes(written({"step": "a", "declined": {"reason": only_services}}))


def test_nobody_is_recognisable_in_notes_and_errors():
    number = "440524188001010014"
    (outcome,) = parse_outcomes(
        written(
            {
                "step": "a",
                "authority": f"户籍 {number}",
                "services": {"S": {"state": "declined", "reason": "other", "note": f"请联系13800001234，{number}"}},
            }
        )
    )
    assert outcome.authority == "户籍 440524********0014"
    assert outcome.services["S"].note == "请联系138****1234，440524********0014"
    with pytest.raises(InputError) as refused:
        parse_outcomes(written({"step": "a", number: True}))
    assert number not in str(refused.value)


keys = st.text("abcdefgh-.0123456789", min_size=1, max_size=20)
notes = st.none() | st.text("经办人签字ab ", max_size=40).map(lambda text: " ".join(text.split()) or None)
any_service = st.one_of(
    st.builds(ServiceOutcome, st.just("in_force"), st.none() | st.dates(), note=notes),
    st.builds(ServiceOutcome, st.just("ended"), note=notes),
    st.builds(ServiceOutcome, st.just("declined"), reason=st.sampled_from(["other", "quota-full"]), note=notes),
)
any_outcome = st.builds(
    Outcome,
    keys,
    st.dictionaries(keys, st.booleans(), max_size=4),
    notes,
    st.dictionaries(keys, any_service, max_size=4),
    st.none() | st.builds(Declined, st.sampled_from(list(REASONS)), notes),
    st.booleans(),
).filter(lambda outcome: outcome.facts or outcome.services or outcome.declined or outcome.received)


@given(st.lists(any_outcome, max_size=4, unique_by=lambda outcome: outcome.step))
def test_what_is_written_is_read_back(outcomes):
    assert parse_outcomes(written(*map(outcome_json, outcomes))) == tuple(outcomes)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["outcomes", "step", "facts", "services", "declined", "reason", "state", "from", "note"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps({"outcomes": [value]}).encode()))
def test_whatever_comes_it_is_outcomes_or_an_input_error(body):
    place = None
    try:
        outcomes = parse_answer(body)
    except InputError as problem:
        outcomes, place = (), problem.place
        assert "\n" not in str(problem)  # noqa: PT017 - either way is right; this is what one of them must keep
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    assert place is None or place.split(".")[0].split("[")[0] in ("body", "outcomes")


PAIRS = st.lists(st.tuples(st.sampled_from(["a", 'b":', "c\\", "d"]), st.integers(0, 9)), max_size=4)


@given(PAIRS, st.sampled_from([":", ": ", " :", "\n:\t"]), st.sampled_from([",", " , "]))
def test_a_name_given_twice_is_seen_however_it_is_written(pairs: list[tuple[str, int]], colon: str, comma: str) -> None:
    inner = comma.join(f"{json.dumps(name)}{colon}{value}" for name, value in pairs)
    body = f'{{"outcomes"{colon}[{{"step"{colon}"s-1"{comma}"facts"{colon}{{{inner}}}}}]}}'.encode()
    names = [name for name, _ in pairs]
    with pytest.raises(InputError) as refused:
        parse_outcomes(body)
    assert ("twice" in str(refused.value)) is (len(set(names)) < len(names))
