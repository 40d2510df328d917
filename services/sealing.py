"""Sealing of personal data: AES-256-GCM with a ring of keys, and keyed hashes to look a person up by.

A sealed value names the key that sealed it, so keys rotate without a stop; the context (table and row) is bound in,
so that a value moved to another row does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.errors import LianbanError, NotFoundError


class SealError(LianbanError):
    """A sealed value does not open: its key is not on the ring, or it was altered or moved."""

    code = "sealed"


class ErasedError(NotFoundError):
    """What stood here was erased when its time was over (``upkeep.retention``)."""

    code = "erased"


def new_key() -> str:
    """A fresh 256-bit key in Base64."""
    return base64.b64encode(os.urandom(32)).decode()


@dataclass(slots=True)
class KeyRing:
    """Keys by id (``current`` seals, all of them open) and the key of the lookup hashes.

    A ring read from a file follows it: once another process put a new key on it, this one seals with that key, too, and
    opens what the others sealed.
    """

    current: str
    ciphers: Mapping[str, AESGCM] = field(repr=False)
    lookup: bytes = field(repr=False)
    _path: Path | None = field(default=None, repr=False, compare=False)
    _seen: tuple[int, int] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_json(cls, ring: Mapping[str, Any]) -> KeyRing:
        """Read ``{"current": id, "keys": {id: base64}, "lookup": base64}``; ValueError or KeyError if it is not."""
        ciphers = {name: AESGCM(base64.b64decode(key, validate=True)) for name, key in ring["keys"].items()}
        if ring["current"] not in ciphers:
            raise ValueError("the current key is not on the ring")
        return cls(ring["current"], ciphers, base64.b64decode(ring["lookup"], validate=True))

    @classmethod
    def of_file(cls, path: Path) -> KeyRing:
        """The ring in ``path``, followed; errors as ``from_json``."""
        seen = _mark(path)
        ring = cls.from_json(json.loads(path.read_text(encoding="utf-8")))
        ring._path, ring._seen = path, seen
        return ring

    def follow(self) -> None:
        """Take up what the file says by now. A file that cannot be read changes nothing: the keys at hand stay good."""
        if self._path is None or (seen := _mark(self._path)) is None or seen == self._seen:
            return
        try:
            ring = KeyRing.from_json(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return
        # The lookup key never changes: every person would be a stranger.
        if ring.lookup == self.lookup:
            self.ciphers, self.current, self._seen = ring.ciphers, ring.current, seen

    def seal(self, plain: bytes, context: str) -> bytes:
        """``plain`` sealed for ``context``: key id, nonce, ciphertext with its tag."""
        self.follow()
        nonce = os.urandom(12)
        name = self.current.encode()
        body = self.ciphers[self.current].encrypt(nonce, plain, context.encode())
        return bytes([len(name)]) + name + nonce + body

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed for ``context``; SealError if it was not, or was altered; ErasedError if nothing is left."""
        if not sealed:
            raise ErasedError("was erased when the time for which it is kept was over", place=context)
        end = 1 + sealed[0]
        name = sealed[1:end].decode(errors="replace")
        if name not in self.ciphers:
            self.follow()
        cipher = self.ciphers.get(name)
        if cipher is None:
            raise SealError("its key is not on the ring; restore the keys file", place=context)
        try:
            return cipher.decrypt(sealed[end : end + 12], sealed[end + 12 :], context.encode())
        except (InvalidTag, ValueError) as problem:
            raise SealError("does not open: it was altered or moved", place=context) from problem

    def lookup_hash(self, kind: str, value: str) -> str:
        """A keyed hash (HMAC-SHA-256, hex) by which ``value`` can be found but not read."""
        return hmac.new(self.lookup, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()


def _mark(path: Path) -> tuple[int, int] | None:
    """What tells one state of a file from the next; None if there is none. A ring is replaced, never written into."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
