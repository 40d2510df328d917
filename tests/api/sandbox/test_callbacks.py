"""Outcomes that come later: signed, tried until they are taken, and not lost when the sandbox is stopped."""

from __future__ import annotations

import asyncio

from services.exchange.outcomes import ServiceOutcome
from tests.api.sandbox.town import NUMBER


async def test_what_is_known_later_comes_by_call_back(open_town):
    town = open_town("labour_contract=yes social_insurance=later")
    (result,) = await town.send(town.question())
    assert result.outcomes[0].facts == {"labour_contract": True}
    outcome = await asyncio.wait_for(town.inbox.outcomes.get(), 5)
    assert (outcome.step, outcome.facts) == ("v-1", {"social_insurance": True})
    assert town.inbox.ids == ["cb-v-1"]


async def test_a_service_may_be_opened_later(open_town):
    town = open_town("service:ZB87-3.1.6a=later")
    (result,) = await town.send(town.services("e-1", "ZB87-3.1.6a"), department="justice")
    assert (result.status, result.outcomes) == (202, ())
    outcome = await asyncio.wait_for(town.inbox.outcomes.get(), 5)
    assert outcome.services["ZB87-3.1.6a"] == ServiceOutcome("in_force", outcome.services["ZB87-3.1.6a"].from_on)


async def test_a_repeated_message_is_called_back_once(open_town):
    town = open_town("labour_contract=later")
    question = town.question("v-1", "labour_contract")
    await town.send(question, question, question)
    await asyncio.wait_for(town.inbox.outcomes.get(), 5)
    assert (await town.audit())["callbacks_waiting"] == 0
    assert town.inbox.ids == ["cb-v-1"]


async def test_a_call_back_that_is_not_taken_is_made_again_under_the_same_id(open_town, monkeypatch):
    monkeypatch.setattr("api.sandbox.callbacks.MAX_PAUSE", 0.01)
    town = open_town("labour_contract=later")
    town.inbox.answers = [503, 503, 202]
    await town.send(town.question("v-1", "labour_contract"))
    await asyncio.wait_for(town.inbox.outcomes.get(), 5)
    assert town.inbox.ids == ["cb-v-1"] * 3


async def test_a_call_back_that_is_refused_for_good_is_dropped(open_town):
    town = open_town("labour_contract=later")
    town.inbox.answers = [404]
    await town.send(town.question("v-1", "labour_contract"), town.question("v-2", "labour_contract"))
    outcome = await asyncio.wait_for(town.inbox.outcomes.get(), 5)
    assert outcome.step == "v-2"
    assert (await town.audit())["callbacks_waiting"] == 0


async def test_a_call_back_survives_the_sandbox(open_town, tmp_path):
    data = str(tmp_path / "sandbox.db")
    before = open_town("labour_contract=later", data=data, delay_seconds=3600)
    await before.send(before.question("v-1", "labour_contract"))
    assert (await before.audit())["callbacks_waiting"] == 1
    await before.sandbox.close()
    after = open_town("labour_contract=later", data=data, delay_seconds=0)
    assert (await after.audit())["callbacks_waiting"] == 1
    assert (await after.audit())["messages"] == 1
    # A message that comes again after the restart is still known, and is not called back twice.
    (result,) = await after.send(after.question("v-1", "labour_contract"))
    assert result.status == 202
    assert (await after.audit())["callbacks_waiting"] == 1
    assert (await after.audit())["duplicates"] == 1


async def test_a_wrong_signature_is_refused_and_mended(open_town, monkeypatch):
    monkeypatch.setattr("api.sandbox.callbacks.MAX_PAUSE", 0.01)
    town = open_town("labour_contract=later")
    await town.behave(wrong_signature={})
    await town.send(town.question("v-1", "labour_contract"))
    assert await asyncio.wait_for(town.inbox.refused.get(), 5) == "signature-wrong"
    assert town.inbox.outcomes.empty()
    await town.behave()
    outcome = await asyncio.wait_for(town.inbox.outcomes.get(), 5)
    assert outcome.step == "v-1"


async def test_the_unknown_may_be_answered_later_too(open_town):
    town = open_town(unknown="later")
    stranger = "11010519491231002X"
    assert stranger != NUMBER
    (result,) = await town.send(town.question("v-1", "labour_contract", number=stranger))
    assert result.status == 202
    assert (await asyncio.wait_for(town.inbox.outcomes.get(), 5)).facts == {"labour_contract": True}
