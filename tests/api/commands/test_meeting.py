"""``lianban matters|meeting|resolutions|what-if``: the joint meeting from the command line."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def proposed(installed):
    done = installed("matters", "propose", "学位不足，建议轮候", "--department", "education", "--json")
    assert json.loads(done.out) == {"matter": 1}
    return installed


def test_a_meeting_is_prepared_held_and_written_up(proposed, tmp_path):
    prepared = json.loads(proposed("meeting", "prepare", "--json").out)
    assert (prepared["prepared"]["held_on"], prepared["prepared"]["matters"]) == ("2014-11-11", 1)
    assert proposed("clock", "move", "2014-11-11").code == 0
    assert "已发出通知" in proposed("meeting", "prepare").out
    assert proposed("meeting", "open", 1, "--chair", "副市长").code == 0
    assert proposed("meeting", "attend", 1, "education", "--delegate", "副局长").code == 0
    assert proposed("meeting", "take-up", 1, 1).code == 0
    settled = proposed(
        "meeting", "resolve", 1, 1, "新增学位 200 个", "--department", "education", "--due", "2015-08-31", "--json"
    )  # fmt: skip
    assert json.loads(settled.out) == {"resolution": 1}
    shown = proposed("meeting", "show", 1).out
    assert "▶" not in shown
    assert "2014-1-1 新增学位 200 个（教育局，2015-08-31 前）已议定" in shown
    assert proposed("meeting", "close", 1).code == 0
    assert json.loads(proposed("meeting", "draft", 1, "--json").out)["version"] == 1
    out = tmp_path / "minutes.docx"
    assert "副市长" in proposed("meeting", "minutes", 1, "--out", out).out
    assert out.read_bytes().startswith(b"PK")
    # The command line is no known person: it signs nothing.
    digest = json.loads(proposed("meeting", "minutes", 1, "--json").out)["digest"]
    refused = proposed("meeting", "sign", 1, 1, "--digest", digest)
    assert (refused.code, "needs a person" in refused.err) == (2, True)
    assert proposed("resolutions", "report", 1, "已落实").code == 0
    assert [one["number"] for one in json.loads(proposed("resolutions", "list", "--json").out)] == ["2014-1-1"]
    assert "已落实" in proposed("resolutions", "show", 1).out


def test_matters_are_listed_shown_and_taken_off(proposed):
    assert "学位不足" in proposed("matters", "list").out
    assert proposed("matters", "comment", 1, "经费由区县承担", "--department", "finance").code == 0
    assert "财政局意见：经费由区县承担" in proposed("matters", "show", 1).out
    assert proposed("matters", "off", 1, "--because", "已另行解决").code == 0
    assert json.loads(proposed("matters", "list", "--state", "open", "--json").out) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("meeting", "open", 9, "--chair", "副市长"), "meeting: there is no such meeting"),
        (("matters", "show", 9), "matter: there is no such matter"),
        (("resolutions", "ask", 9), "resolution: there is no such resolution"),
        (("resolutions", "action", 1, "nonsense"), "action: must be a JSON object"),
        (("meeting", "convene", "soon"), "held_on: must be a day"),
        (("meeting", "rule", "--change", '{"every_weeks": 0}'), "every_weeks: must be a whole number"),
        (("what-if", '{"parameters": {"nonsense": 1}}'), "parameters: the policy has no nonsense"),
    ],
)
def test_what_does_not_hold_is_told_on_one_line(installed, words, told):
    said = installed(*words)
    assert said.code == 2
    assert said.err.startswith(told)
    assert said.err.count("\n") == 1


def test_what_if_without_permits(installed):
    assert "有效居住证 0 件" in installed("what-if", '{"parameters": {"working-age": 40}}').out
