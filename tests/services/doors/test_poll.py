"""The signed poll: nothing is lost, nothing is doubled, and everything leaves the evidence that a push leaves."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from standardwebhooks import Webhook

from models import Case, CaseState, Door, StepState
from services.database import table
from services.doors.poll import Request, acknowledge, authenticate, poll
from services.dossiers.reading import read_case
from services.errors import ConflictError, InputError
from services.exchange.signatures import SignatureError, signature_headers, verify
from services.house import House
from tests.services.doors.conftest import Open, attempts_of, steps_of
from tests.testing.clock import SetClock
from tests.testing.departments import SECRET, Departments, work

TARGET = "/api/v1/doors/hrss/steps?limit=50"


def signed(house: House, method: str, target: str, body: bytes = b"", message: str = "p-1") -> Request:
    """A request as a department's own library signs it: the target stands before the body."""
    content = f"{method} {target}\n" + body.decode()
    now = house.database.clock.now()
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(message, now, content),
    }
    return Request(method, target, headers, body)


async def answer(house: House, told: Mapping[str, Any], message: str = "a-1") -> Any:
    body = json.dumps({"outcomes": [told]}).encode()
    request = signed(house, "POST", "/api/v1/doors/hrss/outcomes", body, message)
    return await acknowledge(house, "hrss", request, await authenticate(house, "hrss", request))


def ids(polled: Any) -> list[str]:
    return [event["id"] for event in json.loads(polled.body)]


@pytest.mark.usefixtures("hrss_polls")
async def test_a_step_is_fetched_and_answered(house: House, open_case: Open) -> None:
    number = await open_case()
    assert [row.state for row in await steps_of(house, "hrss")] == [StepState.DUE]
    polled = await poll(house, "hrss")
    step = f"{number}-v-hrss-1"
    assert ids(polled) == [step]
    assert (await steps_of(house, "hrss"))[0].state is StepState.SENDING
    taken = await answer(
        house, {"step": step, "facts": {"labour_contract": True, "social_insurance": True}, "authority": "参保登记"}
    )
    assert taken.settled == (step,)
    await work(house, number)
    assert (await read_case(house, number)).permit is not None


@pytest.mark.usefixtures("hrss_polls")
async def test_what_is_handed_out_is_signed_and_recorded(house: House, open_case: Open) -> None:
    number = await open_case()
    polled = await poll(house, "hrss")
    verify(polled.headers, polled.body, [SECRET], house.database.clock.now())
    (attempt,) = await attempts_of(house, f"{number}-v-hrss-1")
    assert (attempt.number, attempt.door, attempt.status) == (1, Door.POLL, 200)
    assert attempt.sent_digest == hashlib.sha256(polled.body).hexdigest()
    assert attempt.message_id == polled.headers["webhook-id"]
    assert attempt.signature == polled.headers["webhook-signature"]
    (event,) = json.loads(polled.body)
    assert set(attempt.fields.split()) == set(event["data"]["person"])


@pytest.mark.usefixtures("hrss_polls")
async def test_a_cursor_says_what_arrived(house: House, open_case: Open, clock: SetClock) -> None:
    first = await open_case()
    polled = await poll(house, "hrss")
    clock.pass_(seconds=20)
    second = await open_case()
    newer = await poll(house, "hrss", cursor=polled.cursor)
    assert ids(newer) == [f"{second}-v-hrss-1"]
    # That answer was lost on its way: the old cursor gives the same again, and not what had arrived.
    clock.pass_(seconds=20)
    assert ids(await poll(house, "hrss", cursor=polled.cursor)) == [f"{second}-v-hrss-1"]
    # Without a cursor all comes that is not acknowledged.
    clock.pass_(seconds=40)
    assert ids(await poll(house, "hrss")) == [f"{first}-v-hrss-1", f"{second}-v-hrss-1"]


@pytest.mark.usefixtures("hrss_polls")
async def test_what_was_never_acknowledged_comes_again(house: House, open_case: Open, clock: SetClock) -> None:
    number = await open_case()
    polled = await poll(house, "hrss")
    clock.pass_(minutes=14)
    assert ids(await poll(house, "hrss", cursor=polled.cursor)) == []
    clock.pass_(minutes=2)
    assert ids(await poll(house, "hrss", cursor=polled.cursor)) == [f"{number}-v-hrss-1"]
    await answer(house, {"step": f"{number}-v-hrss-1", "received": True})
    clock.pass_(hours=5)
    assert ids(await poll(house, "hrss")) == []


@pytest.mark.usefixtures("hrss_polls")
async def test_a_client_without_a_cursor_does_not_fill_the_ledger(
    house: House, open_case: Open, clock: SetClock
) -> None:
    number = await open_case()
    for _ in range(600):
        await poll(house, "hrss")
        clock.pass_(seconds=6)
    assert len(await attempts_of(house, f"{number}-v-hrss-1")) <= 12


@pytest.mark.usefixtures("hrss_polls")
async def test_pages_go_on_where_they_ended(house: House, open_case: Open) -> None:
    numbers = [await open_case() for _ in range(3)]
    polled = await poll(house, "hrss", limit=2)
    assert (polled.count, polled.more) == (2, True)
    rest = await poll(house, "hrss", limit=2, cursor=polled.cursor)
    assert (rest.count, rest.more) == (1, False)
    assert sorted(ids(polled) + ids(rest)) == sorted(f"{number}-v-hrss-1" for number in numbers)


@pytest.mark.usefixtures("hrss_polls")
async def test_a_long_poll_answers_as_soon_as_something_is_there(house: House, open_case: Open) -> None:
    waiting = asyncio.create_task(poll(house, "hrss", wait=20, pause=0.02))
    number = await open_case()
    assert ids(await asyncio.wait_for(waiting, 10)) == [f"{number}-v-hrss-1"]
    empty = await poll(house, "hrss", wait=0.05, pause=0.02, cursor=None)
    assert empty.body == b"[]"


@pytest.mark.usefixtures("hrss_polls")
async def test_two_polls_at_once_share_no_step(house: House, open_case: Open) -> None:
    for _ in range(3):
        await open_case()
    both = await asyncio.gather(poll(house, "hrss"), poll(house, "hrss"))
    found = [step for one in both for step in ids(one)]
    assert len(found) == len(set(found)) == 3


@pytest.mark.usefixtures("hrss_polls")
async def test_a_signature_opens_one_address_only(house: House) -> None:
    request = signed(house, "GET", TARGET)
    assert await authenticate(house, "hrss", request) == "p-1"
    for other in (
        Request("POST", TARGET, request.headers),
        Request("GET", TARGET + "0", request.headers),
        Request("GET", TARGET, request.headers, b"{}"),
    ):
        with pytest.raises(SignatureError) as refused:
            await authenticate(house, "hrss", other)
        assert refused.value.code == "signature-wrong"
    # A signed message of ours, sent back, opens nothing either.
    ours = signature_headers("m", b"", [SECRET], house.database.clock.now())
    with pytest.raises(SignatureError):
        await authenticate(house, "hrss", Request("GET", TARGET, ours))


@pytest.mark.usefixtures("hrss_polls")
async def test_an_old_request_is_refused(house: House, clock: SetClock) -> None:
    request = signed(house, "GET", TARGET)
    clock.pass_(minutes=6)
    with pytest.raises(SignatureError) as refused:
        await authenticate(house, "hrss", request)
    assert refused.value.code == "signature-too-old"


@pytest.mark.usefixtures("hrss_polls")
async def test_the_same_acknowledgement_twice_changes_nothing(house: House, open_case: Open) -> None:
    number = await open_case()
    await poll(house, "hrss")
    told = {"step": f"{number}-v-hrss-1", "facts": {"labour_contract": True, "social_insurance": True}}
    assert not (await answer(house, told)).repeated
    assert (await answer(house, told)).repeated


@pytest.mark.usefixtures("departments")
async def test_a_department_of_another_door_is_told_so(house: House) -> None:
    with pytest.raises(ConflictError, match="another door"):
        await poll(house, "hrss")


@pytest.mark.usefixtures("hrss_polls")
@pytest.mark.parametrize("cursor", ["x", "AAAA", "MjAxNC0xMS0wM1QwMjowMDowMA"])
async def test_a_cursor_must_be_one(house: House, cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        await poll(house, "hrss", cursor=cursor)


async def test_before_the_deadline_the_poll_takes_over_from_a_dead_push(
    house: House, departments: Departments, open_case: Open, change: Any, clock: SetClock
) -> None:
    departments.failing["hrss"] = 503
    await change("hrss", fallback=Door.POLL, fallback_hours=24)
    number = await open_case()
    assert ids(await poll(house, "hrss")) == []
    (step,) = await steps_of(house, "hrss")
    clock.set_day(step.answer_by - timedelta(days=1))
    assert ids(await poll(house, "hrss")) == []
    clock.set_day(step.answer_by)
    assert ids(await poll(house, "hrss")) == [f"{number}-v-hrss-1"]
    assert (await attempts_of(house, step.id))[-1].door is Door.POLL


@pytest.mark.usefixtures("hrss_polls")
async def test_what_is_no_longer_right_is_not_handed_out(
    house: House, departments: Departments, open_case: Open
) -> None:
    number = await open_case()
    departments.facts["identity_matches"] = False
    # Another department's answer settles the case while this one's question still waits.
    async with house.database.write("administrator:test") as transaction:
        cases = table(Case)
        await transaction.connection.execute(
            update(cases).where(cases.c.number == number).values(state=CaseState.REFUSED)
        )
    assert ids(await poll(house, "hrss")) == []
    (step,) = await steps_of(house, "hrss")
    assert (step.state, step.reason) == (StepState.SUPERSEDED, "case-over")
    assert await attempts_of(house, step.id) == []
