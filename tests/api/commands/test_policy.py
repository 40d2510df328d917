"""``lianban policy``: a pack as people read it, and its mistakes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from api.commands.policy import app
from api.demo.sheet import cells_of, write_sheet
from services.errors import NotFoundError
from services.policy.loading import SHIPPED
from tests.testing.people import application

WIDE = {"COLUMNS": "200"}


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env=WIDE)


def test_show_has_every_service_in_both_languages(pack_text):
    result = run("show")
    assert result.exit_code == 0
    for said in ("淄政办字〔2014〕87号", "ZB87-3.1.1a", "ZB87-3.2.4", "住房公积金政策", "legal aid", "ZB87-2.3b"):
        assert said in result.stdout
    assert result.stdout.count("ZB87-3.") == pack_text.count("- id: ZB87-3.1") + pack_text.count("- id: ZB87-3.2")


@pytest.mark.parametrize("pack", [(), ("zibo-2014-87",), (SHIPPED / "zibo-2014-87.yaml",)])
def test_check_counts_what_is_good(pack):
    result = run("check", *pack)
    assert result.exit_code == 0
    assert result.stdout.startswith("ok zibo-2014-87: 78 services, ")
    assert result.stderr == ""


def test_check_tells_every_mistake_on_a_line_of_its_own(pack_text, tmp_path):
    file = tmp_path / "pack.yaml"
    text = pack_text.replace("code: trade-union}", "code: union}").replace("kind: holder-sex", "kind: holder-hair")
    file.write_text(text, encoding="utf-8")
    result = run("check", file)
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("conditions[6].kind (line ")
    assert all("'union' is no department" in line for line in lines[1:])


@pytest.mark.parametrize("command", ["show", "check"])
def test_an_unknown_pack_is_named(command):
    result = run(command, "atlantis-2020-1")
    assert isinstance(result.exception, NotFoundError)
    assert "atlantis-2020-1" in str(result.exception)


@pytest.fixture(scope="module")
def pack_text():
    return (SHIPPED / "zibo-2014-87.yaml").read_text(encoding="utf-8")


def test_trying_a_pack_says_what_it_would_change_and_changes_nothing(installed, tmp_path):
    path = tmp_path / "one.csv"
    write_sheet(path, [cells_of(application())])
    assert installed("import", path).code == 0
    tried = installed("policy", "try", "zibo-2014-87", "--json")
    # Nobody has a permit yet, so there is nobody to gain or to lose.
    assert json.loads(tried.out) == {
        "pack": "zibo-2014-87",
        "on": "2014-11-03",
        "permits": 0,
        "affected": 0,
        "shifts": [],
        "load": [],
    }
    assert "nothing was touched" in installed("policy", "try", "zibo-2014-87").out
    bad = tmp_path / "bad.yaml"
    bad.write_text("pack: {}\n", encoding="utf-8")
    assert installed("policy", "try", bad).code == 2
    assert installed("policy", "try", "no-such-pack").code == 2
