"""Keys overlap while they change, and come back from the seal as they went in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.errors import InputError
from services.exchange.connections import ClientCertificate, ClientCredentials
from services.exchange.credentials import ED25519, HMAC, Credentials, open_credentials, seal_credentials
from services.exchange.signatures import new_secret, new_signing_key, public_key, signature_headers, verify
from services.sealing import KeyRing, SealError, new_key

NOW = datetime(2014, 11, 3, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.from_json({"current": "k1", "keys": {"k1": new_key()}, "lookup": new_key()})


def test_both_keys_sign_until_the_overlap_ends():
    old = new_secret()
    credentials, fresh = Credentials.of([old]).rotated(HMAC, NOW, 24 * HOUR)
    assert credentials.signing(NOW + 23 * HOUR) == (fresh, old)
    assert credentials.signing(NOW + 24 * HOUR) == (fresh,)
    headers = signature_headers("m", b"{}", credentials.signing(NOW), NOW)
    assert verify(headers, b"{}", [old], NOW) == verify(headers, b"{}", [fresh], NOW) == "m"
    assert len(headers["webhook-signature"].split()) == 2


def test_a_second_rotation_does_not_lengthen_the_first_overlap():
    first, _ = Credentials.of([new_secret()]).rotated(HMAC, NOW, 2 * HOUR)
    second, _ = first.rotated(HMAC, NOW + HOUR, 24 * HOUR)
    assert len(second.signing(NOW + HOUR)) == 3
    assert len(second.signing(NOW + 2 * HOUR)) == 2
    third, only = second.rotated(HMAC, NOW + 30 * HOUR, timedelta(0))
    assert third.signing(NOW + 30 * HOUR) == (only,)


def test_one_scheme_changes_and_the_other_stays():
    secret = new_secret()
    both, key = Credentials.of([secret]).rotated(ED25519, NOW)
    assert both.schemes() == (HMAC, ED25519)
    assert both.public_keys(NOW) == (public_key(key),)
    assert both.without(HMAC).signing(NOW) == (key,)
    with pytest.raises(InputError, match="one way to sign"):
        both.without(HMAC).without(ED25519)
    with pytest.raises(InputError, match="overlap_hours"):
        both.rotated(HMAC, NOW, timedelta(days=31))


def test_what_comes_in_is_verified_by_shared_secrets_and_their_public_keys_only():
    theirs, ours, secret = new_signing_key(), new_signing_key(), new_secret()
    credentials = Credentials.of([secret, ours])
    assert credentials.verifying(NOW) == (secret,)
    credentials = Credentials(credentials.keys, (public_key(theirs),))
    assert credentials.verifying(NOW) == (secret, public_key(theirs))


def test_sealed_and_opened_again(ring: KeyRing):
    credentials, _ = Credentials(
        (),
        (public_key(new_signing_key()),),
        ClientCertificate("chain", "key"),
        ClientCredentials("https://token.example", "lianban", "secret", "hooks"),
    ).rotated(HMAC, NOW)
    credentials, _ = credentials.rotated(HMAC, NOW)
    sealed = seal_credentials(ring, "hrss", credentials)
    assert open_credentials(ring, "hrss", sealed) == credentials
    with pytest.raises(SealError):
        open_credentials(ring, "police", sealed)


def test_nothing_secret_shows():
    credentials = Credentials(
        Credentials.of([new_secret()]).keys,
        certificate=ClientCertificate("chain", "VERY-PRIVATE"),
        oauth=ClientCredentials("https://token.example", "lianban", "VERY-SECRET"),
    )
    shown = repr(credentials)
    assert "whsec_" not in shown
    assert "VERY" not in shown
