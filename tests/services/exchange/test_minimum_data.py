"""Minimum data, department by department: what each type of message bears, against the pack's own text.

The allow-list is read off the YAML here, and by nothing of ours, so that the code under test does not judge itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import services.policy
from services.errors import InputError
from services.exchange.messages import MessageWriter
from services.exchange.orders import Opening, PermitTerm, StepOrder, Withdrawal, step_id
from services.exchange.schemas import schema
from services.policy.registry import default_registry

FILES = sorted((Path(services.policy.__file__).parent / "packs").glob("*.yaml"))
# Values that cannot stand in a message by chance.
MARKS: Mapping[str, Any] = {
    "name": "标记姓名",
    "id_number": "440524188001010014",
    "sex": "female",
    "born_on": "1911-11-11",
    "phone": "15412345678",
    "address": "标记地址",
    "district": "标记区县",
    "residence_registered_on": "1912-12-12",
    "children": [{"name": "标记子女", "born_on": "1913-01-13"}],
}
_IDENTITY = {"name", "id_number"}


def _texts(pack: Mapping[str, Any], part: str, department: str) -> Iterator[Mapping[str, Any]]:
    """The facts or services that ever were the department's, as the file writes them."""
    for one in pack[part]:
        if any(line["code"] == department for line in one.get("owner", ())):
            yield one


def _departments() -> list[tuple[Path, str]]:
    return [
        (file, one["code"]) for file in FILES for one in yaml.safe_load(file.read_text(encoding="utf-8"))["departments"]
    ]


def _orders(pack: Mapping[str, Any], department: str) -> Iterator[tuple[StepOrder, set[str]]]:
    """Every order that the department may be sent, alone and together, with the fields the file allows for it."""
    facts = list(_texts(pack, "facts", department))
    services_ = [one for one in _texts(pack, "services", department) if one["kind"] != "public"]
    term = PermitTerm(3, date(2014, 11, 3), date(2017, 11, 2))

    def order(kind: str, **parts: Any) -> StepOrder:
        case = "370303-2014-000001"
        at = datetime(2014, 11, 3, tzinfo=UTC)
        return StepOrder(step_id(case, kind, department, 1), case, department, kind, at, **parts)

    def allowed(*asked: Mapping[str, Any]) -> set[str]:
        return {name for one in asked for name in one["send"]}

    for asked in [[fact] for fact in facts] + ([facts] if facts else []):
        yield order("verification", facts=tuple(fact["name"] for fact in asked)), allowed(*asked)
    for some in [[service] for service in services_] + ([services_] if services_ else []):
        opens = tuple(Opening(one["id"], term.valid_from, term.valid_until) for one in some)
        ends = tuple(Withdrawal(one["id"], term.valid_until) for one in some)
        yield order("entitlements", permit=term, open=opens), allowed(*some)
        yield order("entitlements", permit=term, withdraw=ends), allowed(*some)
    known = allowed(*facts, *services_) & _IDENTITY
    # News of a permit rests on what the decision gave as its reason.
    yield order("permit_issued", permit=term, clauses=("ZB87-2.1",)), known
    yield order("permit_ended", permit=term, reason="expired", clauses=("A2",)), known


@pytest.mark.parametrize(("file", "department"), _departments(), ids=lambda one: getattr(one, "stem", one))
def test_a_department_is_sent_what_its_list_allows_and_nothing_else(file: Path, department: str) -> None:
    pack = yaml.safe_load(file.read_text(encoding="utf-8"))
    writer = MessageWriter(default_registry().named(pack["code"]), public_url="https://lianban.example")
    for order, allowed in _orders(pack, department):
        message = writer.build(order, MARKS)
        data = json.loads(message.body)["data"]
        assert set(data["person"]) == set(message.fields) == allowed
        for name in set(MARKS) - allowed:
            assert all(mark not in message.body for mark in _marks(name)), name
        # And it always says what for, on what clause, and about which case.
        assert data["purpose"]["zh"]
        assert data["case"] == order.case_number
        assert data["clauses"]
        assert all(isinstance(clause, str) and clause for clause in data["clauses"])
        validator = Draft202012Validator(schema(message.type))
        assert validator.is_valid(data)
        assert not validator.is_valid(data | {"clauses": []})


def _marks(name: str) -> list[bytes]:
    """What would show that the value of the field ``name`` stands somewhere in a body."""
    if name == "sex":
        return []  # A common word; that the field itself is not there is asserted of `person`.
    value = MARKS[name]
    values = value[0].values() if isinstance(value, list) else [value]
    return [str(one).encode() for one in values]


@pytest.mark.parametrize("kind", ["permit_issued", "permit_ended"])
def test_a_message_about_a_person_that_rests_on_no_clause_is_not_written(kind: str) -> None:
    pack = default_registry().packs[-1]
    writer = MessageWriter(pack, public_url="https://lianban.example")
    term = PermitTerm(3, date(2014, 11, 3), date(2017, 11, 2))
    at = datetime(2014, 11, 3, tzinfo=UTC)
    order = StepOrder("s-1", "370303-2014-000001", "police", kind, at, permit=term, reason="expired")
    with pytest.raises(InputError, match="rests on no clause") as refused:
        writer.build(order, MARKS)
    assert refused.value.place == "order.clauses"


def test_a_test_of_an_endpoint_bears_nobody() -> None:
    for pack in default_registry().packs:
        writer = MessageWriter(pack, public_url="https://lianban.example")
        for department in pack.departments:
            body = writer.build_test(department, "c" * 32, "t-1", datetime(2014, 11, 3, tzinfo=UTC)).body
            data = json.loads(body)["data"]
            assert (data["case"], data["person"]) == (None, {})
