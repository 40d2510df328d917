"""Honest departments: they verify, answer by what they know, do a thing once, and keep what they did."""

from __future__ import annotations

import json

import pytest
from standardwebhooks import Webhook

from services.exchange.messages import Message
from services.exchange.outcomes import Declined, Outcome, ServiceOutcome
from services.exchange.schedule import Verdict
from services.exchange.signatures import new_secret
from tests.api.sandbox.town import CASE, FIRST, SECRETS, now

REGISTER = "沙盒业务系统 sandbox register"


async def test_a_question_is_answered_by_what_is_known(open_town):
    town = open_town("labour_contract=yes")
    (result,) = await town.send(town.question())
    assert result.status == 200
    assert result.outcomes == (Outcome("v-1", {"labour_contract": True, "social_insurance": False}, REGISTER),)


async def test_what_cannot_be_said_is_declined_and_what_never_comes_is_left_out(open_town):
    town = open_town("labour_contract=never social_insurance=decline:no-record")
    (result,) = await town.send(town.question())
    assert result.outcomes == (Outcome("v-1", declined=Declined("no-record")),)
    (result,) = await town.send(town.question("v-2", "labour_contract"))
    assert (result.status, result.outcomes) == (202, ())
    assert (await town.audit())["callbacks_waiting"] == 0


@pytest.mark.parametrize(("unknown", "answer"), [("yes", True), ("no", False)])
async def test_an_unknown_person_gets_the_answer_that_was_chosen(open_town, unknown, answer):
    town = open_town(unknown=unknown)
    (result,) = await town.send(town.question("v-1", "labour_contract", number="11010519491231002X"))
    assert result.outcomes[0].facts == {"labour_contract": answer}


async def test_services_are_opened_declined_and_withdrawn(open_town):
    town = open_town("service:ZB87-3.1.6b=decline:not-eligible")
    (result,) = await town.send(town.services("e-1", "ZB87-3.1.6a", "ZB87-3.1.6b"), department="justice")
    assert result.outcomes[0].services == {
        "ZB87-3.1.6a": ServiceOutcome("in_force", FIRST),
        "ZB87-3.1.6b": ServiceOutcome("declined", reason="not-eligible"),
    }
    (result,) = await town.send(town.services("e-2", withdraw=("ZB87-3.1.6a",)), department="justice")
    assert result.outcomes[0].services == {"ZB87-3.1.6a": ServiceOutcome("ended")}
    records = (await town.http.get("http://sandbox/departments/justice/records")).json()
    assert records["services"] == [
        {"case": CASE, "service": "ZB87-3.1.6a", "state": "withdrawn", "opened": 1, "doubled": 0}
    ]
    assert [message["fields"] for message in records["received"]] == ["name id_number"] * 2


async def test_the_same_message_twice_is_the_same_answer_and_one_effect(open_town):
    town = open_town()
    message = town.services("e-1", "ZB87-3.1.6a")
    first, second = await town.send(message, message, department="justice")
    assert first.outcomes == second.outcomes
    audit = await town.audit()
    assert {name: audit[name] for name in ("messages", "duplicates", "effects", "doubled")} == {
        "messages": 1,
        "duplicates": 1,
        "effects": 1,
        "doubled": 0,
    }


async def test_opening_what_another_step_has_opened_is_found_out(open_town):
    town = open_town()
    messages = [town.services(f"e-{number}", "ZB87-3.1.6a") for number in (1, 2)]
    await town.send(*messages, department="justice")
    assert (await town.audit())["doubled"] == 1
    assert (await town.audit())["departments"]["justice"]["doubled"] == 1


async def test_opening_anew_after_a_withdrawal_doubles_nothing(open_town):
    town = open_town()
    await town.send(
        town.services("e-1", "ZB87-3.1.6a"),
        town.services("e-2", withdraw=("ZB87-3.1.6a",)),
        town.services("e-3", "ZB87-3.1.6a"),
        department="justice",
    )
    assert (await town.audit())["doubled"] == 0
    assert (await town.audit())["effects"] == 3


async def test_a_batch_is_answered_step_by_step(open_town):
    town = open_town("labour_contract=yes")
    questions = [town.question(f"v-{number}", "labour_contract") for number in range(5)]
    results = await town.send(*questions, batch_size=3)
    assert [[outcome.step for outcome in result.outcomes] for result in results] == [
        ["v-0", "v-1", "v-2"],
        ["v-3", "v-4"],
    ]
    assert (await town.audit())["messages"] == 5


async def test_notices_and_tests_are_taken_note_of(open_town):
    town = open_town()
    test = town.writer.build_test("hrss", "k4x9", "test-hrss-1", now())
    (result,) = await town.send(test)
    assert (result.verdict, result.outcomes) == (Verdict.RECEIVED, ())


async def test_a_message_that_is_not_signed_so_is_refused_and_does_nothing(open_town):
    town = open_town()
    (result,) = await town.send(town.question(), secrets=(new_secret(),))
    assert (result.status, result.verdict) == (401, Verdict.REFUSED)
    (result,) = await town.send(town.question(), secrets=(new_secret(), SECRETS["hrss"]))
    assert result.status == 200
    assert (await town.audit())["messages"] == 1


async def test_either_of_two_secrets_passes(open_town):
    older, newer = new_secret(), new_secret()
    town = open_town(secrets={"hrss": [newer, older]})
    for secret in (older, newer):
        (result,) = await town.send(town.question(), secrets=(secret,))
        assert result.status == 200


@pytest.mark.parametrize("signature", ["v1", "v1,%%%", "no comma", "v1,AAAA"])
async def test_a_signature_that_cannot_be_read_is_a_wrong_one(open_town, signature):
    town = open_town()
    headers = {"webhook-id": "a", "webhook-timestamp": str(int(now().timestamp())), "webhook-signature": signature}
    answer = await town.http.post("http://sandbox/departments/hrss/webhook", content=b"{}", headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"7", b"OK", b'{"id": "other"}', b'{"id": "m-1", "data": {"case": "c"}}']
)
async def test_a_body_that_is_no_event_is_refused(open_town, body):
    town = open_town()
    (result,) = await town.send(Message("m-1", "t", body))
    assert (result.status, result.verdict) == (400, Verdict.REFUSED)
    assert (await town.audit())["messages"] == 0


async def test_there_are_the_departments_that_have_a_secret(open_town):
    town = open_town()
    (result,) = await town.send(town.question(), department="nobody")
    assert result.status == 404
    listed = (await town.http.get("http://sandbox/departments")).json()
    assert [department["code"] for department in listed] == sorted(SECRETS)
    assert SECRETS["hrss"] not in json.dumps(listed)
    assert (await town.http.get("http://sandbox/departments/nobody/records")).status_code == 404


async def test_without_records_signatures_are_verified_all_the_same(open_town):
    town = open_town(keep_records=False)
    assert (await town.send(town.question(), secrets=(new_secret(),)))[0].status == 401
    assert (await town.send(town.question()))[0].status == 200
    assert (await town.audit())["messages"] == 0


async def test_the_sandbox_agrees_with_the_public_package_by_using_it(open_town):
    town = open_town()
    message = town.question()
    headers = {
        "webhook-id": message.step_id,
        "webhook-timestamp": str(int(now().timestamp())),
        "webhook-signature": Webhook(SECRETS["hrss"]).sign(message.step_id, now(), message.body.decode()),
    }
    answer = await town.http.post("http://sandbox/departments/hrss/webhook", content=message.body, headers=headers)
    assert answer.status_code == 200
