"""A key ring sealed by a passphrase: scrypt makes the key, AES-256-GCM seals."""

from __future__ import annotations

import base64
import hashlib
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.errors import InputError
from services.sealing import KeyRing

MIN_LENGTH = 12
_CONTEXT = b"lianban-keys/1"
# 64 MB and some tenths of a second a guess.
_COST = {"n": 1 << 16, "r": 8, "p": 1}


def seal_keys(ring: bytes, passphrase: str) -> bytes:
    """``ring`` (the key ring's JSON) sealed; InputError if the passphrase has fewer than 12 characters."""
    if len(passphrase) < MIN_LENGTH:
        raise InputError(f"must have at least {MIN_LENGTH} characters", place="passphrase")
    salt, nonce = os.urandom(16), os.urandom(12)
    body = AESGCM(_key(passphrase, salt)).encrypt(nonce, ring, _CONTEXT)
    parts = {"salt": salt, "nonce": nonce, "body": body}
    return json.dumps({name: base64.b64encode(part).decode() for name, part in parts.items()}).encode()


def unseal_keys(sealed: bytes, passphrase: str) -> bytes:
    """The key ring that :func:`seal_keys` sealed; InputError if the passphrase is another, or it was altered."""
    try:
        parts = {name: base64.b64decode(part, validate=True) for name, part in json.loads(sealed).items()}
        ring = AESGCM(_key(passphrase, parts["salt"])).decrypt(parts["nonce"], parts["body"], _CONTEXT)
        KeyRing.from_json(json.loads(ring))
    except (InvalidTag, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise InputError(
            "does not open the keys: it is another one, or they were altered", place="passphrase"
        ) from problem
    return ring


def _key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, dklen=32, maxmem=128 * 1024 * 1024, **_COST)
