"""Sealing of personal data: AES-256-GCM with a ring of keys, and keyed hashes to look a person up by.

A sealed value names the key that sealed it, so keys rotate without a stop; the context (table and row) is bound in,
so that a value moved to another row does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.errors import LianbanError


class SealError(LianbanError):
    """A sealed value does not open: its key is not on the ring, or it was altered or moved."""

    code = "sealed"


def new_key() -> str:
    """A fresh 256-bit key in Base64."""
    return base64.b64encode(os.urandom(32)).decode()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id (``current`` seals, all of them open) and the key of the lookup hashes."""

    current: str
    ciphers: Mapping[str, AESGCM] = field(repr=False)
    lookup: bytes = field(repr=False)

    @classmethod
    def from_json(cls, ring: Mapping[str, Any]) -> KeyRing:
        """Read ``{"current": id, "keys": {id: base64}, "lookup": base64}``; ValueError or KeyError if it is not."""
        ciphers = {name: AESGCM(base64.b64decode(key, validate=True)) for name, key in ring["keys"].items()}
        if ring["current"] not in ciphers:
            raise ValueError("the current key is not on the ring")
        return cls(ring["current"], ciphers, base64.b64decode(ring["lookup"], validate=True))

    def seal(self, plain: bytes, context: str) -> bytes:
        """``plain`` sealed for ``context``: key id, nonce, ciphertext with its tag."""
        nonce = os.urandom(12)
        name = self.current.encode()
        body = self.ciphers[self.current].encrypt(nonce, plain, context.encode())
        return bytes([len(name)]) + name + nonce + body

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed for ``context``; SealError if it was not, or was altered."""
        end = 1 + sealed[0] if sealed else 0
        cipher = self.ciphers.get(sealed[1:end].decode(errors="replace"))
        if cipher is None:
            raise SealError("its key is not on the ring; restore the keys file", place=context)
        try:
            return cipher.decrypt(sealed[end : end + 12], sealed[end + 12 :], context.encode())
        except (InvalidTag, ValueError) as problem:
            raise SealError("does not open: it was altered or moved", place=context) from problem

    def lookup_hash(self, kind: str, value: str) -> str:
        """A keyed hash (HMAC-SHA-256, hex) by which ``value`` can be found but not read."""
        return hmac.new(self.lookup, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()
