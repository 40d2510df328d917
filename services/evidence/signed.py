"""Checks one signature of Standard Webhooks by itself, whatever its age: HMAC (``v1``) and ed25519 (``v1a``)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.errors import InputError

SECRET, PUBLIC, PRIVATE = "whsec_", "whpk_", "whsk_"


def carries_signature(header: str, signed: str, keys: Sequence[str]) -> bool:
    """Whether ``header`` (a ``webhook-signature``) has a signature of ``signed`` by one of ``keys``.

    ``keys``: ``whsec_`` secrets for HMAC, ``whpk_`` public or ``whsk_`` private keys for ed25519. InputError if one
    cannot be read.
    """
    content = signed.encode()
    pairs = [signature.partition(",") for signature in header.split()]
    return any(_fits(key, version, value, content) for key in keys for version, _, value in pairs)


def _fits(key: str, version: str, value: str, content: bytes) -> bool:
    raw = _raw(key)
    try:
        made = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    if key.startswith(SECRET):
        return version == "v1" and hmac.compare_digest(made, hmac.digest(raw, content, hashlib.sha256))
    if version != "v1a":
        return False
    public = _public(key, raw)
    try:
        public.verify(made, content)
    except InvalidSignature:
        return False
    return True


def _raw(key: str) -> bytes:
    prefix = next((one for one in (SECRET, PUBLIC, PRIVATE) if key.startswith(one)), None)
    try:
        if prefix is not None:
            return base64.b64decode(key.removeprefix(prefix), validate=True)
    except ValueError:
        pass
    raise InputError(f"must be {SECRET}… or {PUBLIC}… and Base64", place="key")


def _public(key: str, raw: bytes) -> Ed25519PublicKey:
    try:
        if key.startswith(PUBLIC):
            return Ed25519PublicKey.from_public_bytes(raw)
        # Some write the private key alone, some with the public one behind it.
        return Ed25519PrivateKey.from_private_bytes(raw[:32]).public_key()
    except ValueError:
        raise InputError("is no ed25519 key", place="key") from None
