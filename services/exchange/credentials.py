"""What is secret about an endpoint (密钥): the keys that sign, and what proves us to the receiver.

Keys overlap while they change: a new one signs beside the old until the overlap ends, so that a department can change
its side on any day between. Kept sealed as one JSON object (``models.Endpoint.secrets``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

import orjson

from services.errors import InputError
from services.exchange.connections import PLAIN, Access, ClientCertificate, ClientCredentials
from services.exchange.signatures import new_secret, new_signing_key, public_key
from services.sealing import KeyRing

HMAC, ED25519 = "v1", "v1a"
SCHEMES = (HMAC, ED25519)
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)
_PREFIXES = {HMAC: "whsec_", ED25519: "whsk_"}
_NEW = {HMAC: new_secret, ED25519: new_signing_key}


@dataclass(frozen=True, slots=True)
class TimedKey:
    """A key that signs, until the instant ``until`` if it has been replaced."""

    key: str = field(repr=False)
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """All that is secret about one endpoint.

    ``keys``: shared secrets and private ed25519 keys, the newest of a scheme first. ``their_keys``: public ed25519 keys
    with which the department may sign what it sends us, instead of the shared secret.
    """

    keys: tuple[TimedKey, ...] = ()
    their_keys: tuple[str, ...] = ()
    certificate: ClientCertificate | None = None
    oauth: ClientCredentials | None = None

    @classmethod
    def of(cls, keys: Iterable[str]) -> Credentials:
        """Credentials of nothing but signing keys."""
        return cls(tuple(TimedKey(key) for key in keys))

    def signing(self, now: datetime) -> tuple[str, ...]:
        """The keys that sign what is sent at ``now`` (wire time)."""
        return tuple(one.key for one in self.keys if one.until is None or now < one.until)

    def verifying(self, now: datetime) -> tuple[str, ...]:
        """The keys with which the department may have signed what comes in at ``now``."""
        shared = tuple(key for key in self.signing(now) if key.startswith(_PREFIXES[HMAC]))
        return (*shared, *self.their_keys)

    def public_keys(self, now: datetime) -> tuple[str, ...]:
        """The public keys (``whpk_``) of the ed25519 keys that sign at ``now``."""
        return tuple(public_key(key) for key in self.signing(now) if key.startswith(_PREFIXES[ED25519]))

    def access(self, authority: str | None) -> Access:
        """How the receiver is connected to; ``authority`` is its certificate authority (PEM) if it has its own."""
        if self.certificate is None and self.oauth is None and authority is None:
            return PLAIN
        return Access(authority, self.certificate, self.oauth)

    def rotated(self, scheme: str, now: datetime, overlap: timedelta = OVERLAP) -> tuple[Credentials, str]:
        """The same with a fresh key of ``scheme``, and that key. Those before it sign along until the overlap ends."""
        if scheme not in SCHEMES:
            raise InputError(f"must be one of {', '.join(SCHEMES)}", place="scheme")
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise InputError(f"must be 0 to {LONGEST_OVERLAP.days * 24} hours", place="overlap_hours")
        fresh, end = _NEW[scheme](), now + overlap
        kept = [
            replace(one, until=end if one.until is None else min(end, one.until))
            if one.key.startswith(_PREFIXES[scheme])
            else one
            for one in self.keys
        ]
        alive = (one for one in kept if one.until is None or now < one.until)
        return replace(self, keys=(TimedKey(fresh), *alive)), fresh

    def without(self, scheme: str) -> Credentials:
        """The same without the keys of ``scheme``; InputError if none would be left to sign."""
        kept = tuple(one for one in self.keys if not one.key.startswith(_PREFIXES[scheme]))
        if not kept:
            raise InputError("an endpoint needs one way to sign; add the other first", place="signing")
        return replace(self, keys=kept)

    def schemes(self) -> tuple[str, ...]:
        """The schemes with which messages are signed."""
        return tuple(s for s in SCHEMES if any(one.key.startswith(_PREFIXES[s]) for one in self.keys))


def seal_credentials(keys: KeyRing, department: str, credentials: Credentials) -> bytes:
    """``credentials`` sealed for the endpoint of ``department``."""
    return keys.seal(orjson.dumps(asdict(credentials)), _context(department))


def open_credentials(keys: KeyRing, department: str, sealed: bytes) -> Credentials:
    """What ``seal_credentials`` sealed. A bare list is read as signing keys without an end."""
    read = orjson.loads(keys.open(sealed, _context(department)))
    if isinstance(read, list):
        return Credentials.of(read)
    return Credentials(
        tuple(TimedKey(one["key"], one["until"] and datetime.fromisoformat(one["until"])) for one in read["keys"]),
        tuple(read["their_keys"]),
        read["certificate"] and ClientCertificate(**read["certificate"]),
        read["oauth"] and ClientCredentials(**read["oauth"]),
    )


def _context(department: str) -> str:
    return f"endpoint:{department}"
