"""``lianban policy adopt``, ``amend``, ``approve``, ``revisions``: rules changed from the command line."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from services.policy.loading import load_pack

AMENDMENT = """\
pack: zibo-2014-87
from_on: 2014-12-01
basis: 居住证工作联席会议纪要〔2014〕2号
reason: 联席会议议定
changes:
  - {kind: owner, services: [ZB87-3.1.7e], department: culture}
"""


@pytest.fixture
def amendment(tmp_path):
    file = tmp_path / "amendment.yaml"
    file.write_text(AMENDMENT, encoding="utf-8")
    return file


def test_an_amendment_is_tried_and_asked_for(installed, amendment):
    tried = installed("policy", "amend", amendment, "--try", "--json")
    (difference,) = json.loads(tried.out)["differences"]
    assert difference["place"] == "services[ZB87-3.1.7e].owner[2014-12-01]"
    assert "→" in installed("policy", "amend", amendment, "--try").out
    assert "没有政策修订" in installed("policy", "revisions").out
    asked = json.loads(installed("policy", "amend", amendment, "--json").out)
    assert (asked["id"], asked["state"], asked["from_on"]) == (1, "proposed", "2014-12-01")
    # The command line is nobody in particular: persons decide.
    own = installed("policy", "approve", 1)
    assert (own.code, "needs a person" in own.err) == (2, True)
    (row,) = json.loads(installed("policy", "revisions", "--json").out)
    assert (row["state"]["code"], row["basis"]) == ("proposed", "居住证工作联席会议纪要〔2014〕2号")
    assert "体育" not in installed("policy", "revisions", 1).err
    assert "未通过复核" in installed("policy", "reject", 1, "--because", "再议").out


def test_a_pack_that_cannot_be_adopted_is_refused_with_the_reason(installed, tmp_path):
    content = {**load_pack("zibo-2014-87").content, "code": "zibo-2017-1"}
    content["in_force"] = {**content["in_force"], "from": "2017-01-01"}
    file = tmp_path / "new.yaml"
    # Days are written without quotes, as people do.
    text = yaml.safe_dump(content, allow_unicode=True)
    file.write_text(_unquoted(text), encoding="utf-8")
    overlap = installed("policy", "adopt", file, "--basis", "文件", "--reason", "新意见")
    assert (overlap.code, "covers days of zibo-2014-87" in overlap.err) == (2, True)
    past = installed("policy", "adopt", "zibo-2014-87", "--basis", "文件", "--reason", "试", "--from", "2014-11-03")
    assert (past.code, "has begun" in past.err) == (2, True)
    same = installed("policy", "adopt", "zibo-2014-87", "--basis", "文件", "--reason", "试", "--from", "2015-01-01")
    assert (same.code, "changes nothing" in same.err) == (2, True)
    bad = tmp_path / "bad.yaml"
    bad.write_text(AMENDMENT.replace("culture", "navy"), encoding="utf-8")
    wrong = installed("policy", "amend", bad)
    assert (wrong.code, "'navy' is no department" in wrong.err) == (2, True)
    bad.write_text(AMENDMENT.replace("basis:", "bases:"), encoding="utf-8")
    wrong = installed("policy", "amend", bad)
    assert (wrong.code, wrong.err.startswith("basis: ")) == (2, True)
    assert "没有政策修订" in installed("policy", "revisions").out


def _unquoted(text: str) -> str:
    return re.sub(r"'(\d{4}-\d{2}-\d{2})'", r"\1", text)
