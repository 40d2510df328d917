"""How a receiver is connected to, beyond its address: its own certificate authority, our client certificate, and the
OAuth2 client credentials with which we ask for a token.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from services.errors import InputError

MAX_PEM = 20_000


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A client certificate (PEM, with its chain) and its private key (PEM, not encrypted), for mutual TLS."""

    chain: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An OAuth2 client (RFC 6749, 4.4): a token is asked for at ``token_url`` and borne in ``Authorization``."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """How one endpoint is connected to. ``authority`` (PEM) takes the place of the authorities of the system."""

    authority: str | None = None
    certificate: ClientCertificate | None = None
    oauth: ClientCredentials | None = None


PLAIN = Access()


def check_authority(pem: str, place: str = "certificate_authority") -> None:
    """InputError unless ``pem`` is one certificate or several."""
    if len(pem) > MAX_PEM:
        raise InputError(f"is longer than {MAX_PEM} characters", place=place)
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise InputError("is no certificate in PEM", place=place) from None


def check_certificate(certificate: ClientCertificate, place: str = "client_certificate") -> None:
    """InputError unless certificate and key are readable PEM and belong together."""
    check_authority(certificate.chain, f"{place}.chain")
    if len(certificate.key) > MAX_PEM:
        raise InputError(f"is longer than {MAX_PEM} characters", place=f"{place}.key")
    try:
        key = load_pem_private_key(certificate.key.encode(), None)
    except (ValueError, TypeError):
        raise InputError("is no private key in PEM without a password", place=f"{place}.key") from None
    first = x509.load_pem_x509_certificates(certificate.chain.encode())[0]
    if key.public_key() != first.public_key():
        raise InputError("does not belong to the first certificate of the chain", place=f"{place}.key")


@lru_cache(maxsize=64)
def tls_context(authority: str | None, certificate: ClientCertificate | None) -> ssl.SSLContext:
    """The TLS of one endpoint: TLS 1.2 or newer, the receiver's name always checked."""
    context = ssl.create_default_context(cadata=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        # OpenSSL reads keys from files only. The file is encrypted with a password nobody else ever has.
        password = secrets.token_bytes(32).hex().encode()
        key = load_pem_private_key(certificate.key.encode(), None)
        locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password))
        with tempfile.TemporaryDirectory(prefix="lianban-tls-") as folder:
            chain_file, key_file = Path(folder) / "chain.pem", Path(folder) / "key.pem"
            chain_file.write_text(certificate.chain, encoding="ascii")
            key_file.write_bytes(locked)
            context.load_cert_chain(chain_file, key_file, password)
    return context
