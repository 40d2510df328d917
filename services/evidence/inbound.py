"""What departments send us, kept as it came: body and signature, sealed, so that an outcome can be proven later."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from models import InboundStep
from services.database import Transaction
from services.exchange.signatures import ID_HEADER, SIGNATURE_HEADER, TIME_HEADER
from services.sealing import KeyRing, SealError

MAX_KEPT = 262_144
_HEADERS = (ID_HEADER, TIME_HEADER, SIGNATURE_HEADER)


def sealed_inbound(
    keys: KeyRing, department: str, message_id: str, headers: Mapping[str, str], body: bytes
) -> bytes | None:
    """What came, for ``InboundMessage.sealed``; None if it is longer than ``MAX_KEPT`` bytes.

    Its digest is kept in any case, and the department has the original.
    """
    if len(body) > MAX_KEPT:
        return None
    given = {name.lower(): value for name, value in headers.items()}
    kept = {
        "headers": {name: given[name] for name in _HEADERS if name in given},
        "body": base64.b64encode(body).decode(),
    }
    return keys.seal(zlib.compress(orjson.dumps(kept), 1), _context(department, message_id))


def open_inbound(keys: KeyRing, department: str, message_id: str, sealed: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body as they came; SealError if what is kept was altered or moved."""
    context = _context(department, message_id)
    try:
        kept: dict[str, Any] = orjson.loads(zlib.decompress(keys.open(sealed, context)))
    except (zlib.error, ValueError) as problem:
        raise SealError("does not open: it was altered or moved", place=context) from problem
    return kept["headers"], base64.b64decode(kept["body"])


async def link_steps(transaction: Transaction, department: str, message_id: str, steps: Iterable[str]) -> None:
    """Remember which steps the message ``message_id`` of ``department`` was about."""
    rows = [{"step_id": step, "department": department, "message_id": message_id} for step in sorted(set(steps))]
    await transaction.insert_new(InboundStep, rows, "step_id", "department", "message_id")


def _context(department: str, message_id: str) -> str:
    return f"inbound:{department}:{message_id}"
