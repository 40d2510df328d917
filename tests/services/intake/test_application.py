from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from api.demo.people import synthetic_applications
from services.intake.application import Application
from services.intake.identity import check_digit
from services.intake.problems import problems
from services.policy.parsing import parse_question

SECRETS = ("王小明", "370123198503029965", "19850302", "15400000000", "柳泉路1号", "王一")


def fields_of(values: dict) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Application.model_validate(values)
    return [problem.field for problem in problems(caught.value)]


def test_a_good_application_is_read_and_says_who_applies(good):
    application = Application.model_validate(good)
    assert application.person.born_on == date(1985, 3, 2)
    assert application.person.sex == "female"
    assert application.received_on == date(2014, 10, 8)
    assert application.children[0].born_on == date(2008, 5, 1)


def test_the_example_in_the_schema_is_a_good_application():
    (example,) = Application.model_json_schema()["examples"]
    assert Application.model_validate(example)


def test_every_field_of_the_schema_is_described():
    schema = Application.model_json_schema()
    parts = [schema, *schema["$defs"].values()]
    assert all(part.get("description") for part in parts)
    fields = [
        field for part in parts for name, field in part["properties"].items() if name not in {"person", "residence"}
    ]
    assert all(field.get("description") or "$ref" in field for field in fields)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("application_number",), "", "application_number"),
        (("application_number",), "x" * 41, "application_number"),
        (("application_number",), 12, "application_number"),
        (("application_number",), "a\x00b", "application_number"),
        (("received_on",), "2014-10-8", "received_on"),
        (("received_on",), "2014-02-30", "received_on"),
        (("received_on",), "20141008", "received_on"),
        (("received_on",), "2014-10-08T00:00:00", "received_on"),
        (("received_on",), 1412726400, "received_on"),
        (("district",), "张店区", "district"),
        (("station",), " ", "station"),
        (("term_years",), 2, "term_years"),
        (("term_years",), True, "term_years"),
        (("term_years",), 3.0, "term_years"),
        (("term_years",), "3", "term_years"),
        (("grounds",), ["work"], "grounds[0]"),
        (("grounds",), [["employment"]], "grounds[0]"),
        (("grounds",), [], "grounds"),
        (("grounds",), "employment", "grounds"),
        (("person", "name"), "", "person.name"),
        (("person", "name"), "a\x07b", "person.name"),
        (("person", "id_number"), "370123198503029960", "person.id_number"),
        (("person", "phone"), "12", "person.phone"),
        (("person", "phone"), "", "person.phone"),
        (("person",), None, "person"),
        (("residence", "registered_on"), None, "residence.registered_on"),
        (("residence", "registered_on"), "1985-03-01", "residence.registered_on"),
        (("residence", "intends_half_year"), 1, "residence.intends_half_year"),
        (("residence", "from_outside_county"), "yes", "residence.from_outside_county"),
        (("children",), [{"born_on": "2014-10-09"}], "children[0].born_on"),
        (("children",), [{"born_on": "1985-03-02"}], "children[0].born_on"),
        (("children",), [{}], "children[0].born_on"),
        (("children",), [{"born_on": "2008-01-01"}] * 21, "children"),
        (("children",), [{"born_on": "2008-01-01", "sex": "male", "relation": "daughter"}], "children[0].sex"),
        (("children",), [{"born_on": "2008-01-01", "relation": "niece"}], "children[0].relation"),
        (("declared",), {"wants_to_start_business": None}, "declared.wants_to_start_business"),
        (("declared", "wants_loan"), True, "declared.wants_loan"),
        (("sex",), "male", "sex"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(good, path, value, field):
    part = good
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert fields_of(good) == [field]


def test_everything_wrong_is_told_at_once(good):
    good["term_years"] = 2
    good["person"]["phone"] = "x"
    del good["station"]
    assert fields_of(good) == ["station", "term_years", "person.phone"]


def test_contradictions_are_told_together(good):
    good |= {"grounds": [], "received_on": "1984-01-01", "children": [{"born_on": "1990-01-01"}]}
    assert fields_of(good) == ["grounds", "person.id_number", "children[0].born_on"]


def test_one_year_needs_no_ground(good):
    good |= {"term_years": 1, "grounds": []}
    assert Application.model_validate(good).grounds == ()
    del good["grounds"]
    assert Application.model_validate(good).grounds == ()


def test_a_ground_told_twice_stands_once(good):
    good["grounds"] = ["housing", "employment", "housing"]
    assert Application.model_validate(good).grounds == ("housing", "employment")


def test_a_ward_may_be_older_than_the_applicant(good):
    good["children"] = [{"born_on": "1980-01-01", "relation": "ward"}]
    assert Application.model_validate(good).children[0].relation == "ward"


def test_text_is_made_regular(good):
    good["application_number"] = " ＺＤ－2014 （1） "
    good["person"]["name"] = "  王\u200b小明 "
    good["person"]["phone"] = "154-0000 0000"
    application = Application.model_validate(good)
    assert application.application_number == "ZD-2014(1)"
    assert application.person.name == "王小明"
    assert application.person.phone == "15400000000"


def test_a_key_that_is_not_ours_is_not_repeated_if_it_may_be_personal(good):
    good["person"]["370123198503029965"] = "x"
    good["王小明"] = "x"
    assert fields_of(good) == ["person.?", "?"]


def test_neither_problems_nor_representation_bear_a_persons_values(good):
    application = Application.model_validate(good)
    spoilt = {**good, "term_years": "王小明", "received_on": "柳泉路1号", "district": "15400000000", "station": 5}
    spoilt["person"] = {**good["person"], "id_number": "370123198503029960", "phone": "王一"}
    with pytest.raises(ValidationError) as caught:
        Application.model_validate(spoilt)
    told = [repr(application), str(application), str(caught.value), repr(problems(caught.value))]
    assert not [secret for secret in SECRETS for text in told if secret in text]


def test_an_application_cannot_be_changed(good):
    application = Application.model_validate(good)
    with pytest.raises(ValidationError):
        application.district = "370304"


def test_the_calendar_and_the_districts_are_asked_at_the_door(good, districts, today):
    assert Application.model_validate(good).problems_at(today, districts) == ()
    good |= {"received_on": "2014-11-04", "district": "370102"}
    good["residence"]["registered_on"] = "2014-11-04"
    found = Application.model_validate(good).problems_at(today, districts)
    assert [problem.field for problem in found] == ["district", "received_on", "residence.registered_on"]
    tomorrow = today + timedelta(days=1)
    assert [problem.field for problem in Application.model_validate(good).problems_at(tomorrow, districts)] == [
        "district"
    ]


def test_the_question_is_the_contracts(good):
    application = Application.model_validate(good)
    permit = {"term_years": 3, "valid_from": "2014-10-20", "valid_until": "2017-10-19"}
    question = application.to_question(date(2015, 11, 1), {"labour_contract": True}, permit)
    assert question == {
        "on": "2015-11-01",
        "application": {"received_on": "2014-10-08", "term_years": 3, "grounds": ["employment"]},
        "applicant": {"born_on": "1985-03-02", "sex": "female"},
        "residence": {"registered_on": "2013-03-01", "intends_half_year": True, "from_outside_county": True},
        "permit": permit,
        "children": [{"born_on": "2008-05-01"}],
        "declared": {"wants_to_start_business": False},
        "facts": {"labour_contract": True},
    }
    assert application.to_question(date(2015, 11, 1), {})["permit"] is None


def test_every_question_is_one_the_policy_reads():
    for application, _ in synthetic_applications(100, 5, date(2014, 10, 20)):
        question = json.loads(json.dumps(application.to_question(date(2014, 11, 3), {})))
        assert parse_question(question).born_on == application.person.born_on


def test_the_persons_fields_are_those_a_pack_may_send(good):
    good["children"].append({"born_on": "2010-01-01", "proof": "出〔2010〕12号"})
    fields = Application.model_validate(good).person_fields()
    assert fields == {
        "name": "王小明",
        "id_number": "370123198503029965",
        "sex": "female",
        "born_on": "1985-03-02",
        "phone": "15400000000",
        "address": "柳泉路1号",
        "district": "370303",
        "residence_registered_on": "2013-03-01",
        "children": [
            {"name": "王一", "born_on": "2008-05-01", "sex": "female", "relation": "daughter"},
            {"born_on": "2010-01-01", "proof": "出〔2010〕12号"},
        ],
    }
    bare = {**good, "children": [], "person": {"name": "王小明", "id_number": "370123198503029965"}}
    assert not {"phone", "address", "children"} & Application.model_validate(bare).person_fields().keys()


def test_what_is_sealed_comes_back_the_same():
    for application, _ in synthetic_applications(50, 7, date(2014, 10, 20)):
        assert Application.load(application.dump()) == application


def test_what_was_accepted_once_is_read_back_whatever_the_rules_are_now(good):
    body = "99999919850302996"
    old = json.loads(Application.model_validate(good).dump())
    old["person"]["id_number"] = body + check_digit(body)
    old["grounds"] = []
    assert Application.load(json.dumps(old).encode()).person.born_on == date(1985, 3, 2)
    with pytest.raises(ValidationError):
        Application.model_validate(old)
