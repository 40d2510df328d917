"""An order goes through the step's content and comes back as it was."""

from __future__ import annotations

import json

from services.exchange.orders import order_content, read_order, step_id


def test_an_order_survives_the_ledger(all_orders):
    for order in all_orders:
        content = json.loads(json.dumps(order_content(order)))
        columns = {
            name: getattr(order, name)
            for name in ("step_id", "case_number", "department", "kind", "asked_at", "answer_by")
        }
        assert read_order(**columns, content=content) == order


def test_clauses_and_fewer_fields_survive_too(make_order):
    order = make_order("verification", "police", clauses=("ZB87-2.0a",), fields=())
    content = order_content(order)
    assert content["fields"] == []
    columns = {n: getattr(order, n) for n in ("step_id", "case_number", "department", "kind", "asked_at", "answer_by")}
    assert read_order(**columns, content=content) == order


def test_content_bears_no_personal_data_and_no_columns(make_order):
    assert set(order_content(make_order("verification", "hrss"))) == {"facts"}
    assert set(order_content(make_order("permit_ended", "police"))) == {"permit", "reason", "clauses"}


def test_a_steps_id_names_case_kind_department_and_round():
    assert step_id("370303-2014-000123", "verification", "hrss", 1) == "370303-2014-000123-v-hrss-1"
    assert step_id("3703-gaoxin-2014-000001", "permit_ended", "police", 12) == "3703-gaoxin-2014-000001-x-police-12"
