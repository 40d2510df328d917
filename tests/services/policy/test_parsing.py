"""The strict reader: every kind of bad input, its place, and one line without a personal value."""

from __future__ import annotations

import copy
import json
from datetime import date

import pytest

from services.errors import InputError
from services.policy.parsing import parse_question, read_question
from services.policy.question import HeldPermit

GOOD = {
    "on": "2015-11-01",
    "application": {"received_on": "2014-10-08", "term_years": 3, "grounds": ["employment"]},
    "applicant": {"born_on": "1985-03-02", "sex": "female"},
    "residence": {"registered_on": "2014-10-08", "intends_half_year": True, "from_outside_county": True},
    "permit": {"term_years": 3, "valid_from": "2014-10-20", "valid_until": "2017-10-19"},
    "children": [{"born_on": "2008-05-01"}, {"born_on": "2010-05-01"}],
    "declared": {"wants_to_start_business": True},
    "facts": {"labour_contract": True, "social_insurance": False},
}
GONE = object()


def changed(path, value):
    """The good question with one field changed (``a.b``, ``a.0.b``) or, for GONE, taken away."""
    document = copy.deepcopy(GOOD)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    target = document
    for step in way:
        target = target[step]
    if value is GONE:
        del target[last]
    else:
        target[last] = value
    return document


def test_the_whole_question_is_read():
    question = parse_question(GOOD)
    assert question.on == date(2015, 11, 1)
    assert (question.received_on, question.term_years) == (date(2014, 10, 8), 3)
    assert question.grounds == ("employment",)
    assert (question.born_on, question.sex) == (date(1985, 3, 2), "female")
    assert (question.intends_half_year, question.from_outside_county) == (True, True)
    assert question.permit == HeldPermit(3, date(2014, 10, 20), date(2017, 10, 19))
    assert question.children == (date(2008, 5, 1), date(2010, 5, 1))
    assert question.declared == {"wants_to_start_business"}
    assert question.facts == {"labour_contract": True, "social_insurance": False}


@pytest.mark.parametrize("key", ["permit", "children", "declared", "facts"])
def test_the_optional_may_be_left_out(key):
    question = parse_question(changed(key, GONE))
    assert not getattr(question, key)


def test_a_null_permit_is_none_and_a_one_year_application_needs_no_grounds():
    assert parse_question(changed("permit", None)).permit is None
    one = {"received_on": "2014-10-08", "term_years": 1}
    assert parse_question(changed("application", one)).grounds == ()
    assert parse_question(changed("application", {**one, "grounds": []})).grounds == ()


BAD = [
    ("on", GONE, "on"),
    ("on", None, "on"),
    ("on", 20151101, "on"),
    ("on", "20151101", "on"),
    ("on", "2015-W44-7", "on"),
    ("on", "2015-11-1", "on"),
    ("on", "2015-11-31", "on"),
    ("on", "2015-02-29", "on"),
    ("on", "0000-01-01", "on"),
    ("on", " 2015-11-01", "on"),
    ("on", "2015-11-01\n", "on"),
    ("on", "2015-11-01T00:00:00", "on"),
    ("on", "２０１５-11-01", "on"),
    ("application", GONE, "application"),
    ("application", None, "application"),
    ("application", [], "application"),
    ("application.received_on", GONE, "application.received_on"),
    ("application.received_on", "2015-11-02", "application.received_on"),
    ("application.term_years", GONE, "application.term_years"),
    ("application.term_years", 2, "application.term_years"),
    ("application.term_years", True, "application.term_years"),
    ("application.term_years", 1.0, "application.term_years"),
    ("application.term_years", 3.0, "application.term_years"),
    ("application.term_years", "3", "application.term_years"),
    ("application.term_years", None, "application.term_years"),
    ("application.grounds", GONE, "application.grounds"),
    ("application.grounds", [], "application.grounds"),
    ("application.grounds", None, "application.grounds"),
    ("application.grounds", "employment", "application.grounds"),
    ("application.grounds", {"employment": True}, "application.grounds"),
    ("application.grounds", ["employment", "wealth"], "application.grounds[1]"),
    ("application.grounds", [None], "application.grounds[0]"),
    ("application.grounds", [["employment"]], "application.grounds[0]"),
    ("application.fee", 0, "application.fee"),
    ("applicant", GONE, "applicant"),
    ("applicant.born_on", GONE, "applicant.born_on"),
    ("applicant.born_on", "2015-11-02", "applicant.born_on"),
    ("applicant.sex", GONE, "applicant.sex"),
    ("applicant.sex", "Female", "applicant.sex"),
    ("applicant.sex", None, "applicant.sex"),
    ("applicant.sex", ["female"], "applicant.sex"),
    ("applicant.name", "王小明", "applicant.name"),
    ("residence", GONE, "residence"),
    ("residence.registered_on", GONE, "residence.registered_on"),
    ("residence.registered_on", "2015-11-02", "residence.registered_on"),
    ("residence.intends_half_year", GONE, "residence.intends_half_year"),
    ("residence.intends_half_year", 1, "residence.intends_half_year"),
    ("residence.intends_half_year", "true", "residence.intends_half_year"),
    ("residence.from_outside_county", GONE, "residence.from_outside_county"),
    ("residence.from_outside_county", None, "residence.from_outside_county"),
    ("permit", {}, "permit.term_years"),
    ("permit", False, "permit"),
    ("permit", [], "permit"),
    ("permit.term_years", 5, "permit.term_years"),
    ("permit.valid_from", GONE, "permit.valid_from"),
    ("permit.valid_until", GONE, "permit.valid_until"),
    ("permit.valid_until", "2014-10-19", "permit.valid_until"),
    ("permit.valid_until", None, "permit.valid_until"),
    ("permit.number", "1", "permit.number"),
    ("children", None, "children"),
    ("children", {}, "children"),
    ("children", "", "children"),
    ("children.1", None, "children[1]"),
    ("children.1", "2010-05-01", "children[1]"),
    ("children.1", {}, "children[1].born_on"),
    ("children.1.born_on", "2015-11-02", "children[1].born_on"),
    ("children.0.name", "小红", "children[0].name"),
    ("declared", None, "declared"),
    ("declared.wants_to_start_business", None, "declared.wants_to_start_business"),
    ("declared.wants_to_start_business", 0, "declared.wants_to_start_business"),
    ("declared.wants_a_pony", True, "declared.wants_a_pony"),
    ("facts", None, "facts"),
    ("facts", [], "facts"),
    ("facts.labour_contract", None, "facts.labour_contract"),
    ("facts.labour_contract", 1, "facts.labour_contract"),
    ("facts.labour_contract", "unknown", "facts.labour_contract"),
    ("facts.rich", True, "facts.rich"),
    ("note", "x", "note"),
]


@pytest.mark.parametrize(("path", "value", "place"), BAD)
def test_bad_input_is_named_by_its_place(path, value, place):
    with pytest.raises(InputError) as caught:
        parse_question(changed(path, value))
    assert caught.value.place == place
    assert str(caught.value).startswith(f"{place}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("value", [[], "x", 1, 1.5, True, None])
def test_only_an_object_is_a_question(value):
    with pytest.raises(InputError, match="must be a JSON object") as caught:
        parse_question(value)
    assert caught.value.place == "input"


def test_a_permit_in_hand_does_not_spare_the_grounds():
    document = changed("application.grounds", GONE)
    with pytest.raises(InputError, match=r"application\.grounds: needs at least one ground"):
        parse_question(document)


def test_the_first_problem_of_the_document_is_told():
    document = {**changed("applicant.sex", "?"), "facts": {"rich": True}}
    with pytest.raises(InputError, match=r"^applicant\.sex"):
        parse_question({key: document[key] for key in ("on", "applicant", "application", "residence", "facts")})
    with pytest.raises(InputError, match=r"^facts\.rich"):
        parse_question({key: document[key] for key in ("facts", "on", "applicant", "application", "residence")})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "input: is empty"),
        (b"\xef\xbb\xbf  \n", "input: is empty"),
        (b"{", "line 1, column 2"),
        (b'{\n "on": }', "line 2, column 8"),
        (b"{'on': 1}", "line 1, column 2"),
        (b'{"on": NaN}', "input: holds NaN"),
        (b'{"on": -Infinity}', "input: holds -Infinity"),
        (b'{"on": 1} {}', "line 1, column 11"),
        (b"\xff\xfe{\x00}\x00", "input: is not UTF-8 (byte 1)"),
        ('{"on": "二"}'.encode("gb18030"), "input: is not UTF-8 (byte 9)"),
        (b"[" * 100_000, "input: is nested too deeply"),
        (b'{"on":' * 100_000, "input: is nested too deeply"),
        (b'{"on": ' + b"9" * 5000 + b"}", "input: holds a number that is too long"),
        (b'"on"', "input: must be a JSON object, not a text"),
        (b'{"on": "2015-11-01", "on": "2015-11-01"}', "on: is given more than once"),
        (b'{"facts": {"honour": true, "low_income": true, "low_income": true}}', "facts.low_income: is given more"),
        (b'{"on\\nname": 1}', '"on\\nname": is not a known field'),
        ('{"on\u2028name": 1}'.encode(), '"on\\u2028name": is not a known field'),
        (b'{"\\ud800": 1}', '"\\ud800": is not a known field'),
        (b'{"\\u202eon": 1}', '"\\u202eon": is not a known field'),
        (b'{"": 1}', '"": is not a known field'),
        (b'{"' + b"k" * 5000 + b'": 1}', "k…: is not a known field"),
    ],
)
def test_bad_documents(data, said):
    with pytest.raises(InputError) as caught:
        read_question(data)
    line = str(caught.value)
    assert said in line
    assert len(line.splitlines()) == 1
    assert len(line) < 300


def test_a_byte_order_mark_is_no_error():
    assert read_question(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()) == parse_question(GOOD)


@pytest.mark.parametrize("path", ["applicant.born_on", "residence.registered_on", "children.0.born_on"])
@pytest.mark.parametrize("value", ["3703031985030212", "1985-13-41", "2999-01-02", "王小明"])
def test_no_personal_value_is_repeated(path, value):
    with pytest.raises(InputError) as caught:
        parse_question(changed(path, value))
    assert value not in str(caught.value)
