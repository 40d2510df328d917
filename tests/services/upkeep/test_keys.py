"""Keys change while the work goes on: nothing is lost, nothing stays under an old key, nobody becomes a stranger."""

from __future__ import annotations

import pytest
from sqlalchemy import LargeBinary, select

from models import Case, metadata
from services.database import table
from services.dossiers.stories import tell_story
from services.endpoints import open_targets
from services.errors import ConflictError
from services.evidence.bundle import write_bundle
from services.evidence.checking import check_bundle
from services.evidence.seal import Seal
from services.house import House
from services.sealing import SealError
from services.settings import Settings
from services.upkeep import keys
from services.upkeep.keys import add_key, list_sealing_keys, reseal, retire_keys
from services.upkeep.sealed import SEALED, count_under
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.looking import chain_length
from tests.testing.people import application, registered

# Bytes that are no secret and bear no person.
_PLAIN = {("minutes", "document")}


def test_every_sealed_column_is_listed() -> None:
    binary = {
        (one.name, column.name) for one in metadata.tables.values() for column in one.columns
        if isinstance(column.type, LargeBinary)
    }  # fmt: skip
    assert {(one.table.name, one.column) for one in SEALED} == binary - _PLAIN


async def _at_work(house: House, departments: Departments) -> str:
    """A case with sealed decisions, endpoints and call-backs."""
    departments.silent.add("culture")
    (number,) = await registered(house, application())
    await work(house, number)
    await departments.call_back(house, number, "hrss")
    return number


async def test_everything_comes_under_the_new_key(house: House, departments: Departments, clock: SetClock) -> None:
    number = await _at_work(house, departments)
    (before,) = await list_sealing_keys(house)
    seal = Seal.of(house.keys).public_key
    name = await add_key(house, "operator")
    assert await reseal(house, "operator") == before.sealed > 4
    old, new = await list_sealing_keys(house)
    assert (old.current, old.sealed, new.current, new.sealed) == (False, 0, True, before.sealed)
    clock.pass_(hours=1)
    assert await retire_keys(house, "operator") == (before.name,)
    # A process that starts now knows the new key only, and opens all there is.
    fresh = House(Settings(**house.settings.model_dump(), _env_file=None), clock.clock)
    try:
        assert set(fresh.keys.ciphers) == {name}
        await tell_story(fresh, number)
        bundle = await write_bundle(fresh, f"{number}-v-hrss-1", "auditor:test")
        assert not check_bundle(bundle, public_key=seal).problems
        async with fresh.database.read() as connection:
            assert await open_targets(connection, fresh.keys)
    finally:
        await fresh.close()
    await chain_length(house)


async def test_a_process_that_runs_follows_the_ring(house: House, clock: SetClock) -> None:
    other = House(Settings(**house.settings.model_dump(), _env_file=None), clock.clock)
    try:
        assert other.keys is not house.keys
        name = await add_key(house, "operator")
        # What the one sealed under the new key, the other opens, and seals with it too.
        assert other.keys.open(house.keys.seal(b"x", "c"), "c") == b"x"
        (number,) = await registered(other, application())
        async with house.database.read() as connection:
            assert await count_under(connection, name) == 1
        cases = table(Case)
        async with house.database.read() as connection:
            row = (await connection.execute(select(cases).where(cases.c.number == number))).one()
        assert row.sealed[1 : 1 + row.sealed[0]].decode() == name
    finally:
        await other.close()


async def test_lookups_stay(house: House) -> None:
    person = application()
    (number,) = await registered(house, person)
    await add_key(house, "operator")
    await reseal(house, "operator")
    # The same application is known again, and so is its person.
    assert await registered(house, person) == [number]


async def test_small_batches_and_a_second_run(
    house: House, monkeypatch: pytest.MonkeyPatch, departments: Departments
) -> None:
    monkeypatch.setattr(keys, "BATCH", 2)
    await registered(house, *(application() for _ in range(5)))
    assert departments.sent == []
    before = (await list_sealing_keys(house))[0].sealed
    assert before > 5
    told: list[int] = []
    await add_key(house, "operator")
    count = await reseal(house, "operator", told.append)
    assert told[-1] == count == before
    assert await reseal(house, "operator") == 0


async def test_a_key_with_values_under_it_stays(house: House, clock: SetClock) -> None:
    await registered(house, application())
    old = house.keys.current
    await add_key(house, "operator")
    clock.pass_(hours=2)
    with pytest.raises(ConflictError, match=f"stand under {old}"):
        await retire_keys(house, "operator")
    assert old in house.keys.ciphers


async def test_a_key_rests_before_it_goes(house: House, clock: SetClock) -> None:
    old = house.keys.current
    await add_key(house, "operator")
    clock.pass_(minutes=59)
    with pytest.raises(ConflictError, match="less than an hour"):
        await retire_keys(house, "operator")
    clock.pass_(minutes=1)
    assert await retire_keys(house, "operator") == (old,)
    assert await retire_keys(house, "operator") == ()


async def test_what_was_altered_stops_the_change_and_names_itself(house: House) -> None:
    (number,) = await registered(house, application())
    cases = table(Case)
    async with house.database.engine.begin() as connection:
        sealed = (await connection.execute(select(cases.c.sealed))).scalar_one()
        await connection.execute(cases.update().values(sealed=sealed[:-1] + bytes([sealed[-1] ^ 1])))
    await add_key(house, "operator")
    with pytest.raises(SealError, match=number):
        await reseal(house, "operator")


async def test_a_ring_that_cannot_be_read_changes_nothing(house: House) -> None:
    name = house.keys.current
    house.settings.keys_path.unlink()
    assert house.keys.open(house.keys.seal(b"x", "c"), "c") == b"x"
    _write(house, "{")
    assert house.keys.open(house.keys.seal(b"x", "c"), "c") == b"x"
    assert house.keys.current == name


def _write(house: House, text: str) -> None:
    house.settings.keys_path.write_text(text, encoding="utf-8")
