"""The downloadable document: whole in itself, and every message that we write fits its schema there."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema

from services.exchange.asyncapi import asyncapi
from services.exchange.schemas import ANSWER, TYPES

DOCUMENT = asyncapi("https://lianban.example/", "1.2.3")


def _at(path: str) -> Any:
    found: Any = DOCUMENT
    for part in path.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_reference_leads_somewhere():
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT)))
    assert len(references) > 20
    assert all(_at(reference) for reference in references)


def test_every_type_is_in_it():
    told = {message["name"] for message in DOCUMENT["components"]["messages"].values()}
    assert told == {*TYPES, ANSWER}
    assert DOCUMENT["servers"]["lianban"] == {"host": "lianban.example", "protocol": "https"}


def test_what_we_write_fits(writer, all_orders, person):
    for order in all_orders:
        event = json.loads(writer.build(order, person).body)
        schema = {"$ref": f"#/components/schemas/{event['type']}", **DOCUMENT}
        jsonschema.Draft202012Validator(schema).validate(event)
