"""What comes in is kept as it came, bounded and sealed to its place."""

from __future__ import annotations

import pytest

from services.evidence.inbound import MAX_KEPT, open_inbound, sealed_inbound
from services.sealing import KeyRing, SealError, new_key

KEYS = KeyRing.from_json({"current": "k", "keys": {"k": new_key()}, "lookup": new_key()})
HEADERS = {"Webhook-Id": "m-1", "Webhook-Timestamp": "1415000000", "Webhook-Signature": "v1,abc", "Cookie": "no"}


@pytest.mark.parametrize("body", [b"{}", "核验".encode(), bytes(range(256)), b"x" * MAX_KEPT])
def test_it_opens_as_it_came_without_what_is_not_evidence(body: bytes) -> None:
    sealed = sealed_inbound(KEYS, "hrss", "m-1", HEADERS, body)
    assert sealed is not None
    headers, kept = open_inbound(KEYS, "hrss", "m-1", sealed)
    assert kept == body
    assert headers == {"webhook-id": "m-1", "webhook-timestamp": "1415000000", "webhook-signature": "v1,abc"}


def test_what_is_too_long_is_not_kept() -> None:
    assert sealed_inbound(KEYS, "hrss", "m-1", HEADERS, b"x" * (MAX_KEPT + 1)) is None


def test_it_opens_in_its_own_place_only() -> None:
    sealed = sealed_inbound(KEYS, "hrss", "m-1", HEADERS, b"{}")
    assert sealed is not None
    for department, message in (("police", "m-1"), ("hrss", "m-2")):
        with pytest.raises(SealError):
            open_inbound(KEYS, department, message, sealed)
