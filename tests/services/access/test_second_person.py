"""One person can never both ask and approve, whichever way round."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from models import Account, Approval, Role
from services.access import Caller, KeyBounds, create_key, find_caller, passwords
from services.access.accounts import create_account, reset_password
from services.access.management import Management
from services.access.posts import Post
from services.access.second_person import NobodyKnownError, SamePersonError, approve, person_behind
from services.database import table
from services.errors import AccessError, ConflictError
from services.house import House
from tests.api.conftest import cheap_hasher
from tests.testing.accounts import CONSOLE, person
from tests.testing.looking import chain_length

OPERATOR = Caller("root@console", Role.ADMINISTRATOR)
SUBJECT = "remedy:1"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", cheap_hasher)


async def _who(house: House, caller: Caller) -> int | None:
    async with house.database.read() as connection:
        return await person_behind(connection, caller)


async def _approve(house: House, caller: Caller, asked: int | None) -> bool:
    async with house.database.write(caller.actor) as transaction:
        return await approve(transaction, caller, SUBJECT, asked)


async def _key(house: House, name: str, owner: Caller | None, made_by: Caller | None) -> Caller:
    """The caller who brings a new key."""
    bounds = KeyBounds(owner=owner.account if owner else None, made_by=made_by.account if made_by else None)
    async with house.database.write("administrator:test") as transaction:
        now = house.database.clock.now()
        secret = await create_key(
            transaction, house.packs, now, name=name, role=Role.ADMINISTRATOR, days=1, bounds=bounds
        )
        return await find_caller(transaction.connection, secret, now)


async def test_another_person_approves_and_that_is_enough(house: House) -> None:
    wang, li = await person(house, "wang"), await person(house, "li")
    asked = await _who(house, wang)
    assert asked == wang.account
    assert await _approve(house, li, asked)
    async with house.database.read() as connection:
        assert (await connection.execute(select(table(Approval).c.actor))).scalars().all() == ["administrator:li"]
    await chain_length(house)


async def test_a_session_and_two_keys_are_one_person(house: House) -> None:
    wang = await person(house, "wang")
    keys = [await _key(house, f"wang-{number}", wang, wang) for number in (1, 2)]
    for asks in (wang, *keys):
        for approves in (wang, *keys):
            with pytest.raises(SamePersonError):
                await _approve(house, approves, await _who(house, asks))


async def test_who_is_not_known_asks_and_two_others_approve(house: House) -> None:
    wang, li = await person(house, "wang"), await person(house, "li")
    # The command line, a key without an owner, and a key that somebody else saw when it was made.
    unknown = [OPERATOR, await _key(house, "machine", None, None), await _key(house, "wang-1", wang, None),
               await _key(house, "wang-2", wang, li)]  # fmt: skip
    for caller in unknown:
        assert await _who(house, caller) is None
        with pytest.raises(NobodyKnownError):
            await _approve(house, caller, None)
        with pytest.raises(NobodyKnownError):
            await _approve(house, caller, li.account)
    assert not await _approve(house, wang, None)
    # Wang may be who asked; once more is still one person.
    with pytest.raises(SamePersonError):
        await _approve(house, wang, None)
    with pytest.raises(SamePersonError):
        await _approve(house, await _key(house, "wang-3", wang, wang), None)
    assert await _approve(house, li, None)


async def test_an_account_that_one_made_is_no_second_person(house: House) -> None:
    wang = await person(house, "wang")
    async with house.database.read() as connection:
        by = await Management.of(connection, wang)
    puppet, other = [
        (await create_account(house.database, house.packs, by, name, Post(Role.ADMINISTRATOR))).account.caller
        for name in ("puppet", "other")
    ]
    for asks, approves in ((wang, puppet), (puppet, wang), (puppet, other)):
        with pytest.raises(SamePersonError):
            await _approve(house, approves, await _who(house, asks))
    # Nor is what the puppet makes.
    async with house.database.read() as connection:
        by = await Management.of(connection, puppet)
    last = (await create_account(house.database, house.packs, by, "last", Post(Role.ADMINISTRATOR))).account.caller
    with pytest.raises(SamePersonError):
        await _approve(house, last, await _who(house, wang))
    # Two of them are not two persons either.
    assert not await _approve(house, puppet, None)
    with pytest.raises(SamePersonError):
        await _approve(house, last, None)


async def test_a_password_that_one_gave_makes_the_account_ones_own(house: House) -> None:
    wang, li, zhao = [await person(house, name) for name in ("wang", "li", "zhao")]
    before = await _who(house, li)
    async with house.database.read() as connection:
        by = await Management.of(connection, wang)
    await reset_password(house.database, by, "li")
    with pytest.raises(SamePersonError):
        await _approve(house, li, await _who(house, wang))
    # What li asked before was li's own doing; what is asked now may be wang's, for ever.
    taken = await _who(house, li)
    await reset_password(house.database, CONSOLE, "li")
    with pytest.raises(SamePersonError):
        await _approve(house, wang, taken)
    with pytest.raises(SamePersonError):
        await _approve(house, li, before)
    assert await _approve(house, zhao, taken)


async def test_a_key_without_an_owner_gives_nobody_a_password(house: House) -> None:
    caller = await _key(house, "machine", None, None)
    async with house.database.read() as connection:
        with pytest.raises(NobodyKnownError):
            await Management.of(connection, caller)


async def test_a_key_is_not_made_for_more_than_its_owner_may(house: House) -> None:
    auditor = await person(house, "auditor", Role.AUDITOR)
    district = await person(house, "linzi", Role.ADMINISTRATOR, "370305")
    gone = await person(house, "gone")
    async with house.database.write("administrator:test") as transaction:
        await transaction.connection.execute(
            update(table(Account)).where(table(Account).c.id == gone.account).values(disabled_at=transaction.at)
        )
    for owner in (auditor, district, gone, Caller("nobody", Role.ADMINISTRATOR, account=999)):
        with pytest.raises((AccessError, ConflictError)):
            await _key(house, "too-much", owner, owner)
