"""The published schemas: sound, whole in themselves, and of one mind with the strict reader of answers."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from services.errors import InputError, NotFoundError
from services.exchange.outcomes import parse_outcomes
from services.exchange.reasons import REASONS
from services.exchange.schemas import ANSWER, TYPES, event_schema, schema

GOOD = [
    {"step": "a-1", "facts": {"labour_contract": True, "social_insurance": False}, "authority": "劳动用工备案"},
    {"step": "a-1", "declined": {"reason": "no-record", "note": ""}},
    {"step": "a-1", "received": True},
    {"step": "a-1", "services": {"ZB87-3.1.6b": {"state": "in_force", "from": "2014-11-03"}}},
    {"step": "a-1", "services": {"ZB87-3.1.6b": {"state": "in_force", "note": "窗口办理"}}},
    {"step": "a-1", "services": {"ZB87-3.1.6b": {"state": "ended"}}},
    {"step": "a-1", "services": {"ZB87-3.1.6b": {"state": "declined", "reason": "not-eligible", "note": "x"}}},
]
BAD = [
    {"facts": {"labour_contract": True}},
    {"step": "a-1", "facts": {"labour_contract": "yes"}},
    {"step": "a-1", "facts": {"labour_contract": None}},
    {"step": "a-1", "received": 1},
    {"step": "a-1", "fee": 20},
    {"step": "a-1", "declined": {"reason": "no idea"}},
    {"step": "a-1", "declined": {"note": "no reason"}},
    {"step": "a-1", "services": {"ZB87-3.1.6b": {"state": "pending"}}},
    {"step": "a-1", "services": {"ZB87-3.1.6b": {"state": "declined"}}},
    {"step": "a-1", "services": {"ZB87-3.1.6b": {"state": "ended", "from": "2014-11-03"}}},
    {"step": "a-1", "services": {"ZB87-3.1.6b": {"state": "in_force", "from": "3 Nov"}}},
    {"step": "a-1", "services": ["ZB87-3.1.6b"]},
    "a-1",
]


@pytest.mark.parametrize("name", [*TYPES, ANSWER])
def test_a_schema_is_sound_and_whole_in_itself(name):
    published = schema(name)
    Draft202012Validator.check_schema(published)
    text = json.dumps(published)
    assert "common.json" not in text
    references = {part.split('"')[0] for part in text.split('"$ref": "')[1:]}
    assert references == {f"#/$defs/{part}" for part in published["$defs"]} & references
    assert len(references) > 0


@pytest.mark.parametrize("name", TYPES)
def test_the_schema_of_an_event_holds_that_of_its_data(name):
    whole = event_schema(name)
    Draft202012Validator.check_schema(whole)
    assert whole["properties"]["type"] == {"const": name}
    assert whole["properties"]["data"]["required"] == schema(name)["required"]


def test_what_is_not_published_is_not_found():
    for name in ("common", "cn.zibo.lianban.greeting.v1", "../settings"):
        with pytest.raises(NotFoundError):
            schema(name)
    with pytest.raises(NotFoundError):
        event_schema(ANSWER)


def test_the_answers_schema_publishes_the_reason_codes():
    assert schema(ANSWER)["$defs"]["reason"]["enum"] == list(REASONS)


@pytest.mark.parametrize("outcome", GOOD)
def test_schema_and_reader_take_the_same_answers(outcome):
    answer = {"outcomes": [outcome]}
    Draft202012Validator(schema(ANSWER)).validate(answer)
    assert parse_outcomes(json.dumps(answer).encode())[0].step == "a-1"


@pytest.mark.parametrize("outcome", BAD)
def test_schema_and_reader_refuse_the_same_answers(outcome):
    answer = {"outcomes": [outcome]}
    assert not Draft202012Validator(schema(ANSWER)).is_valid(answer)
    with pytest.raises(InputError):
        parse_outcomes(json.dumps(answer).encode())
