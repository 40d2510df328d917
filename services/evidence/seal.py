"""The installation's seal (封签) on a bundle: an ed25519 signature whose private key comes from the key ring.

The key is derived, not stored: whoever keeps the ring keeps the seal. Its public half is printed by ``lianban evidence
key`` and should be noted where nobody of the installation can change it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.sealing import KeyRing

ALGORITHM = "ed25519"


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal of one installation. ``public_key`` is 32 bytes in hex."""

    _private: Ed25519PrivateKey

    @classmethod
    def of(cls, keys: KeyRing) -> Seal:
        """The seal that goes with a key ring. It outlives the rotation of sealing keys."""
        return cls(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(keys.lookup_hash("evidence-seal", ALGORITHM))))

    @property
    def public_key(self) -> str:
        """The public key in hex."""
        return self._private.public_key().public_bytes_raw().hex()

    def sign(self, content: bytes) -> str:
        """The signature of ``content`` in hex."""
        return self._private.sign(content).hex()


def seal_holds(public_key: str, signature: str, content: bytes) -> bool:
    """Whether ``signature`` (hex, in small letters) over ``content`` was made with the key ``public_key``."""
    try:
        key, made = bytes.fromhex(public_key), bytes.fromhex(signature)
        # Hex has two spellings of a letter; only the one that we write is taken, so that no byte may differ.
        if key.hex() != public_key or made.hex() != signature:
            return False
        Ed25519PublicKey.from_public_bytes(key).verify(made, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public_key: str) -> str:
    """The first 16 hex digits of the key's SHA-256, in groups of four: short enough to be read out."""
    digest = hashlib.sha256(public_key.encode()).hexdigest()[:16]
    return " ".join(digest[at : at + 4] for at in range(0, 16, 4))
