"""Call-backs: taken once, in any order and in parts, from the department that was asked, and never over an answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from models import CaseState, StepKind, StepState
from services.casework.answers import Taken, take_callback
from services.errors import ConflictError, InputError, NotFoundError
from services.exchange.signatures import SignatureError, new_secret, signature_headers
from services.house import House
from tests.testing.clock import SetClock
from tests.testing.departments import SECRET, Departments, dispatch, work
from tests.testing.looking import actions, case_row, chain_length, entitlements, standing_of, steps
from tests.testing.people import application, registered


@pytest.fixture
async def asked(house: House, departments: Departments) -> Any:
    """A case whose questions to hrss wait for an answer: its number and the step's id."""
    departments.silent = {"hrss"}
    (number,) = await registered(house, application())
    await work(house, number)
    (step,) = [
        one.id for one in await steps(house, number) if one.kind is StepKind.VERIFICATION and one.department == "hrss"
    ]
    return number, step


async def _step(house: House, identity: str) -> Any:
    (step,) = [one for one in await steps(house, identity.rpartition("-v-")[0]) if one.id == identity]
    return step


def _signed(house: House, message: str, outcomes: list[dict[str, Any]], secret: str = SECRET) -> tuple[Any, bytes]:
    body = json.dumps({"outcomes": outcomes}).encode()
    return signature_headers(message, body, (secret,), house.database.clock.now()), body


def _facts(step: str, **facts: bool) -> dict[str, Any]:
    return {"step": step, "facts": facts, "authority": "经办窗口"}


BOTH = {"labour_contract": True, "social_insurance": True}


async def test_an_answer_wakes_its_case(house: House, departments: Departments, asked: Any) -> None:
    number, step = asked
    assert (await case_row(house, number)).state is CaseState.VERIFYING
    taken = await departments.report(house, "hrss", _facts(step, **BOTH))
    assert (taken.repeated, taken.settled) == (False, (step,))
    departments.silent.clear()
    assert await dispatch(house) == [number]
    assert (await case_row(house, number)).state is CaseState.CLOSED


async def test_parts_may_come_one_by_one(house: House, departments: Departments, asked: Any) -> None:
    number, step = asked
    await departments.report(house, "hrss", _facts(step, social_insurance=True))
    assert (await _step(house, step)).state is StepState.RECEIVED
    assert (await standing_of(house, number)).facts["social_insurance"] is True
    await departments.report(house, "hrss", _facts(step, labour_contract=False))
    assert (await _step(house, step)).state is StepState.DONE


async def test_parts_may_come_in_one_message(house: House, departments: Departments, asked: Any) -> None:
    _, step = asked
    parts = [_facts(step, social_insurance=True), _facts(step, labour_contract=True)]
    try:
        await departments.report(house, "hrss", *parts)
    except InputError as told:
        # Then it says so, and nothing of it was taken.
        assert "outcomes" in str(told)  # noqa: PT017 - either is right, half is not
        assert (await _step(house, step)).state is StepState.RECEIVED
    else:
        assert (await _step(house, step)).state is StepState.DONE


async def test_the_same_message_twice_changes_nothing(house: House, asked: Any) -> None:
    _, step = asked
    headers, body = _signed(house, "m-1", [_facts(step, **BOTH)])
    await take_callback(house, "hrss", headers, body)
    entries = await chain_length(house)
    assert (await take_callback(house, "hrss", headers, body)).repeated
    assert await chain_length(house) == entries


async def test_the_same_message_twice_in_one_moment(house: House, asked: Any) -> None:
    _, step = asked
    headers, body = _signed(house, "m-1", [_facts(step, **BOTH)])
    taken = await asyncio.gather(*(take_callback(house, "hrss", headers, body) for _ in range(5)))
    assert sorted(one.repeated for one in taken) == [False, True, True, True, True]
    assert (await _step(house, step)).state is StepState.DONE
    await chain_length(house)


async def test_an_id_used_for_another_body_is_refused(house: House, asked: Any) -> None:
    _, step = asked
    await take_callback(house, "hrss", *_signed(house, "m-1", [_facts(step, labour_contract=True)]))
    with pytest.raises(ConflictError, match="webhook-id"):
        await take_callback(house, "hrss", *_signed(house, "m-1", [_facts(step, labour_contract=False)]))


async def test_another_answer_later_does_not_overwrite(house: House, departments: Departments, asked: Any) -> None:
    number, step = asked
    await departments.report(house, "hrss", _facts(step, **BOTH))
    told = await departments.report(house, "hrss", _facts(step, labour_contract=False, social_insurance=True))
    assert told.contradicted == (step,)
    assert (await standing_of(house, number)).facts["labour_contract"] is True
    assert "step.contradicted" in await actions(house, number)


async def test_only_the_department_that_was_asked_may_answer(
    house: House, departments: Departments, asked: Any
) -> None:
    _, step = asked
    with pytest.raises(NotFoundError):
        await departments.report(house, "police", _facts(step, **BOTH))
    with pytest.raises(NotFoundError):
        await departments.report(house, "hrss", _facts(step, **BOTH), _facts(f"{step}9", **BOTH))
    # One outcome that cannot be taken leaves the others untaken too: the department sends it all again.
    assert (await _step(house, step)).state is StepState.RECEIVED


async def test_a_wrong_key_an_old_stamp_and_rubbish_change_nothing(house: House, clock: SetClock, asked: Any) -> None:
    _, step = asked
    entries = await chain_length(house)
    with pytest.raises(SignatureError):
        await take_callback(house, "hrss", *_signed(house, "m-1", [_facts(step, **BOTH)], new_secret()))
    headers, body = _signed(house, "m-2", [_facts(step, **BOTH)])
    clock.pass_(minutes=6)
    with pytest.raises(SignatureError):
        await take_callback(house, "hrss", headers, body)
    now = house.database.clock.now()
    for rubbish in (b"", b"{", b"[]", b'{"outcomes": 1}', b'{"outcomes": [{}]}'):
        with pytest.raises(InputError):
            await take_callback(house, "hrss", signature_headers("m-3", rubbish, (SECRET,), now), rubbish)
    assert await chain_length(house) == entries


async def test_an_answer_to_what_we_gave_up_is_taken(house: House, departments: Departments) -> None:
    # The department had the message although our side saw it fail.
    departments.failing["justice"] = 400
    (number,) = await registered(house, application())
    await work(house, number)
    (step,) = [one for one in await steps(house, number) if one.department == "justice"]
    assert step.state is StepState.FAILED
    services = {one["service"]: {"state": "in_force"} for one in step.content["open"]}
    taken: Taken = await departments.report(house, "justice", {"step": step.id, "services": services})
    assert taken.settled == (step.id,)
    assert (await entitlements(house, number))["3.1.6a"].state.value == "in_force"
    assert await dispatch(house) == [number]
    assert (await case_row(house, number)).state is CaseState.CLOSED
