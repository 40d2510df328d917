"""Runs the law cases in tests/law_cases: YAML that an official can read and add to."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from services.policy.decide import decide
from services.policy.grace import grace_end
from services.policy.needs import facts_to_ask
from services.policy.parsing import parse_question
from services.policy.registry import default_registry

FOLDER = Path(__file__).parents[2] / "law_cases"
DECISIONS = ("permit", "in_force", "tiers", "children", "holder")
STATES = ("granted", "upcoming", "unmet", "unknown", "public")


class PlainLoader(yaml.SafeLoader):
    """YAML in which `on` is a word: only true and false are truth values."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
PlainLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def load(name):
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, PlainLoader)  # noqa: S506 - a safe loader, made stricter


def cases(name):
    """The cases of one file, each with its question made whole, as pytest parameters."""
    document = load(name)
    for number, case in enumerate(document["cases"], 1):
        question = merged(document.get("base", {}), case.get("given", {}))
        question["facts"] = {k: v for k, v in question.get("facts", {}).items() if v != "unknown"}
        yield pytest.param(as_json(question), as_json(case), id=f"{name}-{number}")


def merged(base, given):
    if not (isinstance(base, dict) and isinstance(given, dict)):
        return given
    return {key: merged(base.get(key), given[key]) if key in given else base[key] for key in {**base, **given}}


def as_json(value):
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def assert_has(found, expected, place, case):
    """Every expected part is there: mappings in part, `because` as reasons among others, all else exactly."""
    said = f"{case}: {place} is {found!r}"
    if isinstance(expected, dict) and expected:
        for key, part in expected.items():
            assert key in found, f"{case}: {place}.{key}"
            if key == "because":
                assert set(part) <= set(found[key]), f"{case}: {place}.because is {found[key]}"
            else:
                assert_has(found[key], part, f"{place}.{key}", case)
    elif isinstance(found, dict) and expected in STATES:
        assert found["state"] == expected, said
    else:
        assert found == expected, said


@pytest.mark.parametrize(("question", "case"), [case for name in DECISIONS for case in cases(name)])
def test_law_case(question, case):
    asked = parse_question(question)
    answer = decide(default_registry().covering(asked.received_on), asked).to_json()
    expected = dict(case["expect"])
    for state in STATES:
        if expected.pop(state, None) == "all":
            assert {each["state"] for each in answer["entitlements"].values()} == {state}
    assert_has(answer, expected, "", case["case"])


@pytest.mark.parametrize(("question", "case"), list(cases("asking")))
def test_facts_to_ask(question, case):
    asked = parse_question(question)
    found = facts_to_ask(default_registry().covering(asked.received_on), asked)
    assert {department: list(facts) for department, facts in found.items()} == case["expect"]


@pytest.mark.parametrize(("_", "case"), list(cases("grace")))
def test_grace(_, case):
    pack = default_registry().named("zibo-2014-87")
    until = grace_end(pack, case["service"], date.fromisoformat(case["last_day"]))
    assert (until and until.isoformat()) == case["until"]


def test_law_cases_name_only_what_exists():
    """A case that cites a clause nobody knows, or expects a service that does not exist, proves nothing."""
    pack = default_registry().named("zibo-2014-87")
    known = {*pack.services, *pack.clauses, *pack.settlements}
    for name in DECISIONS:
        for case in load(name)["cases"]:
            assert set(case["clauses"]) <= known, case["case"]
            assert set(case["expect"]) <= {"policy", "permit", "entitlements", *STATES}, case["case"]


def test_every_settlement_that_decides_has_a_law_case():
    cited = {code for name in DECISIONS for case in load(name)["cases"] for code in case["clauses"]}
    assert {f"A{n}" for n in range(1, 12)} | {"A16", "A17", "A18"} <= cited
    assert {f"ZB87-2.{n}" for n in ("0a", "0b", "0d", "0e", "1", "2", "3a", "3b", "4", "5")} <= cited
