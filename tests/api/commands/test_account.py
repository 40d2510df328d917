"""``lianban account``: from the first administrator to the last session ended."""

from __future__ import annotations

import asyncio
import json

import pytest

from api.access import MATRIX
from api.system.installation import rehearsal_accounts
from models import Role
from services.access import passwords
from services.house import open_house
from tests.api.conftest import cheap_hasher


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", cheap_hasher)


def test_an_account_from_making_to_shutting(installed):
    made = installed("account", "create", "Wang", "administrator")
    assert made.code == 0
    assert len(made.out.strip()) == 19
    listed = installed("account", "list")
    assert "wang" in listed.out
    assert made.out.strip() not in listed.out
    reset = installed("account", "password", "wang")
    assert reset.code == 0
    assert reset.out != made.out
    assert "未被锁定" in installed("account", "unlock", "wang").out
    assert installed("account", "sessions", "wang").code == 0
    assert "0" in installed("account", "end-sessions", "wang").out
    # Somebody must be able to administer the city.
    last = installed("account", "disable", "wang")
    assert (last.code, "last administrator" in last.err) == (2, True)
    assert installed("account", "post", "wang", "clerk", "--scope", "370303", "--station", "科苑派出所").code == 2
    assert installed("account", "create", "li", "administrator").code == 0
    assert installed("account", "disable", "wang").code == 0
    assert installed("account", "disable", "wang").code == 2
    assert "停用" in installed("account", "list").out
    assert installed("account", "enable", "wang").code == 0
    assert installed("account", "post", "wang", "clerk", "--scope", "370303", "--station", "科苑派出所").code == 0


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("li", "officer"), "scope"),
        (("li", "clerk", "--scope", "999999"), "scope"),
        (("li", "clerk", "--scope", "370303"), "station"),
        (("li", "clerk", "--station", "科苑派出所"), "station"),
        (("li", "auditor", "--scope", "370303", "--station", "科苑派出所"), "station"),
        (("a b", "auditor"), "name"),
        (("a\r\nx", "auditor"), "name"),
        (("a" * 61, "auditor"), "name"),
    ],
)
def test_what_cannot_be_an_account(installed, words, place):
    refused = installed("account", "create", *words)
    assert refused.code == 2
    assert refused.err.startswith(place)


def test_names_belong_to_one_person_or_machine_for_ever(installed):
    assert installed("account", "create", "li", "auditor").code == 0
    assert installed("account", "create", "LI", "coordinator").code == 2
    assert installed("key", "create", "li", "auditor").code == 2
    assert installed("key", "create", "scraper", "auditor").code == 0
    assert installed("account", "create", "scraper", "auditor").code == 2


def test_a_rehearsal_has_one_account_a_role_and_makes_them_once(installed):
    async def rehearse():
        async with open_house() as house:
            return await rehearsal_accounts(house), await rehearsal_accounts(house)

    made, again = asyncio.run(rehearse())
    assert [one.account.role for one in made] == list(Role)
    assert {one.account.name for one in made} == {role.value for role in Role}
    assert len({one.password for one in made}) == len(Role)
    assert not any(one.account.password_is_initial for one in made)
    assert again == []
    listed = installed("account", "list").out
    assert "科苑派出所" in listed


def test_a_key_for_some_operations_only(installed):
    assert installed("key", "create", "scraper", "auditor", "--only", "metrics").out.startswith("lbk_")
    refused = installed("key", "create", "scraper-2", "auditor", "--only", "nothing_such")
    assert (refused.code, "nothing_such" in refused.err) == (2, True)


def test_the_matrix_is_printed_as_the_doors_hold_it(installed):
    told = {one["route"]: one["for"] for one in json.loads(installed("access", "--json").out)}
    assert told["list_audit"] == ["administrator", "auditor"]
    assert told["healthz"] == ["public"]
    assert set(told) == set(MATRIX)
    lines = installed("access", "--markdown").out.splitlines()
    assert len(lines) == len(told) + 2
    assert all(line.count("|") == len(Role) + 2 for line in lines)
