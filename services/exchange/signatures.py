"""Standard Webhooks signatures, made for what we send and checked on what comes in.

A key tells its scheme by its prefix: ``whsec_`` a shared secret (HMAC-SHA-256, ``v1``), ``whsk_`` a private and
``whpk_`` a public ed25519 key (``v1a``). While two keys overlap, a message bears one signature of each, and an incoming
one passes with either. Time here is wire time: the other side compares it with its own clock.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets as randomness
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.errors import AccessError, InputError

ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = timedelta(minutes=5)
MAX_ID = 128
MAX_SIGNATURES = 16
_PREFIX, _PRIVATE, _PUBLIC = "whsec_", "whsk_", "whpk_"
_SEED = 32


class SignatureError(AccessError):
    """A message whose sender is not proven. ``code``: signature-wrong, signature-too-old, signature-in-future."""

    status = 401

    def __init__(self, detail: str, code: str, place: str) -> None:
        super().__init__(detail, place=place)
        self.code = code


def new_secret() -> str:
    """A fresh signing secret: ``whsec_`` and 32 random bytes in Base64."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def check_secret(secret: str, place: str = "secret") -> None:
    """InputError unless ``secret`` is ``whsec_`` and 24 to 64 bytes in Base64, as Standard Webhooks asks."""
    try:
        size = len(base64.b64decode(secret.removeprefix(_PREFIX), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not secret.startswith(_PREFIX) or not 24 <= size <= 64:
        raise InputError(f"must be {_PREFIX} and 24 to 64 bytes in Base64", place=place)


def new_signing_key() -> str:
    """A fresh ed25519 private key: ``whsk_`` and its 32 bytes in Base64. It never leaves this installation."""
    return _PRIVATE + base64.b64encode(randomness.token_bytes(_SEED)).decode()


def public_key(signing_key: str) -> str:
    """The public key (``whpk_``) with which a receiver verifies what ``signing_key`` signed."""
    return _PUBLIC + base64.b64encode(_signing_key(signing_key).public_key().public_bytes_raw()).decode()


def check_public_key(key: str, place: str = "public_key") -> None:
    """InputError unless ``key`` is ``whpk_`` and the 32 bytes of an ed25519 public key in Base64."""
    try:
        size = len(base64.b64decode(key.removeprefix(_PUBLIC), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not key.startswith(_PUBLIC) or size != _SEED:
        raise InputError(f"must be {_PUBLIC} and the 32 bytes of an ed25519 public key in Base64", place=place)


@lru_cache(maxsize=512)
def _shared_key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX))


@lru_cache(maxsize=512)
def _signing_key(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(key.removeprefix(_PRIVATE)))


@lru_cache(maxsize=512)
def _public_key(key: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix(_PUBLIC)))


def _signed(message_id: str, at: datetime, body: bytes) -> bytes:
    return f"{message_id}.{int(at.timestamp())}.".encode() + body


def _sign(secrets: Iterable[str], content: bytes) -> list[str]:
    """A signature of ``content`` with each of ``secrets``, each as the package ``standardwebhooks`` would make it."""
    return [
        "v1a," + base64.b64encode(_signing_key(key).sign(content)).decode()
        if key.startswith(_PRIVATE)
        else "v1," + base64.b64encode(hmac.digest(_shared_key(key), content, "sha256")).decode()
        for key in secrets
    ]


def signature_headers(message_id: str, body: bytes, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    """The three headers of a message sent at the aware instant ``at``, one signature for each of ``secrets``, which
    are shared secrets and private ed25519 keys.
    """
    if not secrets:
        raise InputError("has no signing secret; make one first", place="endpoint.secrets")
    return {
        ID_HEADER: message_id,
        TIME_HEADER: str(int(at.timestamp())),
        SIGNATURE_HEADER: " ".join(_sign(secrets, _signed(message_id, at, body))),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> str:
    """The ``webhook-id`` of a message signed with one of ``secrets`` (shared secrets and public ed25519 keys) within
    ``tolerance`` of ``now``.

    InputError names a header that is missing or cannot be read; SignatureError says that the sender is not proven.
    Age is judged only once the signature is, so that a stranger learns nothing of our clock.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id = _header(given, ID_HEADER)
    if len(message_id) > MAX_ID or not (message_id.isascii() and message_id.isprintable()) or " " in message_id:
        raise InputError(f"must be 1 to {MAX_ID} ASCII characters without spaces", place=ID_HEADER)
    sent = _instant(_header(given, TIME_HEADER))
    signatures = _header(given, SIGNATURE_HEADER).split(" ")
    if len(signatures) > MAX_SIGNATURES:
        raise InputError(f"has more than {MAX_SIGNATURES} signatures", place=SIGNATURE_HEADER)
    try:
        body.decode()
    except UnicodeDecodeError:
        raise InputError("is not UTF-8", place="body") from None
    content = _signed(message_id, sent, body)
    shared = [secret for secret in secrets if not secret.startswith(_PUBLIC)]
    expected = [signature.encode() for signature in _sign(shared, content)]
    # Every pair is compared, whichever fits, so that the time taken tells nothing of the secrets.
    matches = [
        hmac.compare_digest(signature.encode(errors="replace"), wanted)
        for signature in signatures
        for wanted in expected
    ]
    keys = [_public_key(key) for key in secrets if key.startswith(_PUBLIC)]
    matches += [_fits(key, signature, content) for key in keys for signature in signatures]
    if not any(matches):
        raise SignatureError(
            "fits no secret of this endpoint; sign `id.timestamp.body` as sent, with the current secret",
            "signature-wrong",
            SIGNATURE_HEADER,
        )
    if sent < now - tolerance:
        raise SignatureError(
            "is too old; sign each try anew and set the clock by NTP", "signature-too-old", TIME_HEADER
        )
    if sent > now + tolerance:
        raise SignatureError("lies in the future; set the clock by NTP", "signature-in-future", TIME_HEADER)
    return message_id


def _fits(key: Ed25519PublicKey, signature: str, content: bytes) -> bool:
    version, _, encoded = signature.partition(",")
    if version != "v1a":
        return False
    try:
        key.verify(base64.b64decode(encoded, validate=True), content)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _header(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "").strip()
    if not value:
        raise InputError("is missing; sign the message by Standard Webhooks", place=name)
    return value


def _instant(text: str) -> datetime:
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise InputError("must be whole seconds since 1970 in UTC", place=TIME_HEADER)
    return datetime.fromtimestamp(int(text), UTC)
