"""Keys: what they open, how long, and what is kept of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import AccessKey, AuditEntry, Role
from services.access import Caller, KeyRefusedError, Sight, create_key, find_caller, list_keys, revoke_keys
from services.database import table
from services.errors import InputError, NotFoundError
from services.house import House


async def _key(house: House, name: str = "zhangdian-1", role: Role = Role.CLERK, scope: str | None = "370303") -> str:
    async with house.database.write("administrator:test") as transaction:
        return await create_key(
            transaction, house.packs, house.database.clock.now(), name=name, role=role, scope=scope, days=30
        )


async def _refusal(house: House, secret: str, days: int = 0) -> str:
    now = house.database.clock.now() + timedelta(days=days)
    async with house.database.read() as connection:
        with pytest.raises(KeyRefusedError) as refused:
            await find_caller(connection, secret, now)
    return refused.value.code


async def test_a_key_opens_for_its_holder_until_it_expires(house: House) -> None:
    secret = await _key(house)
    async with house.database.read() as connection:
        caller = await find_caller(connection, secret, house.database.clock.now() + timedelta(days=29, hours=23))
    assert caller == Caller("zhangdian-1", Role.CLERK, "370303")
    assert (caller.actor, caller.sight) == ("clerk:zhangdian-1", Sight(district="370303"))
    assert await _refusal(house, secret, days=30) == "key-expired"


async def test_an_officer_sees_a_department(house: House) -> None:
    secret = await _key(house, "hrss-1", Role.OFFICER, "hrss")
    async with house.database.read() as connection:
        caller = await find_caller(connection, secret, house.database.clock.now())
    assert caller.sight == Sight(department="hrss")


@pytest.mark.parametrize("secret", ["", "lbk_", "lbk_" + "A" * 43, "Bearer", "lbk_" + "é" * 43, "x" * 5000])
async def test_what_is_no_key_opens_nothing(house: House, secret: str) -> None:
    assert await _refusal(house, secret) == "key-unknown"


async def test_the_secret_is_kept_nowhere(house: House) -> None:
    secret = await _key(house)
    async with house.database.read() as connection:
        kept = str((await connection.execute(select(table(AccessKey)))).all())
        logged = str((await connection.execute(select(table(AuditEntry)))).all())
    assert secret not in kept + logged
    assert secret[4:] not in kept + logged


async def test_keys_of_one_name_overlap_and_are_revoked_one_by_one_or_together(house: House) -> None:
    first, second = await _key(house), await _key(house)
    now = house.database.clock.now()
    async with house.database.read() as connection:
        rows = await list_keys(connection)
        for secret in (first, second):
            await find_caller(connection, secret, now)
    async with house.database.write("administrator:test") as transaction:
        assert await revoke_keys(transaction, now, "zhangdian-1", rows[0].id) == 1
    refused = []
    for secret in (first, second):
        async with house.database.read() as connection:
            try:
                await find_caller(connection, secret, now)
            except KeyRefusedError as error:
                refused.append(error.code)
    assert refused == ["key-revoked"]
    async with house.database.write("administrator:test") as transaction:
        assert await revoke_keys(transaction, now, "zhangdian-1") == 1
    assert [await _refusal(house, secret) for secret in (first, second)] == ["key-revoked"] * 2


async def test_revoking_what_is_not_there_is_told(house: House) -> None:
    with pytest.raises(NotFoundError):
        async with house.database.write("administrator:test") as transaction:
            await revoke_keys(transaction, house.database.clock.now(), "nobody")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": "two words"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "n" * 61}, "name"),
        ({"days": 0}, "days"),
        ({"days": 5000}, "days"),
        ({"scope": "110101"}, "scope"),
        ({"scope": "hrss"}, "scope"),
        ({"role": Role.OFFICER, "scope": None}, "scope"),
        ({"role": Role.OFFICER, "scope": "370303"}, "scope"),
    ],
)
async def test_a_key_that_would_mean_nothing_is_not_made(house: House, changes: dict[str, object], place: str) -> None:
    wanted = {"name": "zhangdian-1", "role": Role.CLERK, "scope": "370303", "days": 30} | changes
    with pytest.raises(InputError) as refused:
        async with house.database.write("administrator:test") as transaction:
            await create_key(transaction, house.packs, house.database.clock.now(), **wanted)  # type: ignore[arg-type]
    assert refused.value.place == place


async def test_a_name_stands_for_one_caller(house: House) -> None:
    await _key(house)
    with pytest.raises(InputError):
        await _key(house, role=Role.COORDINATOR)
    with pytest.raises(InputError):
        await _key(house, scope="370302")
