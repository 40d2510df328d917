"""Registering an endpoint: how a department takes its steps, judged before anything is ever sent there.

What is registered to be pushed to is a draft until its trial is passed (``trial``). Secrets are shown by the call that
makes them, and never again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Row, select, update

from models import Door, Endpoint, EndpointState
from services.casework.splitting import split_standing
from services.database import Transaction, is_postgresql, table
from services.errors import ConflictError, InputError, NotFoundError
from services.exchange.connections import ClientCertificate, ClientCredentials, check_authority, check_certificate
from services.exchange.credentials import (
    ED25519,
    HMAC,
    OVERLAP,
    SCHEMES,
    Credentials,
    open_credentials,
    seal_credentials,
)
from services.exchange.signatures import check_public_key, public_key
from services.house import House
from services.ledger.holding import offer_again

_ENDPOINTS = table(Endpoint)
MAX_THEIR_KEYS = 4


class Keep(Enum):
    """Said of a secret that is to stay as it is."""

    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Registration:
    """How a department wants its steps (``models.Endpoint``). ``signing``: schemes with which we sign; ``their_keys``:
    public ed25519 keys with which it signs. A certificate or OAuth2 client that is ``KEEP`` stays as it stands.
    """

    department: str
    door: Door = Door.PUSH
    url: str | None = None
    signing: tuple[str, ...] = (HMAC,)
    their_keys: tuple[str, ...] = ()
    batch_size: int = 1
    concurrency: int = 8
    timeout_seconds: float = 15.0
    rate_per_second: float | None = None
    services: tuple[str, ...] | None = None
    districts: tuple[str, ...] | None = None
    fallback: Door | None = None
    fallback_hours: int = 24
    drain_per_second: float = 20.0
    certificate_authority: str | None = None
    certificate: ClientCertificate | Keep | None = Keep.KEEP
    oauth: ClientCredentials | Keep | None = Keep.KEEP


@dataclass(frozen=True, slots=True)
class Registered:
    """What came of it. ``shown``: by scheme, what is shown this once: the shared secret (``whsec_``), or the public
    key (``whpk_``) of ours; only those that are new.
    """

    department: str
    state: EndpointState
    new: bool
    shown: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rotated:
    """A fresh key, shown once; those before it sign along until ``overlaps_until`` (wire time)."""

    scheme: str
    shown: str = field(repr=False)
    overlaps_until: datetime


async def register(house: House, registration: Registration, actor: str) -> Registered:
    """Register an endpoint, or change how it is connected; InputError names what does not hold, and why.

    A new address, certificate or client is tried anew before anything goes there; meanwhile its steps wait.
    """
    await _check(house, registration)
    department = registration.department
    async with house.database.write(actor) as transaction:
        row = await locked_row(transaction, department)
        now = house.database.clock.now()
        standing = Credentials() if row is None else open_credentials(house.keys, department, row.secrets)
        credentials, shown = _credentials(standing, registration, now)
        state = _state(
            row, registration, (credentials.certificate, credentials.oauth) != (standing.certificate, standing.oauth)
        )
        values = _values(registration) | {
            "secrets": seal_credentials(house.keys, department, credentials),
            "state": state,
            "because": None if row is None or state is not row.state else row.because,
        }
        if row is None:
            await transaction.insert(Endpoint, [{"department": department, **values}])
        else:
            mine = _ENDPOINTS.c.department == department
            await transaction.connection.execute(update(_ENDPOINTS).where(mine).values(values))
            # What the old filters left to the inbox may be for the new endpoint to take.
            await offer_again(transaction, department, now)
        transaction.note(
            "endpoint.registered",
            department,
            door=registration.door.value,
            url=registration.url,
            state=state.value,
            signing=list(credentials.schemes()),
            batch_size=registration.batch_size,
        )
    # What waits for the department, as planned under the old filter.
    await split_standing(house.database, department, actor)
    return Registered(department, state, row is None, shown)


async def rotate(
    house: House, department: str, actor: str, *, scheme: str = HMAC, overlap: timedelta = OVERLAP
) -> Rotated:
    """Give the endpoint a fresh key of ``scheme``; until the overlap ends, messages bear both signatures."""
    async with house.database.write(actor) as transaction:
        row = await locked_row(transaction, department)
        if row is None:
            raise NotFoundError("no such department is connected", place="department")
        now = house.database.clock.now()
        credentials, key = open_credentials(house.keys, department, row.secrets).rotated(scheme, now, overlap)
        await transaction.connection.execute(
            update(_ENDPOINTS)
            .where(_ENDPOINTS.c.department == department)
            .values(secrets=seal_credentials(house.keys, department, credentials))
        )
        transaction.note(
            "endpoint.rotated", department, scheme=scheme, overlap_hours=round(overlap / timedelta(hours=1))
        )
    return Rotated(scheme, _shown(scheme, key), now + overlap)


async def locked_row(transaction: Transaction, department: str) -> Row[Any] | None:
    """The row of an endpoint, so that nobody else changes it before this transaction ends."""
    query = select(_ENDPOINTS).where(_ENDPOINTS.c.department == department)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    return (await transaction.connection.execute(query)).one_or_none()


def check_department(house: House, department: str) -> None:
    """NotFoundError unless some pack knows the department."""
    if not any(department in pack.departments for pack in house.packs.packs):
        raise NotFoundError("no policy knows this department; see the list of policies", place="department")


async def _check(house: House, registration: Registration) -> None:
    check_department(house, registration.department)
    if registration.door is Door.PUSH:
        if registration.url is None:
            raise InputError("is missing; a push needs an address", place="endpoint.url")
        await house.guard.check(registration.url)
    elif registration.url is not None:
        raise InputError("goes with the door `push` only", place="endpoint.url")
    if registration.fallback in (registration.door, Door.PUSH):
        raise InputError("must be another door than the first: poll or inbox", place="endpoint.fallback")
    _check_keys(registration)
    if registration.certificate_authority is not None:
        check_authority(registration.certificate_authority, "endpoint.certificate_authority")
    if isinstance(registration.certificate, ClientCertificate):
        check_certificate(registration.certificate, "endpoint.client_certificate")
    if isinstance(registration.oauth, ClientCredentials):
        await house.guard.check(registration.oauth.token_url, "endpoint.oauth.token_url")
    _check_filters(house, registration)


def _check_keys(registration: Registration) -> None:
    if not registration.signing or not set(registration.signing) <= set(SCHEMES):
        raise InputError(f"must be one or both of {', '.join(SCHEMES)}", place="endpoint.signing")
    if len(registration.their_keys) > MAX_THEIR_KEYS:
        raise InputError(f"has more than {MAX_THEIR_KEYS} keys", place="endpoint.public_keys")
    for position, key in enumerate(registration.their_keys):
        check_public_key(key, f"endpoint.public_keys[{position}]")
    if HMAC not in registration.signing and not registration.their_keys:
        raise InputError(
            "give the department's own public key, or sign with v1 too: it has nothing to sign call-backs with",
            place="endpoint.public_keys",
        )


def _check_filters(house: House, registration: Registration) -> None:
    packs = house.packs.packs
    for district in registration.districts or ():
        if not any(district in pack.districts for pack in packs):
            raise InputError("names a district that no policy knows", place="endpoint.districts")
    for service in registration.services or ():
        if not any(service in pack.services for pack in packs):
            raise InputError("names a service that no policy knows", place="endpoint.services")


def _credentials(
    standing: Credentials, registration: Registration, now: datetime
) -> tuple[Credentials, Mapping[str, str]]:
    """The credentials as registered, and what of them is new and to be shown."""
    shown: dict[str, str] = {}
    changed = replace(standing, their_keys=registration.their_keys)
    for scheme in registration.signing:
        if scheme not in changed.schemes():
            changed, key = changed.rotated(scheme, now)
            shown[scheme] = _shown(scheme, key)
    for scheme in set(changed.schemes()) - set(registration.signing):
        changed = changed.without(scheme)
    if registration.certificate is not Keep.KEEP:
        changed = replace(changed, certificate=registration.certificate)
    if registration.oauth is not Keep.KEEP:
        changed = replace(changed, oauth=registration.oauth)
    return changed, shown


def _shown(scheme: str, key: str) -> str:
    # A private key of ours is nobody else's matter.
    return public_key(key) if scheme == ED25519 else key


def _state(row: Row[Any] | None, registration: Registration, other_credentials: bool) -> EndpointState:
    if registration.door is not Door.PUSH:
        return EndpointState.OPEN
    if row is None or row.door is not Door.PUSH or row.state is EndpointState.CLOSED or other_credentials:
        return EndpointState.DRAFT
    same = (row.url, row.certificate_authority) == (registration.url, registration.certificate_authority)
    return EndpointState(row.state) if same else EndpointState.DRAFT


def _values(registration: Registration) -> dict[str, Any]:
    return {
        "door": registration.door,
        "url": registration.url,
        "batch_size": registration.batch_size,
        "concurrency": registration.concurrency,
        "timeout_seconds": registration.timeout_seconds,
        "rate_per_second": registration.rate_per_second,
        "services": None if registration.services is None else list(registration.services),
        "districts": None if registration.districts is None else list(registration.districts),
        "fallback": registration.fallback,
        "fallback_hours": registration.fallback_hours,
        "drain_per_second": registration.drain_per_second,
        "certificate_authority": registration.certificate_authority,
    }


async def close(house: House, department: str, actor: str, because: str) -> None:
    """Close the endpoint by hand: nothing is sent there until a trial is passed again. ConflictError if it is closed
    already.
    """
    async with house.database.write(actor) as transaction:
        row = await locked_row(transaction, department)
        if row is None:
            raise NotFoundError("no such department is connected", place="department")
        if row.state is EndpointState.CLOSED:
            raise ConflictError("is closed already", place="endpoint.state")
        await transaction.connection.execute(
            update(_ENDPOINTS)
            .where(_ENDPOINTS.c.department == department)
            .values(state=EndpointState.CLOSED, because=because)
        )
        transaction.note("endpoint.closed", department, because=because)
