"""Departments that misbehave, each in the way that was asked for and in no other."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
import uvicorn

from api.sandbox import Behaviour, SandboxSettings, create_sandbox
from api.sandbox.behaviour import Dice, Fault, read_behaviours
from services.errors import InputError
from services.exchange.client import open_client
from services.exchange.delivery import Target, deliver
from services.exchange.outcomes import Declined
from services.exchange.schedule import Verdict
from tests.api.sandbox.town import SECRETS, now


@pytest.mark.parametrize(
    ("faults", "status", "verdict", "kept"),
    [
        ({"error": {}}, 500, Verdict.RETRY, 0),
        ({"error": {"status": 302}}, 302, Verdict.REDIRECTED, 0),
        ({"error": {"status": 410}}, 410, Verdict.GONE, 0),
        ({"busy": {"retry_after": 7}}, 429, Verdict.RETRY, 0),
        ({"malformed": {}}, 200, Verdict.RECEIVED, 1),
        ({"forget": {}}, 202, Verdict.RECEIVED, 1),
    ],
)
async def test_a_fault_and_what_the_sender_makes_of_it(open_town, faults, status, verdict, kept):
    town = open_town()
    await town.behave(**faults)
    (result,) = await town.send(town.question())
    assert (result.status, result.verdict, result.outcomes) == (status, verdict, ())
    assert (await town.audit())["messages"] == kept
    assert (result.retry_after == 7) == ("busy" in faults)
    assert (result.problem is not None) == ("malformed" in faults)


async def test_a_reset_comes_when_the_work_is_done(open_town):
    town = open_town()
    await town.behave(department="justice", reset={})
    (result,) = await town.send(town.services("e-1", "ZB87-3.1.6a"), department="justice")
    assert (result.status, result.error, result.verdict) == (None, "reset", Verdict.RETRY)
    await town.behave(department="justice")
    (result,) = await town.send(town.services("e-1", "ZB87-3.1.6a"), department="justice")
    assert result.status == 200
    audit = await town.audit()
    assert (audit["duplicates"], audit["effects"], audit["doubled"]) == (1, 1, 0)


async def test_a_slow_department_outlasts_the_senders_patience_and_works_on(open_town):
    town = open_town()
    await town.behave(slow={"milliseconds": 60})
    (result,) = await town.send(town.question(), timeout=0.02)
    assert (result.error, result.verdict) == ("timeout", Verdict.RETRY)
    (result,) = await town.send(town.question(), timeout=5.0)
    assert result.status == 200
    assert result.duration_ms >= 60


async def test_everything_is_declined_with_a_fitting_reason(open_town):
    town = open_town()
    await town.behave(decline={"reason": "not-eligible"})
    await town.behave(department="justice", decline={"reason": "not-eligible"})
    (result,) = await town.send(town.services("e-1", "ZB87-3.1.6a"), department="justice")
    assert result.outcomes[0].services["ZB87-3.1.6a"].reason == "not-eligible"
    (result,) = await town.send(town.question())
    # Nobody is "not eligible" for a fact.
    assert result.outcomes[0].declined == Declined("other")
    assert (await town.audit())["effects"] == 0


async def test_later_makes_every_outcome_a_call_back(open_town):
    town = open_town("labour_contract=yes social_insurance=later")
    await town.behave(later={"seconds": 0})
    (result,) = await town.send(town.question())
    assert (result.status, result.outcomes) == (202, ())
    outcome = await asyncio.wait_for(town.inbox.outcomes.get(), 5)
    assert outcome.facts == {"labour_contract": True, "social_insurance": True}


async def test_a_behaviour_for_all_others(open_town):
    town = open_town(behaviours=read_behaviours(["*:error=503", "hrss:busy"]))
    assert (await town.send(town.question()))[0].status == 429
    assert (await town.send(town.question(), department="police"))[0].status == 503


async def test_a_share_of_requests_is_struck(open_town):
    town = open_town(seed=7)
    await town.behave(error={"share": 0.5})
    results = await town.send(*(town.question(f"v-{number}") for number in range(60)))
    failed = sum(result.status == 500 for result in results)
    assert 15 < failed < 45
    assert (await town.audit())["messages"] == 60 - failed


async def test_what_a_step_is_told_does_not_change_with_the_next_try(open_town):
    town = open_town()
    await town.behave(decline={"share": 0.5, "reason": "other"})
    questions = [town.question(f"v-{number}", "labour_contract") for number in range(30)]
    first, second = await town.send(*questions), await town.send(*questions)
    declined = [result.outcomes[0].declined is not None for result in first]
    assert declined == [result.outcomes[0].declined is not None for result in second]
    assert True in declined
    assert False in declined


async def test_a_behaviour_that_cannot_be_is_refused(open_town):
    town = open_town()
    url = "http://sandbox/departments/hrss/behaviour"
    for faults in (
        {"error": {"share": 2}},
        {"decline": {"reason": "mood"}},
        {"sleepy": {}},
        {"error": {"status": 200}},
    ):
        assert (await town.http.put(url, json=faults)).status_code == 422
    assert (await town.http.get(url)).json() == Behaviour().model_dump()


def test_behaviours_from_the_command_line():
    read = read_behaviours(["hrss:slow=500@0.3", "hrss:reset@0.1", "police:decline=no-record", "*:forget"])
    assert read["hrss"] == Behaviour.model_validate(
        {"slow": {"milliseconds": 500, "share": 0.3}, "reset": {"share": 0.1}}
    )
    assert read["police"].decline is not None
    assert read["police"].decline.reason == "no-record"
    assert read["*"].forget == Fault()


@pytest.mark.parametrize(
    "text", ["hrss", "hrss:", ":reset", "hrss:dance", "hrss:reset=5", "hrss:slow=soon", "hrss:reset@2"]
)
def test_a_text_that_says_no_behaviour_is_refused(text):
    with pytest.raises(InputError) as refused:
        read_behaviours([text])
    assert "\n" not in str(refused.value)


def test_dice_fall_the_same_way_for_the_same_seed():
    fault = Fault(share=0.5)
    throws = [[Dice(seed).strikes(fault, f"s-{n}") for n in range(40)] for seed in (1, 1, 2)]
    assert throws[0] == throws[1] != throws[2]
    assert not Dice(1).strikes(Fault(share=0))
    assert not Dice(1).strikes(None)


async def test_over_a_real_connection_a_reset_is_a_reset(open_town):
    """The one fault that ASGI has no word for, over uvicorn."""
    town = open_town()
    app = create_sandbox(SandboxSettings(secrets=SECRETS, behaviours=read_behaviours(["hrss:reset"])))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
    serving = asyncio.create_task(server.serve([listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    client = open_client()
    try:
        target = Target("hrss", f"{url}/departments/hrss/webhook", (SECRETS["hrss"],))
        (result,) = [result async for result in deliver(client, target, [town.question()], now)]
        assert (result.status, result.error, result.verdict) == (None, "reset", Verdict.RETRY)
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{url}/audit")).json()["messages"] == 1
    finally:
        await client.aclose()
        server.should_exit = True
        await serving
