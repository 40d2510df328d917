"""Signatures: the public package and we agree in both directions, and every fault has its own answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from services.errors import InputError
from services.exchange import signatures
from services.exchange.signatures import SignatureError, check_secret, new_secret, signature_headers, verify

SECRET, OTHER = new_secret(), new_secret()
NOW = datetime(2014, 11, 3, 2, 0, tzinfo=UTC)
BODY = '{"outcomes": [], "注": "中文"}'.encode()


def test_what_we_sign_the_public_package_verifies():
    at = datetime.now(timezone(timedelta(hours=8)))
    Webhook(SECRET).verify(BODY, signature_headers("m-1", BODY, [SECRET], at))


def test_what_the_public_package_signs_we_verify():
    headers = {
        "Webhook-Id": "cb-1",
        "Webhook-Timestamp": str(int(NOW.timestamp())),
        "Webhook-Signature": Webhook(SECRET).sign("cb-1", NOW, BODY.decode()),
    }
    assert verify(headers, BODY, [SECRET], NOW) == "cb-1"


def test_while_secrets_overlap_both_sign_and_either_passes():
    headers = signature_headers("m-1", BODY, [SECRET, OTHER], NOW)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secrets in ([SECRET], [OTHER], [OTHER, SECRET]):
        assert verify(headers, BODY, secrets, NOW) == "m-1"
    assert verify(signature_headers("m-1", BODY, [OTHER], NOW), BODY, [SECRET, OTHER], NOW) == "m-1"


def test_signatures_of_other_kinds_are_passed_over():
    headers = signature_headers("m-1", BODY, [SECRET], NOW)
    headers["webhook-signature"] = f"v1a,AAAA {headers['webhook-signature']}"
    assert verify(headers, BODY, [SECRET], NOW) == "m-1"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(name):
    headers = signature_headers("m-1", BODY, [SECRET], NOW)
    for value in (None, "", "  "):
        spoilt = {k: v for k, v in headers.items() if k != name} | ({} if value is None else {name: value})
        with pytest.raises(InputError, match="is missing") as refused:
            verify(spoilt, BODY, [SECRET], NOW)
        assert refused.value.place == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "a b"),
        ("webhook-id", "x" * 129),
        ("webhook-id", "件"),
        ("webhook-timestamp", "now"),
        ("webhook-timestamp", "1414980000.5"),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "١٤١٤٩٨٠٠٠٠"),
        ("webhook-timestamp", "9" * 40),
        ("webhook-signature", " ".join(["v1,AAAA"] * 17)),
    ],
)
def test_a_header_that_cannot_be_read_is_named(name, value):
    headers = signature_headers("m-1", BODY, [SECRET], NOW) | {name: value}
    with pytest.raises(InputError) as refused:
        verify(headers, BODY, [SECRET], NOW)
    assert refused.value.place == name


@pytest.mark.parametrize("signature", ["v1,", "v1", ",", "v1,not base64", "v2,AAAA", "v1,AAAA", "签名"])
def test_a_signature_that_fits_nothing_is_wrong(signature):
    headers = signature_headers("m-1", BODY, [SECRET], NOW) | {"webhook-signature": signature}
    with pytest.raises(SignatureError) as refused:
        verify(headers, BODY, [SECRET], NOW)
    assert (refused.value.code, refused.value.status) == ("signature-wrong", 401)


def test_a_strangers_key_and_no_key_are_wrong():
    headers = signature_headers("m-1", BODY, [OTHER], NOW)
    for secrets in ([SECRET], []):
        with pytest.raises(SignatureError, match="fits no secret"):
            verify(headers, BODY, secrets, NOW)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_any_altered_byte_is_found(position, change):
    headers = signature_headers("m-1", BODY, [SECRET], NOW)
    altered = BODY[:position] + bytes([BODY[position] ^ change]) + BODY[position + 1 :]
    with pytest.raises((SignatureError, InputError)) as refused:
        verify(headers, altered, [SECRET], NOW)
    assert refused.value.place in ("webhook-signature", "body")


def test_the_id_and_the_time_are_signed_too():
    headers = signature_headers("m-1", BODY, [SECRET], NOW)
    for spoilt in ({"webhook-id": "m-2"}, {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}):
        with pytest.raises(SignatureError, match="fits no secret"):
            verify(headers | spoilt, BODY, [SECRET], NOW)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(301, "signature-too-old"), (300, None), (0, None), (-300, None), (-301, "signature-in-future")],
)
def test_five_minutes_either_way(seconds, code):
    headers = signature_headers("m-1", BODY, [SECRET], NOW)
    received_at = NOW + timedelta(seconds=seconds)
    if code is None:
        assert verify(headers, BODY, [SECRET], received_at) == "m-1"
        return
    with pytest.raises(SignatureError) as refused:
        verify(headers, BODY, [SECRET], received_at)
    assert refused.value.code == code
    assert refused.value.place == "webhook-timestamp"


def test_a_stranger_learns_nothing_of_our_clock():
    headers = signature_headers("m-1", BODY, [OTHER], NOW)
    with pytest.raises(SignatureError) as refused:
        verify(headers, BODY, [SECRET], NOW + timedelta(days=1))
    assert refused.value.code == "signature-wrong"


def test_nothing_is_sent_unsigned():
    with pytest.raises(InputError, match="no signing secret"):
        signature_headers("m-1", BODY, [], NOW)


def test_new_secrets_are_good_and_never_the_same():
    check_secret(new_secret())
    assert len({new_secret() for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_AAAA", SECRET.removeprefix("whsec_"), SECRET + "!", "whsec_密"],
    ids=["empty", "no key", "short", "no prefix", "not base64", "not ascii"],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret):
    with pytest.raises(InputError) as refused:
        check_secret(secret, place="endpoint.secrets[0]")
    assert refused.value.place == "endpoint.secrets[0]"
    assert SECRET.removeprefix("whsec_") not in str(refused.value)


def test_ed25519_beside_hmac():
    secret, key = signatures.new_secret(), signatures.new_signing_key()
    at = datetime.now(UTC)
    headers = signatures.signature_headers("m-1", '{"名":1}'.encode(), [secret, key], at)
    versions = [one.partition(",")[0] for one in headers["webhook-signature"].split()]
    assert versions == ["v1", "v1a"]
    for holder in (secret, signatures.public_key(key)):
        assert signatures.verify(headers, '{"名":1}'.encode(), [holder], at) == "m-1"
    # The public package passes over what it does not know.
    Webhook(secret).verify('{"名":1}'.encode(), headers)


@pytest.mark.parametrize("change", ["body", "id", "key", "version", "garbage"])
def test_an_ed25519_signature_fits_one_message_and_one_key(change: str):
    key, at = signatures.new_signing_key(), datetime.now(UTC)
    public, body = signatures.public_key(key), b"{}"
    headers = signatures.signature_headers("m-1", body, [key], at)
    if change == "body":
        body = b"{} "
    elif change == "id":
        headers["webhook-id"] = "m-2"
    elif change == "key":
        public = signatures.public_key(signatures.new_signing_key())
    elif change == "version":
        headers["webhook-signature"] = headers["webhook-signature"].replace("v1a,", "v1,")
    else:
        headers["webhook-signature"] = "v1a,!!! v1a v1a,AAAA"
    with pytest.raises(signatures.SignatureError) as refused:
        signatures.verify(headers, body, [public], at)
    assert refused.value.code == "signature-wrong"


@pytest.mark.parametrize("key", ["", "whpk_", "whpk_AAAA", "whsec_" + "A" * 43 + "=", "whpk_" + "ü" * 44])
def test_a_public_key_must_be_one(key: str):
    with pytest.raises(InputError, match="public_key"):
        signatures.check_public_key(key)
    signatures.check_public_key(signatures.public_key(signatures.new_signing_key()))
