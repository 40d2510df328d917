"""What a department is sent: valid, parsed by the public packages, and no more of the person than the pack allows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook

from services.errors import InputError
from services.exchange.catalogue import PERSON_FIELDS, Catalogue
from services.exchange.messages import CONTENT_TYPE, MessageWriter, batch_body, batch_id
from services.exchange.orders import KINDS, Opening, PermitTerm, StepOrder
from services.exchange.schemas import event_schema, schema
from services.exchange.signatures import new_secret, signature_headers
from services.policy.registry import default_registry

PACK = default_registry().named("zibo-2014-87")


def _order(department, services):
    term = PermitTerm(3, PACK.first_day, PACK.last_day)
    openings = tuple(Opening(service, PACK.first_day, PACK.last_day, (service,)) for service in services)
    at = datetime(2014, 11, 3, tzinfo=UTC)
    return StepOrder("s-1", "370303-2014-000001", department, "entitlements", at, permit=term, open=openings)


def test_every_message_keeps_to_its_schema(writer, all_orders, person):
    assert {order.kind for order in all_orders} == set(KINDS)
    for order in all_orders:
        message = writer.build(order, person)
        event = json.loads(message.body)
        Draft202012Validator(schema(message.type)).validate(event["data"])
        Draft202012Validator(event_schema(message.type)).validate(event)
        assert event["id"] == order.step_id
        assert event["dataschema"] == f"https://lianban.example/api/v1/schemas/{message.type}.json"
        assert event["data"]["callback"] == f"https://lianban.example/api/v1/callbacks/{order.department}"
        assert event["data"]["free"] is True


def test_the_public_packages_verify_and_parse_every_message(writer, all_orders, person):
    secret = new_secret()
    for order in all_orders:
        message = writer.build(order, person)
        headers = signature_headers(message.step_id, message.body, [secret], datetime.now(UTC))
        Webhook(secret).verify(message.body, headers)
        event = from_structured_event(HTTPMessage({"content-type": CONTENT_TYPE, **headers}, message.body))
        assert event.get_id() == order.step_id
        assert event.get_type() == KINDS[order.kind].type
        assert event.get_subject() == order.case_number
        assert event.get_time() == order.asked_at
        assert event.get_data()["step"] == order.step_id


def test_a_batch_is_an_array_of_the_same_events(writer, all_orders, person):
    messages = [writer.build(order, person) for order in all_orders[:5]]
    secret, body = new_secret(), batch_body(messages)
    key = batch_id(message.step_id for message in messages)
    Webhook(secret).verify(body, signature_headers(key, body, [secret], datetime.now(UTC)))
    events = [JSONFormat().read(None, json.dumps(event)) for event in json.loads(body)]
    assert [event.get_id() for event in events] == [message.step_id for message in messages]


def test_a_batch_has_one_id_whatever_the_order():
    assert batch_id(["a", "b"]) == batch_id(["b", "a"]) != batch_id(["a"])
    assert batch_id(["a", "b"]).startswith("batch-")
    assert len(batch_id(["a"])) == len("batch-") + 40


def test_the_same_step_is_the_same_bytes(writer, make_order, person):
    order = make_order("entitlements", "hrss")
    assert writer.build(order, person).body == writer.build(replace(order), dict(reversed(person.items()))).body


@given(st.data())
def test_no_department_is_sent_a_field_that_is_not_on_its_list(data):
    """Minimum data, for any choice of the services of any department."""
    person = {name: [{"born_on": "2008-05-01"}] if name == "children" else f"value of {name}" for name in PERSON_FIELDS}
    department = data.draw(st.sampled_from(sorted(PACK.departments)))
    services = [s for s in PACK.services.values() if s.kind != "public" and s.owner_on(PACK.first_day) == department]
    if not services:
        return
    chosen = data.draw(st.lists(st.sampled_from(services), min_size=1, unique=True))
    order = _order(department, tuple(service.id for service in chosen))
    message = MessageWriter(PACK, public_url="http://here").build(order, person)
    sent = json.loads(message.body)["data"]["person"]
    allowed = {name for service in chosen for name in service.send}
    assert set(sent) == set(message.fields) == allowed
    for name in set(PERSON_FIELDS) - allowed:
        assert f"value of {name}".encode() not in message.body


def test_a_question_bears_what_its_facts_need(writer, make_order, person):
    order = make_order("verification", "housing-administration", facts=("home_owned",))
    assert writer.fields(order) == ("name", "id_number")
    assert "address" in writer.fields(replace(order, facts=("home_owned", "rental_filed")))
    event = json.loads(writer.build(order, person).body)
    assert event["data"]["clauses"] == ["ZB87-2.3a"]
    assert event["data"]["person"] == {"name": person["name"], "id_number": person["id_number"]}


def test_a_notice_of_a_permit_bears_name_and_number_at_most(pack, make_order):
    catalogue = Catalogue(pack)
    assert catalogue.fields(make_order("permit_issued", "police")) == ("name", "id_number")
    # The publicity department has no fact and no service, so it may know nobody.
    assert catalogue.fields(make_order("permit_ended", "publicity")) == ()


def test_a_caller_may_ask_for_fewer_fields_and_never_for_more(writer, make_order, person):
    order = make_order("verification", "police", fields=("id_number",))
    assert json.loads(writer.build(order, person).body)["data"]["person"] == {"id_number": person["id_number"]}
    with pytest.raises(InputError, match="phone is not on the pack's list") as refused:
        writer.build(replace(order, fields=("id_number", "phone")), person)
    assert refused.value.place == "order.fields"


def test_a_field_that_is_not_given_is_left_out(writer, make_order, person):
    order = make_order("entitlements", "education")
    message = writer.build(order, person | {"children": [], "district": None})
    assert not {"children", "district"} & set(json.loads(message.body)["data"]["person"])
    assert not {"children", "district"} & set(message.fields)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"kind": "greeting"}, "order.kind"),
        ({"open": ()}, "order.open"),
        ({"permit": None}, "order.permit"),
        ({"open": (Opening("ZB87-9.9.9", PACK.first_day, PACK.last_day),)}, "order.services"),
        ({"open": (Opening("ZB87-3.1.2b", PACK.first_day, PACK.last_day),)}, "order.services"),
        ({"open": (Opening("ZB87-3.1.1a", PACK.first_day, PACK.last_day),)}, "order.services"),
    ],
    ids=["no such kind", "nothing asked", "no permit", "no such service", "a public service", "another's service"],
)
def test_an_order_that_does_not_fit_is_refused(writer, make_order, person, changes, place):
    order = replace(make_order("entitlements", "hrss"), **{"withdraw": (), **changes})
    with pytest.raises(InputError) as refused:
        writer.build(order, person)
    assert refused.value.place == place


def test_a_question_without_facts_or_about_anothers_is_refused(writer, make_order, person):
    for facts in ((), ("home_owned",), ("no_such_fact",)):
        with pytest.raises(InputError) as refused:
            writer.build(make_order("verification", "hrss", facts=facts), person)
        assert refused.value.place == "order.facts"


def test_a_permits_end_bears_a_reason_of_the_list(writer, make_order, person):
    event = json.loads(writer.build(make_order("permit_ended", "police", reason="left-city"), person).body)
    assert event["data"]["reason"]["zh"] == "持证人已离开本市居住"
    with pytest.raises(InputError) as refused:
        writer.build(make_order("permit_ended", "police", reason="fancy"), person)
    assert refused.value.place == "order.reason"


def test_a_pack_that_names_an_unknown_field_is_refused(pack):
    fact = pack.facts["honour"]
    odd = replace(pack, facts={**pack.facts, "honour": replace(fact, send=("name", "religion"))})
    with pytest.raises(InputError, match="religion is no field of a person") as refused:
        Catalogue(odd)
    assert refused.value.place == "facts.honour.send"


def test_a_step_may_go_to_the_owner_of_any_day(pack, person):
    service = pack.services["ZB87-3.1.6b"]
    moved = replace(service.owner, lines=(*service.owner.lines, (PACK.first_day + timedelta(days=400), "hrss")))
    later = replace(pack, services={**pack.services, service.id: replace(service, owner=moved)})
    writer = MessageWriter(later, public_url="http://here")
    for department in ("justice", "hrss"):
        assert writer.build(_order(department, (service.id,)), person).fields == ("name", "id_number")


def test_a_test_message_concerns_nobody(writer):
    message = writer.build_test("hrss", "k4x9", "test-hrss-1", datetime(2014, 11, 3, tzinfo=UTC))
    event = json.loads(message.body)
    Draft202012Validator(event_schema(message.type)).validate(event)
    assert event["data"]["challenge"] == "k4x9"
    assert event["data"]["person"] == {}
    assert message.fields == message.redact == ()


def test_a_message_shows_nobody_in_a_log(writer, make_order, person):
    shown = repr(writer.build(make_order("entitlements", "education"), person))
    for value in (person["name"], person["id_number"], person["children"][0]["name"]):
        assert value not in shown


def test_what_could_be_echoed_is_known_to_the_message(writer, make_order, person):
    redact = writer.build(make_order("entitlements", "education"), person).redact
    assert {person["name"], person["id_number"], "测试乙", "2008-05-01", "Q370000001"} <= set(redact)
    assert "370303" not in redact
