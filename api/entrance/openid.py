"""Signing in by OpenID Connect: to the identity provider and back.

What the browser is to bring back is sealed into a cookie of ten minutes. That one is sent on the way back from the
provider's site (``SameSite=Lax``); it opens nothing.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import ssl
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

import httpx
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access import GuardedPage
from api.entrance.answers import onward
from api.entrance.pages import set_session_cookie
from api.entrance.paths import own_path
from api.guard import is_https, session_cookie, source_of
from api.state import TheDoors, doors_of
from services.access.openid.arrival import NotWelcomeError, arrive, note_refusal
from services.access.openid.provider import Client, Provider, TokenRefusedError
from services.errors import NotFoundError
from services.house import House
from services.sealing import SealError
from services.settings import Settings

router = APIRouter(route_class=GuardedPage, include_in_schema=False)
CALLBACK: Final = "/sign-in/openid/callback"
_SECONDS: Final = 600
_TIMEOUT: Final = 10.0
_CONTEXT: Final = "openid-flow"
_Answer = Annotated[str, Query(max_length=4_000)]


@dataclass(frozen=True, slots=True)
class _Flow:
    """One sign-in under way. ``until``: seconds since 1970 (wire time)."""

    state: str
    nonce: str
    verifier: str
    wanted: str
    until: int


@router.get("/sign-in/openid")
async def sign_in_openid(request: Request, doors: TheDoors, next: str = "") -> Response:  # noqa: A002 - as the address has it
    """Send the browser to the identity provider."""
    provider, house = _provider(request), doors.house
    now = house.database.clock.now()
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
    flow = _Flow(state, nonce, verifier, own_path(next), int(now.timestamp()) + _SECONDS)
    address = await provider.address(now, state=state, nonce=nonce, verifier=verifier)
    answer = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    sealed = house.keys.seal(json.dumps(asdict(flow)).encode(), _CONTEXT)
    answer.set_cookie(
        _flow_cookie(house.settings),
        base64.urlsafe_b64encode(sealed).decode(),
        max_age=_SECONDS,
        **_flow_cookie_terms(house.settings),
    )
    return answer


@router.get(CALLBACK)
async def openid_callback(
    request: Request, doors: TheDoors, code: _Answer = "", state: _Answer = "", iss: _Answer = "", error: _Answer = ""
) -> Response:
    """Let in whom the identity provider sends back."""
    provider, house = _provider(request), doors.house
    try:
        flow = _flow(request, house)
        if not code or error:
            raise TokenRefusedError("the provider let nobody in")
        if not hmac.compare_digest(state.encode(), flow.state.encode()):
            raise TokenRefusedError("another sign-in's answer (state)")
        if iss not in ("", provider.client.issuer):
            raise TokenRefusedError("another provider's answer (iss)")
        now = house.database.clock.now()
        claims = await provider.claims(now, code=code, nonce=flow.nonce, verifier=flow.verifier)
        agent = request.headers.get("user-agent", "")
        came = await arrive(house, claims, source=source_of(request), agent=agent)
    except TokenRefusedError as problem:
        await note_refusal(house, problem.why, source_of(request))
        raise
    except NotWelcomeError as problem:
        await note_refusal(house, problem.code, source_of(request))
        raise
    # Redirected from another site's page the browser would keep the new cookie back; from a page of ours it does not.
    answer = onward(request, flow.wanted)
    answer.delete_cookie(_flow_cookie(house.settings), **_flow_cookie_terms(house.settings))
    set_session_cookie(answer, house.settings, came.token)
    return answer


def provider_of(settings: Settings) -> Provider | None:
    """The identity provider that the settings name, if they name one."""
    if not settings.oidc_issuer:
        return None
    client = Client(
        settings.oidc_issuer.rstrip("/"),
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        settings.public_url.rstrip("/") + CALLBACK,
    )
    trusted = ssl.create_default_context(cafile=settings.oidc_ca_file)
    return Provider(client, httpx.AsyncClient(verify=trusted, trust_env=False, timeout=_TIMEOUT))


def _provider(request: Request) -> Provider:
    provider = doors_of(request).openid
    if provider is None:
        raise NotFoundError("no identity provider is connected; sign in with name and password", place="sign-in")
    return provider


def _flow(request: Request, house: House) -> _Flow:
    """The sign-in that this browser began; TokenRefusedError if it began none, or too long ago."""
    kept = request.cookies.get(_flow_cookie(house.settings), "")
    try:
        flow = _Flow(**json.loads(house.keys.open(base64.urlsafe_b64decode(kept), _CONTEXT)))
    except (SealError, NotFoundError, ValueError, TypeError):
        raise TokenRefusedError("this browser began no sign-in") from None
    if flow.until < house.database.clock.now().timestamp():
        raise TokenRefusedError("the sign-in took too long")
    return flow


def _flow_cookie(settings: Settings) -> str:
    return f"{session_cookie(settings)}-openid"


def _flow_cookie_terms(settings: Settings) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "lax", "secure": is_https(settings)}
