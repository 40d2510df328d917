"""``case``, ``status``, ``audit``, ``key``, ``endpoint``, ``clock``: what an operator does at the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from api.demo.sheet import cells_of, write_sheet
from tests.testing.people import application

NUMBER = "370303-2014-000001"


@pytest.fixture
def with_case(installed, tmp_path):
    path = tmp_path / "one.csv"
    write_sheet(path, [cells_of(application(name="欧阳测试"))])
    assert installed("import", path).code == 0
    return installed


def _one_line(said, *words):
    assert said.code == 2
    assert len(said.err.splitlines()) == 1
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err


def test_a_case_is_told_in_chinese_and_in_english(with_case):
    zh, en = with_case("case", NUMBER), with_case("case", NUMBER, "--en")
    assert (zh.code, en.code) == (0, 0)
    assert NUMBER in zh.out
    assert "科苑派出所收到居住证申请" in zh.out
    assert "收到居住证申请" not in en.out
    assert "3 years" in en.out
    assert "欧阳测试" not in zh.out + en.out


def test_a_case_nobody_knows_is_told_in_one_line(with_case):
    _one_line(with_case("case", "370303-2014-999999"), "number", "no such case")


def test_status_as_json_and_as_tables(with_case):
    told = json.loads(with_case("status", "--json").out)
    assert told["cases"] == {"received": 1}
    assert (told["permits"], told["failures"]) == ({}, [])
    shown = with_case("status")
    assert "2014-11-03" in shown.out
    assert "办件" in shown.out


def test_audit_verify_holds_and_names_the_entry_that_was_touched(with_case, tmp_path):
    good = with_case("audit", "verify")
    assert good.code == 0
    assert "The chain holds" in good.out
    with sqlite3.connect(tmp_path / "data" / "lianban.db") as database:
        # `case.received` was made by somebody else, says who altered it.
        (sequence,) = database.execute("SELECT sequence FROM audit_entries WHERE action = 'case.received'").fetchone()
        database.execute("UPDATE audit_entries SET actor = 'clerk:other' WHERE sequence = ?", (sequence,))
    _one_line(with_case("audit", "verify"), f"entry {sequence}", "was altered")


def test_a_key_is_made_listed_and_revoked(installed):
    made = installed("key", "create", "张店受理", "clerk", "--scope", "370303")
    assert made.code == 0
    assert made.out.startswith("lbk_")
    listed = installed("key", "list")
    assert "张店受理" in listed.out
    assert made.out.strip() not in listed.out
    assert installed("key", "revoke", "张店受理").code == 0
    _one_line(installed("key", "revoke", "nobody"))


def test_a_key_for_a_district_that_is_none(installed):
    _one_line(installed("key", "create", "clerk-1", "clerk", "--scope", "999999"), "scope")


def test_the_clock_goes_forward_on_a_simulated_system_only(installed, monkeypatch):
    assert installed("clock", "show").out.strip() == "2014-11-03"
    assert installed("clock", "move", "2015-10-08").out.strip() == "2015-10-08"
    assert installed("clock", "show").out.strip() == "2015-10-08"
    _one_line(installed("clock", "move", "2015-10-07"), "clock")
    assert installed("clock", "show").out.strip() == "2015-10-08"
    monkeypatch.setenv("LIANBAN_SIMULATE", "false")
    _one_line(installed("clock", "move", "2016-01-01"), "simulate")


def test_a_department_nobody_knows_cannot_be_connected(installed):
    _one_line(installed("endpoint", "register", "weather", "https://example.org/hook"), "department")


def test_a_key_ring_that_is_none_is_told(with_case, tmp_path):
    Path(tmp_path / "data" / "keys.json").write_text("[]", encoding="utf-8")
    _one_line(with_case("case", NUMBER), "keys.json")
