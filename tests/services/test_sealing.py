"""Sealed is sealed: it opens where it was sealed and nowhere else, keys rotate, and hashes tell nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sealing import ErasedError, KeyRing, SealError, new_key

RING = {"current": "k1", "keys": {"k1": new_key()}, "lookup": new_key()}
KEYS = KeyRing.from_json(RING)


@given(plain=st.binary(max_size=500), context=st.text(max_size=40))
def test_what_is_sealed_opens_in_its_context_only(plain: bytes, context: str) -> None:
    sealed = KEYS.seal(plain, context)
    assert KEYS.open(sealed, context) == plain
    with pytest.raises(SealError):
        KEYS.open(sealed, context + "2")


@given(data=st.data())
def test_no_byte_can_be_touched(data: st.DataObject) -> None:
    sealed = bytearray(KEYS.seal("测试甲".encode(), "case:1"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        KEYS.open(bytes(sealed), "case:1")


@given(rubbish=st.binary(min_size=1, max_size=60))
def test_rubbish_does_not_open(rubbish: bytes) -> None:
    with pytest.raises(SealError):
        KEYS.open(rubbish, "case:1")


def test_what_was_erased_says_so() -> None:
    with pytest.raises(ErasedError):
        KEYS.open(b"", "case:1")


def test_the_same_sealed_twice_differs() -> None:
    assert KEYS.seal(b"x", "case:1") != KEYS.seal(b"x", "case:1")


def test_keys_rotate_without_a_stop() -> None:
    old = KEYS.seal(b"x", "case:1")
    rotated = KeyRing.from_json(RING | {"current": "k2", "keys": RING["keys"] | {"k2": new_key()}})
    assert rotated.open(old, "case:1") == b"x"
    with pytest.raises(SealError, match="not on the ring"):
        KEYS.open(rotated.seal(b"x", "case:1"), "case:1")


def test_a_hash_finds_and_does_not_tell() -> None:
    assert KEYS.lookup_hash("person", "1") == KEYS.lookup_hash("person", "1")
    assert KEYS.lookup_hash("person", "1") != KEYS.lookup_hash("name", "1")
    other = KeyRing.from_json(RING | {"lookup": new_key()})
    assert KEYS.lookup_hash("person", "1") != other.lookup_hash("person", "1")


def test_a_ring_does_not_show_its_keys() -> None:
    shown = repr(KEYS)
    assert RING["lookup"] not in shown
    assert "AESGCM" not in shown


@pytest.mark.parametrize(
    "ring",
    [{}, RING | {"current": "k9"}, RING | {"keys": {"k1": "not base64!"}}, RING | {"keys": {"k1": "c2hvcnQ="}}],
)
def test_a_ring_that_is_none_is_refused(ring: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError)):
        KeyRing.from_json(json.loads(json.dumps(ring)))
