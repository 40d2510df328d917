"""Signing in at its core: guesses at once, and what a stranger could tell from how long it takes."""

from __future__ import annotations

import asyncio

import pytest

from models import Role
from services.access import passwords
from services.access.accounts import create_account, disable_account
from services.access.brakes import TooManyTriesError
from services.access.passwords import check_password, new_password
from services.access.posts import Post
from services.access.sign_in import SignInError, sign_in
from services.errors import InputError
from services.house import House
from tests.api.conftest import cheap_hasher
from tests.testing.accounts import CONSOLE
from tests.testing.clock import SetClock


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were compared with a hash."""
    seen: list[str] = []
    hasher = cheap_hasher()

    class Watched:
        def hash(self, password: str) -> str:
            return hasher.hash(password)

        def verify(self, password: str, kept: str) -> bool:
            seen.append(password)
            return hasher.verify(password, kept)

    monkeypatch.setattr(passwords, "_hasher", Watched)
    return seen


async def _try(house: House, name: str, password: str, source: str = "10.0.0.1") -> str:
    try:
        await sign_in(house, name, password, source=source, agent="")
    except (SignInError, TooManyTriesError) as refused:
        return refused.code
    return "in"


async def test_a_thousand_guesses_at_once_are_a_thousand(house: House, looked_at: list[str]) -> None:
    await create_account(house.database, house.packs, CONSOLE, "wang", Post(Role.AUDITOR))
    told = await asyncio.gather(*(_try(house, "wang", f"guess-{number}") for number in range(12)))
    assert told.count("sign-in-refused") == 5
    assert told.count("too-many-tries") == 7
    assert len(looked_at) == 5


async def test_one_source_is_braked_whatever_names_it_tries(house: House, looked_at: list[str]) -> None:
    told = [await _try(house, f"name-{number}", "guess") for number in range(42)]
    assert told == ["sign-in-refused"] * 40 + ["too-many-tries"] * 2
    # Others are not held up by it.
    assert await _try(house, "name-99", "guess", source="10.0.0.2") == "sign-in-refused"
    assert len(looked_at) == 41


async def test_every_refusal_costs_one_hash(house: House, looked_at: list[str]) -> None:
    made = await create_account(house.database, house.packs, CONSOLE, "gone", Post(Role.AUDITOR))
    await create_account(house.database, house.packs, CONSOLE, "wang", Post(Role.AUDITOR))
    async with house.database.write("administrator:test") as transaction:
        await disable_account(transaction, house.database.clock.now(), CONSOLE, "gone")
    for name, password in (("wang", "wrong"), ("nobody", "wrong"), ("gone", made.password), ("a b", "x"), ("", "")):
        looked_at.clear()
        assert await _try(house, name, password) == "sign-in-refused"
        assert len(looked_at) == 1


async def test_who_gets_in_starts_anew(house: House, looked_at: list[str], clock: SetClock) -> None:
    del looked_at
    made = await create_account(house.database, house.packs, CONSOLE, "wang", Post(Role.AUDITOR))
    for _ in range(3):
        assert [await _try(house, "wang", "wrong") for _ in range(4)] == ["sign-in-refused"] * 4
        assert await _try(house, "wang", made.password) == "in"
    # The wait grows, and ends at a quarter of an hour.
    waits = []
    for _ in range(12):
        while await _try(house, "wang", "wrong", source=f"10.1.0.{len(waits)}") != "too-many-tries":
            pass
        try:
            await sign_in(house, "wang", "wrong", source="10.2.0.1", agent="")
        except TooManyTriesError as refused:
            waits.append(refused.seconds)
            clock.pass_(seconds=refused.seconds)
    assert waits[:5] == [30, 60, 120, 240, 480]
    assert set(waits[5:]) == {900}


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 129,
        "password123456",
        "1qaz2wsx3edc",
        "qwertyuiop12",
        "wang-is-my-name-8",
        "lianban2024!",
        "a" * 40,
    ],
)
def test_a_password_that_is_guessed_is_none(password: str) -> None:
    with pytest.raises(InputError) as refused:
        check_password(password, "wang")
    assert password not in str(refused.value) or password == "short"


def test_what_we_make_up_is_good_and_never_the_same() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        check_password(password, "wang")
