"""Messages to departments: CloudEvents 1.0 in JSON, structured mode, one at a time or in batches.

What a message says is a function of its step alone, so that a step sent again is the same bytes under the same id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from services.errors import InputError
from services.exchange.catalogue import Catalogue
from services.exchange.orders import (
    ENTITLEMENTS,
    KINDS,
    PERMIT_ENDED,
    PERMIT_ISSUED,
    TEST_TYPE,
    VERIFICATION,
    StepOrder,
)
from services.exchange.reasons import PERMIT_END_REASONS
from services.policy.pack import Pack

CONTENT_TYPE = "application/cloudevents+json"
BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"

_RECOGNISABLE = ("name", "id_number", "born_on", "phone", "address", "proof")

_PURPOSES = {
    VERIFICATION: {
        "zh": "办理居住证，核验申请人有关情况",
        "en": "residence permit: to confirm what only this department knows about the applicant",
    },
    "open": {
        "zh": "为居住证持有人开通公共服务事项",
        "en": "residence permit: to open public services to its holder",
    },
    "withdraw": {
        "zh": "停止居住证持有人不再享有的公共服务事项",
        "en": "residence permit: to withdraw public services that are no longer due",
    },
    "change": {
        "zh": "调整居住证持有人的公共服务事项",
        "en": "residence permit: to open some public services to its holder and withdraw others",
    },
    PERMIT_ISSUED: {"zh": "通报居住证签发情况", "en": "residence permit: notice that it was issued"},
    PERMIT_ENDED: {"zh": "通报居住证终止情况", "en": "residence permit: notice that it has ended"},
    "test": {"zh": "测试消息接口，不涉及任何个人", "en": "test of the endpoint; it concerns no person"},
}


@dataclass(frozen=True, slots=True)
class Message:
    """One event ready to be signed and sent.

    ``fields`` names what of the person stands in it (for the access log); ``redact`` are those values themselves, to
    be struck out of whatever the receiver echoes. Neither body nor values show in ``repr``.
    """

    step_id: str
    type: str
    body: bytes = field(repr=False)
    fields: tuple[str, ...] = ()
    redact: tuple[str, ...] = field(default=(), repr=False)


class MessageWriter:
    """Writes the messages of one pack; make it once. ``public_url`` is where departments reach this service."""

    def __init__(self, pack: Pack, *, public_url: str, source: str = "urn:lianban:zibo") -> None:
        self._catalogue = Catalogue(pack)
        self._source = source
        base = f"{public_url.rstrip('/')}/api/v1"
        self._callbacks = f"{base}/callbacks/"
        self._schemas = {
            type_: f"{base}/schemas/{type_}.json" for type_ in (*(k.type for k in KINDS.values()), TEST_TYPE)
        }

    def fields(self, order: StepOrder) -> tuple[str, ...]:
        """The person's fields that the message of ``order`` may bear: open no others for it."""
        return self._catalogue.fields(order)

    def build(self, order: StepOrder, person: Mapping[str, object]) -> Message:
        """The message of ``order``. Of ``person`` (the applicant's fields) it takes what the pack allows.

        InputError if the order does not fit its kind or asks a department for what is not its matter.
        """
        kind = KINDS.get(order.kind)
        if kind is None:
            raise InputError(f"must be one of {', '.join(KINDS)}", place="order.kind")
        part = {name: person[name] for name in self.fields(order) if person.get(name) not in (None, "", [], ())}
        asked, purpose, clauses = self._asked(order)
        _must(clauses, "order.clauses", "rests on no clause; only a test event may")
        data = {
            "case": order.case_number,
            "step": order.step_id,
            "purpose": _PURPOSES[purpose],
            "clauses": clauses,
            "callback": self._callbacks + order.department,
            "answer_by": order.answer_by,
            "free": True,  # A14: a fee in any message would be a defect.
            "person": part,
            **asked,
        }
        body = self._event(order.step_id, kind.type, order.case_number, order.asked_at, data)
        return Message(order.step_id, kind.type, body, tuple(part), tuple(_recognisable(part)))

    def build_test(self, department: str, challenge: str, step_id: str, at: datetime) -> Message:
        """A test of a department's endpoint: a random ``challenge``, no case and no person."""
        data = {
            "case": None,
            "step": step_id,
            "purpose": _PURPOSES["test"],
            "clauses": (),
            "callback": self._callbacks + department,
            "answer_by": None,
            "free": True,
            "person": {},
            "endpoint": department,
            "challenge": challenge,
        }
        return Message(step_id, TEST_TYPE, self._event(step_id, TEST_TYPE, department, at, data))

    def _event(self, id_: str, type_: str, subject: str, at: datetime, data: Mapping[str, Any]) -> bytes:
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": id_,
                "source": self._source,
                "type": type_,
                "subject": subject,
                "time": at.astimezone(UTC),
                "datacontenttype": "application/json",
                "dataschema": self._schemas[type_],
                "data": data,
            },
            option=orjson.OPT_UTC_Z,
        )

    def _asked(self, order: StepOrder) -> tuple[dict[str, Any], str, tuple[str, ...]]:
        """What is asked, by kind: the parts of ``data``, the purpose, and the clauses it rests on."""
        clauses: list[str] = []
        asked: dict[str, Any]
        if order.kind == VERIFICATION:
            _must(order.facts, "order.facts", "asks for no fact")
            for name in order.facts:
                clauses += self._catalogue.fact(name, order.department).clauses
            asked, purpose = {"facts": order.facts}, VERIFICATION
        else:
            _must(order.permit, "order.permit", "is missing; every message but a verification names the permit")
            asked, purpose = {"permit": order.permit}, order.kind
        if order.kind == ENTITLEMENTS:
            _must(order.open or order.withdraw, "order.open", "opens nothing, and nothing is withdrawn")
            asked |= {"open": self._open(order), "withdraw": self._withdraw(order)}
            for service, because in _reasons(order):
                clauses += (service, *because)
            purpose = "change" if order.open and order.withdraw else "open" if order.open else "withdraw"
        elif order.kind == PERMIT_ENDED:
            _must(order.reason in PERMIT_END_REASONS, "order.reason", f"must be one of {', '.join(PERMIT_END_REASONS)}")
            asked["reason"] = PERMIT_END_REASONS[order.reason or ""]
        # A dict keeps the order of first mention and drops repeats.
        return asked, purpose, tuple(dict.fromkeys((*clauses, *order.clauses)))

    def _open(self, order: StepOrder) -> list[dict[str, Any]]:
        entries = ((item, self._catalogue.service(item.service, order.department)) for item in order.open)
        return [
            {
                "service": item.service,
                "name": entry.name,
                "kind": entry.kind,
                "from": item.from_on,
                "until": item.until_on,
                "because": item.because,
            }
            for item, entry in entries
        ]

    def _withdraw(self, order: StepOrder) -> list[dict[str, Any]]:
        entries = ((item, self._catalogue.service(item.service, order.department)) for item in order.withdraw)
        return [
            {"service": item.service, "name": entry.name, "last_day": item.last_day, "because": item.because}
            for item, entry in entries
        ]


def batch_id(step_ids: Iterable[str]) -> str:
    """The ``webhook-id`` of a batch: the same steps in any order make the same id."""
    return "batch-" + hashlib.sha256("\n".join(sorted(step_ids)).encode()).hexdigest()[:40]


def batch_body(messages: Sequence[Message]) -> bytes:
    """The body of a batch: a JSON array of the very bytes that each event has alone."""
    return b"[" + b",".join(message.body for message in messages) + b"]"


def _reasons(order: StepOrder) -> Iterable[tuple[str, tuple[str, ...]]]:
    for opening in order.open:
        yield opening.service, opening.because
    for withdrawal in order.withdraw:
        yield withdrawal.service, withdrawal.because


def _must(given: object, place: str, detail: str) -> None:
    if not given:
        raise InputError(detail, place=place)


def _recognisable(part: Mapping[str, object]) -> Iterable[str]:
    """The values in ``part`` by which somebody could be recognised, children's among them."""
    for name in _RECOGNISABLE:
        value = part.get(name)
        if value:
            yield str(value)
    children = part.get("children", ())
    if isinstance(children, list | tuple):
        for child in children:
            if isinstance(child, Mapping):
                yield from _recognisable(child)
