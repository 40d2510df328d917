"""``lianban remedy``: asked for, approved by a second person, listed."""

from __future__ import annotations

import asyncio
import json

import pytest

from api.demo.sheet import cells_of, write_sheet
from services.access import KeyBounds, create_key, passwords
from services.access.accounts import list_accounts
from services.house import open_house
from tests.api.conftest import cheap_hasher
from tests.testing.accounts import person
from tests.testing.people import application, body

NUMBERS = ("370303-2014-000001", "370303-2014-000002")


@pytest.fixture
def with_cases(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("LIANBAN_APPROVAL_ABOVE", "1")
    monkeypatch.setattr(passwords, "_hasher", cheap_hasher)
    path = tmp_path / "two.csv"
    write_sheet(path, [cells_of(application()), cells_of(application())])
    assert installed("import", path).code == 0
    return installed


def test_one_case_is_put_right_at_once(with_cases):
    done = with_cases("remedy", "withdraw", NUMBERS[0], "--reason", "申请人撤回", "--json")
    assert json.loads(done.out) == {"id": 1, "state": "done", "done": 1, "refused": 0}
    assert "申请已撤回" in with_cases("case", NUMBERS[0]).out
    again = with_cases("remedy", "withdraw", NUMBERS[0], "--reason", "申请人撤回")
    assert again.code == 2
    assert "only an application without a decision" in again.err
    (row,) = json.loads(with_cases("remedy", "list", "--json").out)
    assert (row["kind"]["code"], row["cases"], row["reason"]) == ("withdraw", 1, "申请人撤回")
    assert NUMBERS[0] in with_cases("remedy", "show", 1).out


def test_what_nobody_known_asked_for_two_persons_approve(with_cases, monkeypatch):
    asked = with_cases("remedy", "reopen", *NUMBERS, "--reason", "x")
    assert (asked.code, "there is nothing to reopen" in asked.err) == (2, True)
    asked = with_cases("remedy", "withdraw", *NUMBERS, "--reason", "重复导入")
    assert "待复核" in asked.out
    # The command line is nobody in particular, and so is a key that it made for somebody.
    own = with_cases("remedy", "approve", 1)
    assert (own.code, "needs a person" in own.err) == (2, True)
    clerk = with_cases("key", "create", "zhang", "clerk").out.strip()
    loose = with_cases("key", "create", "machine", "administrator").out.strip()
    assert with_cases("account", "create", "li", "administrator").code == 0
    seen = with_cases("key", "create", "li-1", "administrator", "--owner", "li").out.strip()
    monkeypatch.setenv("LIANBAN_KEY", clerk)
    assert "this is for administrators" in with_cases("remedy", "approve", 1).err
    for key in (loose, seen):
        monkeypatch.setenv("LIANBAN_KEY", key)
        refused = with_cases("remedy", "approve", 1)
        assert (refused.code, "needs a person" in refused.err) == (2, True)
    one, two = _own_key("li"), _own_key("zhao")
    for key, told in ((one, "待复核"), (two, "已办理 2 件")):
        monkeypatch.setenv("LIANBAN_KEY", key)
        assert told in with_cases("remedy", "approve", 1, "--because", "同意").out
    assert with_cases("remedy", "reject", 1, "--because", "再议").code == 2
    shown = with_cases("remedy", "show", 1).out
    assert shown.count("复核同意") == 2


def _own_key(name):
    """A key that a person made for themselves, as they do when signed in."""

    async def make():
        async with open_house() as house:
            async with house.database.read() as connection:
                known = {row.name: row.caller for row in await list_accounts(connection)}
            caller = known.get(name) or await person(house, name)
            async with house.database.write(caller.actor) as transaction:
                bounds = KeyBounds(owner=caller.account, made_by=caller.account)
                now = house.database.clock.now()
                return await create_key(
                    transaction, house.packs, now, name=f"{name}-own", role=caller.role, bounds=bounds
                )

    return asyncio.run(make())


def test_a_corrected_application_comes_from_a_file(with_cases, tmp_path):
    told = with_cases("remedy", "correct", NUMBERS[0], "--missing", "照片", "--reason", "材料不全")
    assert told.code == 0
    file = tmp_path / "corrected.json"
    file.write_text(json.dumps(body()), encoding="utf-8")
    other = with_cases("remedy", "corrected", NUMBERS[0], file)
    assert (other.code, "application_number" in other.err) == (2, True)
    file.write_text("{}", encoding="utf-8")
    assert with_cases("remedy", "corrected", NUMBERS[0], file).code == 2
