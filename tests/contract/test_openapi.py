"""The OpenAPI document: complete, valid, and true to what departments are sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from api.access import MATRIX, GuardedPage, Open
from api.app import create_app
from api.openapi import named_routes
from services.exchange.messages import MessageWriter
from services.exchange.orders import Opening, PermitTerm, StepOrder, step_id
from services.exchange.schemas import TYPES
from services.policy.registry import default_registry
from services.settings import Settings
from tests.contract.conftest import Served

CASE = "370303-2014-000123"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings(_env_file=None)).openapi()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"{method} {path}", operation


def test_it_is_what_the_service_publishes(served: Served, document: dict[str, Any]) -> None:
    answer = httpx.get(f"{served.url}/openapi.json", trust_env=False)
    assert answer.json() == document
    assert document["openapi"].startswith("3.1.")


def test_every_reference_holds_and_every_schema_is_one(document: dict[str, Any]) -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    found = set(references(document))
    assert found
    for reference in found:
        assert reference.startswith("#/components/schemas/"), reference
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"], reference
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (name, status)
        assert {"500", "503"} <= set(operation["responses"]), name
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= set(operation["responses"]), name


def test_who_may_call_stands_in_the_document(document: dict[str, Any]) -> None:
    operations = list(_operations(document))
    documented = {name: operation.get("x-roles") for name, operation in operations}
    pages = {
        name for name, route in named_routes(create_app(Settings(_env_file=None))) if isinstance(route, GuardedPage)
    }
    assert sum(roles is not None for roles in documented.values()) == sum(
        not isinstance(rule, Open) for name, rule in MATRIX.items() if name not in pages
    )
    for name, operation in operations:
        assert ("security" in operation) == (documented[name] is not None), name
        for way in operation.get("security", ()):
            assert set(way) <= set(document["components"]["securitySchemes"]), name
        assert (documented[name] is not None) == ({"401", "403"} <= set(operation["responses"])), name


def _messages() -> dict[str, dict[str, Any]]:
    """One message of each type, as a department gets it."""
    pack, asked_at = default_registry().named("zibo-2014-87"), datetime(2014, 11, 3, 2, tzinfo=UTC)
    writer = MessageWriter(pack, public_url="https://lianban.test")
    permit = PermitTerm(3, date(2014, 11, 3), date(2017, 11, 2))
    opening = Opening("ZB87-3.1.6a", permit.valid_from, permit.valid_until, ("ZB87-3.1.6a",))
    parts: dict[str, tuple[str, dict[str, Any]]] = {
        "verification": ("police", {"facts": ("identity_matches",)}),
        "entitlements": ("justice", {"open": (opening,), "permit": permit}),
        "permit_issued": ("police", {"permit": permit, "clauses": ("ZB87-2.1",)}),
        "permit_ended": ("police", {"permit": permit, "reason": "expired", "clauses": ("A2",)}),
    }
    person = {"name": "测试甲", "id_number": "440524188001010014"}
    events = [
        writer.build(
            StepOrder(
                step_id=step_id(CASE, kind, department, 1),
                case_number=CASE,
                department=department,
                kind=kind,
                asked_at=asked_at,
                **more,
            ),
            person,
        )
        for kind, (department, more) in parts.items()
    ]
    events.append(writer.build_test("police", "challenge-1234567890", "test-police-1", asked_at))
    return {event.type: json.loads(event.body) for event in events}


def test_every_message_that_is_sent_fits_its_webhook(document: dict[str, Any]) -> None:
    registry = Registry().with_resource("urn:document", Resource(contents=document, specification=DRAFT202012))
    messages = _messages()
    assert set(document["webhooks"]) == set(TYPES) == set(messages)
    for type_, webhook in document["webhooks"].items():
        headers = [one["name"] for one in webhook["post"]["parameters"]]
        assert headers == ["webhook-id", "webhook-timestamp", "webhook-signature"]
        content = webhook["post"]["requestBody"]["content"]["application/cloudevents+json"]
        schema = {"$ref": "urn:document" + content["schema"]["$ref"]}
        validator = Draft202012Validator(schema, registry=registry)
        assert list(validator.iter_errors(messages[type_])) == []
        assert not validator.is_valid(messages[type_] | {"data": {}})
