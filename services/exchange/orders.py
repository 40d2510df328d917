"""What the ledger asks to be sent to one department about one case (协办事项), free of personal data.

An order is a step as the exchange sees it. ``order_content`` and ``read_order`` carry it through ``Step.content``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of step: its letter in the step's id, and the CloudEvents type of its message."""

    letter: str
    type: str


VERIFICATION, ENTITLEMENTS = "verification", "entitlements"
PERMIT_ISSUED, PERMIT_ENDED = "permit_issued", "permit_ended"
TEST_TYPE = "cn.zibo.lianban.endpoint.test.v1"

KINDS: Mapping[str, Kind] = {
    VERIFICATION: Kind("v", "cn.zibo.lianban.verification.requested.v1"),
    ENTITLEMENTS: Kind("e", "cn.zibo.lianban.entitlements.changed.v1"),
    PERMIT_ISSUED: Kind("i", "cn.zibo.lianban.permit.issued.v1"),
    PERMIT_ENDED: Kind("x", "cn.zibo.lianban.permit.ended.v1"),
}


def step_id(case_number: str, kind: str, department: str, round_: int) -> str:
    """The key of a step for ever: ``370303-2014-000123-v-hrss-1``. It is also the message's ``webhook-id``."""
    return f"{case_number}-{KINDS[kind].letter}-{department}-{round_}"


def round_of(step: str) -> int:
    """In which round of its case a step was made: the end of its key. A plan is a round, so is a split."""
    return int(step.rpartition("-")[2])


@dataclass(frozen=True, slots=True)
class Opening:
    """A service to open, from its first to its last day as decided, and the codes that decided it."""

    service: str
    from_on: date
    until_on: date
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A service to withdraw after its last day (grace included, A17)."""

    service: str
    last_day: date
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PermitTerm:
    """A permit (居住证) as departments are told of it; both days count (A2)."""

    term_years: int
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True)
class StepOrder:
    """One step to be sent.

    ``kind`` is a key of ``KINDS``. ``asked_at`` is the instant at which the step was made, not that of the try: a
    step sent again is the same bytes. ``reason`` (a code of ``PERMIT_END_REASONS``) belongs to ``permit_ended``.
    ``clauses`` are added to those that the facts and services of the message rest on. ``fields`` asks for fewer of
    the person's fields than the pack allows.
    """

    step_id: str
    case_number: str
    department: str
    kind: str
    asked_at: datetime
    answer_by: date | None = None
    facts: tuple[str, ...] = ()
    open: tuple[Opening, ...] = ()
    withdraw: tuple[Withdrawal, ...] = ()
    permit: PermitTerm | None = None
    reason: str | None = None
    clauses: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None


def order_content(order: StepOrder) -> dict[str, Any]:
    """What of the order goes into ``Step.content``: JSON, without what the step's columns hold already."""
    content: dict[str, Any] = {}
    if order.facts:
        content["facts"] = list(order.facts)
    if order.open:
        content["open"] = [
            {
                "service": o.service,
                "from": o.from_on.isoformat(),
                "until": o.until_on.isoformat(),
                "because": [*o.because],
            }
            for o in order.open
        ]
    if order.withdraw:
        content["withdraw"] = [
            {"service": w.service, "last_day": w.last_day.isoformat(), "because": [*w.because]} for w in order.withdraw
        ]
    if order.permit is not None:
        content["permit"] = {
            "term_years": order.permit.term_years,
            "valid_from": order.permit.valid_from.isoformat(),
            "valid_until": order.permit.valid_until.isoformat(),
        }
    if order.reason is not None:
        content["reason"] = order.reason
    if order.clauses:
        content["clauses"] = list(order.clauses)
    if order.fields is not None:
        content["fields"] = list(order.fields)
    return content


def read_order(
    *,
    step_id: str,
    case_number: str,
    department: str,
    kind: str,
    asked_at: datetime,
    answer_by: date | None,
    content: Mapping[str, Any],
) -> StepOrder:
    """The order of a step, from its columns and its ``content`` as ``order_content`` wrote it."""
    day = date.fromisoformat
    permit = content.get("permit")
    return StepOrder(
        step_id,
        case_number,
        department,
        kind,
        asked_at,
        answer_by,
        tuple(content.get("facts", ())),
        tuple(
            Opening(o["service"], day(o["from"]), day(o["until"]), tuple(o["because"])) for o in content.get("open", ())
        ),
        tuple(Withdrawal(w["service"], day(w["last_day"]), tuple(w["because"])) for w in content.get("withdraw", ())),
        permit and PermitTerm(permit["term_years"], day(permit["valid_from"]), day(permit["valid_until"])),
        content.get("reason"),
        tuple(content.get("clauses", ())),
        tuple(content["fields"]) if "fields" in content else None,
    )
