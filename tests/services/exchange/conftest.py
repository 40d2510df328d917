"""A pack, its writer, a made-up person, and orders to the departments of the pack."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.exchange.messages import MessageWriter
from services.exchange.orders import KINDS, Opening, PermitTerm, StepOrder, Withdrawal, step_id
from services.policy.pack import Pack
from services.policy.registry import default_registry

DAY = date(2014, 11, 3)
CASE = "370303-2014-000123"
MakeOrder = Callable[..., StepOrder]


@pytest.fixture(scope="session")
def pack() -> Pack:
    return default_registry().named("zibo-2014-87")


@pytest.fixture(scope="session")
def writer(pack: Pack) -> MessageWriter:
    return MessageWriter(pack, public_url="https://lianban.example")


@pytest.fixture
def person() -> dict[str, Any]:
    """Every field an application has; nobody real."""
    return {
        "name": "测试甲",
        "id_number": "440524188001010014",
        "sex": "male",
        "born_on": "1880-01-01",
        "phone": "13800001234",
        "address": "测试路1号",
        "district": "370303",
        "residence_registered_on": "2013-10-08",
        "children": [
            {"name": "测试乙", "born_on": "2008-05-01", "sex": "female", "relation": "daughter", "proof": "Q370000001"}
        ],
    }


@pytest.fixture(scope="session")
def make_order(pack: Pack) -> MakeOrder:
    """Builds an order of a kind to a department: by default with all the pack would ever send it."""

    def make(kind: str, department: str, **changes: Any) -> StepOrder:
        services = [s.id for s in pack.services.values() if s.kind != "public" and s.owner_on(DAY) == department]
        facts = tuple(f.name for f in pack.facts.values() if f.owner_on(DAY) == department)
        parts: dict[str, Any] = {
            "step_id": step_id(CASE, kind, department, 1),
            "case_number": CASE,
            "department": department,
            "kind": kind,
            "asked_at": datetime(2014, 11, 3, 2, 0, tzinfo=UTC),
            "answer_by": date(2014, 11, 17),
        }
        if kind == "verification":
            parts["facts"] = facts
        else:
            parts["permit"] = PermitTerm(3, DAY, date(2017, 11, 2))
        if kind in ("permit_issued", "permit_ended"):
            parts["clauses"] = ("A2",)
        if kind == "entitlements":
            parts["open"] = tuple(Opening(s, DAY, date(2017, 11, 2), (s, "A7")) for s in services)
            parts["withdraw"] = tuple(Withdrawal(s, DAY, (s, "A17")) for s in services[:1])
        if kind == "permit_ended":
            parts["reason"] = "expired"
        return StepOrder(**(parts | changes))

    return make


@pytest.fixture(scope="session")
def all_orders(pack: Pack, make_order: MakeOrder) -> list[StepOrder]:
    """One order of every kind for every department for which the kind makes sense."""
    orders = [make_order(kind, department) for kind in KINDS for department in pack.departments]
    return [
        order
        for order in orders
        if order.kind in ("permit_issued", "permit_ended") or order.facts or order.open or order.withdraw
    ]
