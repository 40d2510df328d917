"""``lianban decide``: JSON in, JSON out, and one line for what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from api.commands.decide import decide
from services.errors import InputError
from services.policy import parsing, registry
from services.policy.decide import decide as ask

QUESTION = {
    "on": "2015-11-01",
    "application": {"received_on": "2014-10-08", "term_years": 3, "grounds": ["employment"]},
    "applicant": {"born_on": "1985-03-02", "sex": "female"},
    "residence": {"registered_on": "2014-10-08", "intends_half_year": True, "from_outside_county": True},
    "children": [{"born_on": "2008-05-01"}],
    "facts": {
        "identity_matches": True,
        "residence_registered": True,
        "labour_contract": True,
        "social_insurance": True,
        "housing_fund_12_months": True,
    },
}
HEAVY = ("sqlmodel", "sqlalchemy", "httpx", "prefect", "pydantic", "fastapi", "rfc8785")


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(decide)
    return lambda *words, **more: CliRunner().invoke(app, [str(word) for word in words], **more)


def test_the_answer_is_the_engines_own(run, tmp_path):
    file = tmp_path / "question.json"
    file.write_text(json.dumps(QUESTION), encoding="utf-8")
    from_file, from_input = run(file), run(input=json.dumps(QUESTION))
    question = parsing.parse_question(QUESTION)
    expected = ask(registry.default_registry().covering(question.received_on), question).to_json()
    assert from_file.exit_code == from_input.exit_code == 0
    assert json.loads(from_file.stdout) == json.loads(from_input.stdout) == expected
    assert from_file.stderr == ""


def test_the_example_of_the_contract(run):
    answer = json.loads(run(input=json.dumps(QUESTION)).stdout)
    assert answer["permit"] == {
        "outcome": "issue",
        "term_years": 3,
        "valid_from": "2015-11-01",
        "valid_until": "2018-10-31",
        "grounds": ["ZB87-2.1"],
        "needs": [],
        "because": ["ZB87-2.0a"],
    }
    assert answer["entitlements"]["ZB87-3.1.5b"] == {
        "state": "granted",
        "from": "2015-11-01",
        "until": "2018-10-31",
        "kind": "assess",
        "department": "housing-fund",
        "needs": [],
        "because": ["ZB87-3.1.5b", "A11"],
    }


@pytest.mark.parametrize(
    ("text", "place"), [("", "input"), ("{", "input"), ("[]", "input"), ('{"on": 1}', "on"), ("{}", "on")]
)
def test_bad_input_prints_nothing_and_names_its_place(run, text, place):
    result = run(input=text)
    assert result.stdout == ""
    assert isinstance(result.exception, InputError)
    assert result.exception.place == place


def test_a_file_that_cannot_be_read(run, tmp_path):
    for path in (tmp_path / "no\nsuch.json", tmp_path):
        result = run(path)
        assert isinstance(result.exception, InputError)
        assert len(str(result.exception).splitlines()) == 1
        assert result.stdout == ""


def test_it_loads_nothing_heavy():
    """It must answer at once: neither a database, a network nor Prefect is imported for it."""
    code = "import sys, api.commands.decide; print(*(name for name in sys.argv[1:] if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    assert done.stdout.split() == []
