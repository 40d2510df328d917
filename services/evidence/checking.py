"""Checks a bundle offline: nothing but the file, and whatever keys its reader chooses to trust."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models import Door
from services.errors import InputError
from services.evidence.bundle import FORMAT, encode, unsigned
from services.evidence.chain import check_place
from services.evidence.seal import ALGORITHM, fingerprint, seal_holds
from services.evidence.signed import carries_signature
from services.exchange.signatures import ID_HEADER, SIGNATURE_HEADER, TIME_HEADER

MAX_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What checking came to. ``problems`` is empty if the bundle holds; ``step``, ``state`` and ``fingerprint`` (of
    the key that sealed it) are told only then. ``notes``: what was not, or could not be, checked.
    """

    problems: tuple[str, ...]
    step: str = ""
    state: str = ""
    fingerprint: str = ""
    notes: tuple[str, ...] = ()


def check_bundle(data: bytes, *, public_key: str | None = None, secrets: Sequence[str] = ()) -> Finding:
    """Check every digest, signature and link in a bundle.

    ``public_key``: the seal must be of this key (hex), which is what makes it proof against one who can seal anew.
    ``secrets``: secrets (``whsec_…``) or public keys (``whpk_…``) of the department, with which the signatures of
    messages and call-backs are checked too. InputError if the file is no bundle at all.
    """
    bundle = _read(data)
    try:
        if encode(bundle) != data:
            return Finding(("the file is not canonical: bytes were altered, or it was written by something else",))
        seal = bundle["seal"]
        if seal["algorithm"] != ALGORITHM or not seal_holds(seal["public_key"], seal["signature"], unsigned(bundle)):
            return Finding(("the seal does not fit: something in the file was altered",))
        if public_key is not None and seal["public_key"] != public_key:
            return Finding(("the seal is whole, but of another key than the one given",))
        problems = tuple(_problems(bundle, secrets))
        notes = tuple(_notes(bundle, public_key, secrets))
        step = bundle["step"]
        return Finding(problems, step["id"], step["state"], fingerprint(seal["public_key"]), notes)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as problem:
        raise InputError("is no bundle of evidence: parts are missing", place="file") from problem


def _read(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise InputError("is too large for a bundle of evidence", place="file")
    try:
        bundle = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError("is not JSON: it is no bundle of evidence, or was altered", place="file") from None
    if not isinstance(bundle, dict) or bundle.get("format") != FORMAT:
        raise InputError(f"is no bundle of evidence of the format {FORMAT}", place="file")
    return bundle


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _problems(bundle: Mapping[str, Any], secrets: Sequence[str]) -> Iterator[str]:
    step, message = bundle["step"], bundle["message"]
    event = json.loads(message["body"])
    if _digest(message["body"]) != message["digest"]:
        yield "message: its digest does not fit"
    if (event["id"], event["type"], event["data"]["case"]) != (step["id"], message["type"], step["case"]):
        yield "message: it is of another step"
    for attempt in bundle["attempts"]:
        yield from _attempt(attempt, message, sorted(event["data"]["person"]), secrets)
    if bundle["attempts"] and not any(attempt["same_message"] for attempt in bundle["attempts"]):
        yield "message: no try sent it"
    for came in bundle["inbound"]:
        yield from _inbound(came, step["id"], secrets)
    yield from _decision(bundle["decision"], step)
    yield from check_place(bundle["audit"], step["case"], step["id"])


def _attempt(
    attempt: Mapping[str, Any], message: Mapping[str, Any], fields: Sequence[str], secrets: Sequence[str]
) -> Iterator[str]:
    place, batch = f"attempt {attempt['number']}", attempt["batch"]
    if attempt["same_message"] != (attempt["event_digest"] == message["digest"]):
        yield f"{place}: says otherwise of its message than its digest does"
    if not attempt["same_message"]:
        return
    if attempt["fields"] is not None and sorted(attempt["fields"]) != fields:
        yield f"{place}: the person's fields are not those of the message"
    if attempt["door"] == Door.INBOX:
        return
    if batch is None:
        if attempt["sent_digest"] != message["digest"]:
            yield f"{place}: it sent another body"
        if secrets and attempt["signature"] is not None:
            signed = f"{attempt['message_id']}.{attempt['timestamp']}.{message['body']}"
            if not carries_signature(attempt["signature"], signed, secrets):
                yield f"{place}: its signature fits none of the keys given"
    elif not batch["rebuilt"] or batch["events"][batch["position"]] != message["digest"]:
        yield f"{place}: the message is not in the batch that was sent"


def _inbound(came: Mapping[str, Any], step: str, secrets: Sequence[str]) -> Iterator[str]:
    place, headers = f"call-back {came['message_id']}", came["headers"]
    if came["body"] is None:
        return
    text = came["encoding"] == "utf-8"
    body = came["body"].encode() if text else base64.b64decode(came["body"], validate=True)
    if hashlib.sha256(body).hexdigest() != came["digest"]:
        yield f"{place}: its digest does not fit"
    if not text:
        return
    # What acknowledges a poll is signed with its method and target, which stand in a line of their own before it.
    told = came["body"] if came["body"].startswith("{") else came["body"].partition("\n")[2]
    if not any(outcome["step"] == step for outcome in json.loads(told)["outcomes"]):
        yield f"{place}: it is not about this step"
    if headers.get(ID_HEADER) != came["message_id"]:
        yield f"{place}: it was signed under another id"
    if secrets:
        signed = f"{headers[ID_HEADER]}.{headers[TIME_HEADER]}.{came['body']}"
        if not carries_signature(headers[SIGNATURE_HEADER], signed, secrets):
            yield f"{place}: its signature fits none of the keys given"


def _decision(decision: Mapping[str, Any] | None, step: Mapping[str, Any]) -> Iterator[str]:
    if decision is None:
        return
    if _digest(decision["kept"]) != decision["digest"]:
        yield "decision: its digest does not fit"
    answer = json.loads(decision["kept"])["answer"]
    if (answer["policy"], answer["permit"]["outcome"]) != (decision["pack"], decision["outcome"]):
        yield "decision: what is kept says otherwise"
    if decision["pack"] != step["pack"]:
        yield "decision: it stands on another pack than the step"


def _notes(bundle: Mapping[str, Any], public_key: str | None, secrets: Sequence[str]) -> Iterator[str]:
    if public_key is None:
        yield "the seal was checked with the key in the file: compare its fingerprint with the one you noted"
    if not secrets and (bundle["attempts"] or bundle["inbound"]):
        yield "signatures of messages and call-backs are shown and not checked: give the department's key for that"
    for attempt in bundle["attempts"]:
        if attempt["door"] == Door.INBOX:
            yield f"attempt {attempt['number']}: handed over in a sheet, which bears no signature"
        elif attempt["batch"] is not None:
            yield f"attempt {attempt['number']}: sent in a batch with others' events, whose digests are shown"
        if attempt["door"] == Door.PUSH and attempt["answer_digest"] is not None and not bundle["inbound"]:
            yield (
                f"attempt {attempt['number']}: what it answered came in the body of the answer, which TLS covers and "
                "no signature; its digest is shown"
            )
        if not attempt["same_message"]:
            yield f"attempt {attempt['number']}: sent other bytes than the later message"
    for came in bundle["inbound"]:
        if came["body"] is None:
            yield f"call-back {came['message_id']}: too long to be kept; ask the department for it"
        elif came["encoding"] != "utf-8":
            yield f"call-back {came['message_id']}: a sheet that an officer handed in; the audit entry says who"
