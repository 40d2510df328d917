"""A bundle proves a step by itself, and no byte of it can be altered."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from models import Attempt, AuditEntry, InboundMessage, Step
from services.audit import verify_chain
from services.casework.answers import take_callback
from services.database import table
from services.endpoints import register_endpoint
from services.errors import ConflictError, LianbanError, NotFoundError
from services.evidence.bundle import encode, unsigned, write_bundle
from services.evidence.chain import MAX_GAP
from services.evidence.checking import check_bundle
from services.evidence.seal import Seal
from services.exchange.delivery import Target
from services.exchange.signatures import new_secret, signature_headers
from services.house import House
from services.sealing import KeyRing, SealError, new_key
from tests.testing.departments import SECRET, Departments, work
from tests.testing.people import application, registered


async def _step(house: House, number: str, kind: str, department: str = "hrss") -> str:
    steps = table(Step)
    async with house.database.read() as connection:
        query = select(steps.c.id).where(
            steps.c.case_number == number, steps.c.kind == kind, steps.c.department == department
        )
        return str((await connection.execute(query)).scalar_one())


async def _worked(house: House, **changes: Any) -> str:
    (number,) = await registered(house, application(**changes))
    await work(house, number)
    return number


@pytest.mark.parametrize("kind", ["verification", "entitlements"])
async def test_a_bundle_holds_all_of_a_step_and_checks_offline(
    house: House, departments: Departments, kind: str
) -> None:
    number = await _worked(house)
    step = await _step(house, number, kind)
    data = await write_bundle(house, step, "auditor:test")
    finding = check_bundle(data, public_key=Seal.of(house.keys).public_key, secrets=[SECRET])
    assert (finding.problems, finding.step, finding.state) == ((), step, "done")
    # The outcome came in the answer's body: nobody but the connection vouches for it, and that is said.
    assert any("in the body of the answer" in note and "TLS" in note for note in finding.notes)
    bundle = json.loads(data)
    sent = next(event for event in departments.sent if event["id"] == step)
    assert json.loads(bundle["message"]["body"]) == sent
    (attempt,) = bundle["attempts"]
    assert attempt["sent_digest"] == hashlib.sha256(bundle["message"]["body"].encode()).hexdigest()
    assert sorted(attempt["fields"]) == sorted(sent["data"]["person"])
    if kind == "verification":
        assert bundle["decision"] is None
        assert bundle["step"]["pack_digest"] == house.packs.named("zibo-2014-87").digest
        assert {fact["name"] for fact in bundle["facts"]} == {"labour_contract", "social_insurance"}
    else:
        assert bundle["decision"]["pack_digest"] == house.packs.named("zibo-2014-87").digest
        assert json.loads(bundle["decision"]["kept"])["answer"]["permit"]["outcome"] in {"issue", "in-force"}
        assert {one["state"] for one in bundle["entitlements"]} == {"in_force"}
    actions = [link["action"] for link in _shown(bundle)]
    assert "steps.planned" in actions
    assert "steps.answered" in actions
    async with house.database.read() as connection:
        assert (await verify_chain(connection)).broken_at is None


def _shown(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [link for stretch in bundle["audit"]["stretches"] for link in stretch["links"] if isinstance(link, dict)]


@pytest.mark.usefixtures("departments")
async def test_no_byte_can_be_altered(house: House) -> None:
    number = await _worked(house)
    data = await write_bundle(house, await _step(house, number, "entitlements"), "auditor:test")
    # Every byte about the seal, which comes in the middle of the sorted names, and of the rest any.
    seal = data.index(b'"seal"')
    for place in {*range(seal, seal + 300), 0, len(data) - 1}:
        assert not _holds(_flipped(data, place, 1)), place

    @hypothesis_settings(max_examples=300, deadline=None)
    @given(st.integers(0, len(data) - 1), st.integers(1, 255))
    def any_byte(place: int, change: int) -> None:
        assert not _holds(_flipped(data, place, change))

    any_byte()
    for altered in (data[:-1], data + b"\n", data.replace(b",", b", ", 1), b"\xef\xbb\xbf" + data):
        assert not _holds(altered)


def _flipped(data: bytes, place: int, change: int) -> bytes:
    altered = bytearray(data)
    altered[place] ^= change
    return bytes(altered)


def _holds(data: bytes) -> bool:
    try:
        return not check_bundle(data).problems
    except LianbanError:
        return False


@pytest.mark.usefixtures("departments")
async def test_who_seals_anew_is_found_by_the_key_or_by_the_contents(house: House) -> None:
    number = await _worked(house)
    data = await write_bundle(house, await _step(house, number, "verification"), "auditor:test")
    forger = Seal.of(KeyRing.from_json({"current": "k", "keys": {"k": new_key()}, "lookup": new_key()}))

    def forged(change: Any) -> bytes:
        bundle = json.loads(data)
        change(bundle)
        bundle["seal"] = {"algorithm": "ed25519", "public_key": forger.public_key}
        bundle["seal"]["signature"] = forger.sign(unsigned(bundle))
        return encode(bundle)

    whole = forged(dict)
    assert check_bundle(whole).problems == ()
    assert check_bundle(whole, public_key=Seal.of(house.keys).public_key).problems

    def another_answer(bundle: dict[str, Any]) -> None:
        _shown(bundle)[-1]["detail"] = {"steps": {bundle["step"]["id"]: {"to": "declined"}}}

    def another_message(bundle: dict[str, Any]) -> None:
        bundle["message"]["body"] = bundle["message"]["body"].replace("370303", "370304")

    def another_try(bundle: dict[str, Any]) -> None:
        bundle["attempts"][0]["sent_digest"] = "0" * 64

    for change in (another_answer, another_message, another_try):
        assert check_bundle(forged(change)).problems, change.__name__
    assert "fits none" in check_bundle(data, secrets=[new_secret()]).problems[0]


async def test_a_call_back_is_kept_with_its_signature(house: House, departments: Departments) -> None:
    departments.silent.add("hrss")
    number = await _worked(house)
    step = await _step(house, number, "verification")
    outcome = {"step": step, "facts": {"labour_contract": True, "social_insurance": True}, "authority": "参保登记"}
    body = json.dumps({"outcomes": [outcome]}).encode()
    headers = signature_headers("m-1", body, [SECRET], house.database.clock.now())
    await take_callback(house, "hrss", headers, body)
    data = await write_bundle(house, step, "auditor:test")
    bundle = json.loads(data)
    (came,) = bundle["inbound"]
    assert came["body"].encode() == body
    assert came["headers"] == dict(headers)
    finding = check_bundle(data, secrets=[SECRET])
    assert finding.problems == ()
    assert not any("in the body of the answer" in note for note in finding.notes)
    assert check_bundle(data, secrets=[new_secret()]).problems
    inbound = table(InboundMessage)
    async with house.database.engine.begin() as connection:
        sealed = (await connection.execute(select(inbound.c.sealed))).scalar_one()
        assert b"labour_contract" not in sealed
        await connection.execute(update(inbound).values(sealed=sealed[:-1] + bytes([sealed[-1] ^ 1])))
    with pytest.raises(SealError):
        await write_bundle(house, step, "auditor:test")


async def test_a_batch_shows_nobody_else(house: House, departments: Departments) -> None:
    async with house.database.write("administrator:test") as transaction:
        target = Target("hrss", "https://hrss.test/webhook", (SECRET,), batch_size=10)
        await register_endpoint(transaction, house.keys, target)
    other = application()
    numbers = await registered(house, application(), other)
    async with _batches(departments):
        await work(house, *numbers)
    step = await _step(house, numbers[0], "verification")
    data = await write_bundle(house, step, "auditor:test")
    assert check_bundle(data, secrets=[SECRET]).problems == ()
    assert other.person.id_number.encode() not in data
    assert other.person.name.encode() not in data
    batch = json.loads(data)["attempts"][0]["batch"]
    assert (len(batch["events"]), batch["rebuilt"]) == (2, True)
    assert any("in a batch" in note for note in check_bundle(data).notes)
    # What stood in the batch about the other is known by its digest alone; altered, the batch is told apart.
    attempts = table(Attempt)
    async with house.database.engine.begin() as connection:
        await connection.execute(
            update(attempts).where(attempts.c.step_id == step).values(sent_digest=hashlib.sha256(b"x").hexdigest())
        )
    assert "not in the batch" in check_bundle(await write_bundle(house, step, "auditor:test")).problems[0]


class _batches:  # noqa: N801 - reads as a clause of `with`
    """Lets the departments take batches."""

    def __init__(self, departments: Departments) -> None:
        self.departments, self.post = departments, departments.post

    async def __aenter__(self) -> None:
        single = self.post

        async def post(url: str, body: bytes, headers: Any) -> Any:
            events = json.loads(body)
            if not isinstance(events, list):
                return await single(url, body, headers)
            answers = [await single(url, json.dumps(event).encode(), headers) for event in events]
            told = [outcome for answer in answers if answer.body for outcome in json.loads(answer.body)["outcomes"]]
            return type(answers[0])(200, json.dumps({"outcomes": told}).encode(), None, None, too_large=False)

        self.departments.post = post  # type: ignore[method-assign]  # put back when the block ends

    async def __aexit__(self, *_: object) -> None:
        self.departments.post = self.post  # type: ignore[method-assign]  # as it was


@pytest.mark.usefixtures("departments")
async def test_other_cases_are_links_only_and_a_long_gap_is_left_open(house: House) -> None:
    (number,) = await registered(house, application())
    async with house.database.write("clerk:test") as transaction:
        for count in range(3):
            transaction.note("case.received", f"370304-2014-{count:06d}")
    await work(house, number)
    step = await _step(house, number, "verification")
    data = await write_bundle(house, step, "auditor:test")
    assert b"370304-2014-" not in data
    async with house.database.write("clerk:test") as transaction:
        for count in range(MAX_GAP + 10):
            transaction.note("case.received", f"370304-2014-{count:06d}")
    await write_bundle(house, step, "auditor:test")
    data = await write_bundle(house, step, "auditor:test")
    assert check_bundle(data).problems == ()
    assert len(json.loads(data)["audit"]["stretches"]) == 2
    entries = table(AuditEntry)
    async with house.database.engine.begin() as connection:
        planned = entries.c.action == "steps.planned"
        await connection.execute(update(entries).where(planned).values(actor="nobody"))
    assert "follow one another" in check_bundle(await write_bundle(house, step, "auditor:test")).problems[0]


@pytest.mark.usefixtures("departments")
async def test_what_cannot_be_proven_is_refused(house: House) -> None:
    with pytest.raises(NotFoundError):
        await write_bundle(house, "370303-2014-000001-v-hrss-1", "auditor:test")
    number = await _worked(house)
    step = await _step(house, number, "verification")
    attempts = table(Attempt)
    async with house.database.engine.begin() as connection:
        await connection.execute(update(attempts).values(sent_digest="0" * 64, event_digest="0" * 64))
    with pytest.raises(ConflictError, match="LIANBAN_PUBLIC_URL"):
        await write_bundle(house, step, "auditor:test")


@pytest.mark.usefixtures("departments")
async def test_the_writing_itself_is_told(house: House) -> None:
    number = await _worked(house)
    step = await _step(house, number, "verification")
    await write_bundle(house, step, "auditor:li")
    bundle = json.loads(await write_bundle(house, step, "auditor:li"))
    assert [(link["action"], link["actor"]) for link in _shown(bundle)][-1] == ("evidence.written", "auditor:li")
