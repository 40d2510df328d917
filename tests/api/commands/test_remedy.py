"""``lianban remedy``: asked for, approved by a second person, listed."""

from __future__ import annotations

import json

import pytest

from api.demo.sheet import cells_of, write_sheet
from tests.testing.people import application, body

NUMBERS = ("370303-2014-000001", "370303-2014-000002")


@pytest.fixture
def with_cases(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("LIANBAN_APPROVAL_ABOVE", "1")
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


def test_a_second_person_approves_with_a_key_of_their_own(with_cases, monkeypatch):
    asked = with_cases("remedy", "reopen", *NUMBERS, "--reason", "x")
    assert (asked.code, "there is nothing to reopen" in asked.err) == (2, True)
    asked = with_cases("remedy", "withdraw", *NUMBERS, "--reason", "重复导入")
    assert "待复核" in asked.out
    own = with_cases("remedy", "approve", 1)
    assert (own.code, "second person" in own.err) == (2, True)
    clerk = with_cases("key", "create", "zhang", "clerk").out.strip()
    monkeypatch.setenv("LIANBAN_KEY", clerk)
    assert "this is for administrators" in with_cases("remedy", "approve", 1).err
    monkeypatch.setenv("LIANBAN_KEY", with_cases("key", "create", "li", "administrator").out.strip())
    assert "已办理 2 件" in with_cases("remedy", "approve", 1, "--because", "同意").out
    assert with_cases("remedy", "reject", 1, "--because", "再议").code == 2


def test_a_corrected_application_comes_from_a_file(with_cases, tmp_path):
    told = with_cases("remedy", "correct", NUMBERS[0], "--missing", "照片", "--reason", "材料不全")
    assert told.code == 0
    file = tmp_path / "corrected.json"
    file.write_text(json.dumps(body()), encoding="utf-8")
    other = with_cases("remedy", "corrected", NUMBERS[0], file)
    assert (other.code, "application_number" in other.err) == (2, True)
    file.write_text("{}", encoding="utf-8")
    assert with_cases("remedy", "corrected", NUMBERS[0], file).code == 2
