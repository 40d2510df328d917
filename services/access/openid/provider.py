"""The identity provider: what it says of itself, the keys it signs with, and the exchange of a code for a person.

The code flow with PKCE. A token counts only if a key that the provider publishes signed it with an asymmetric
algorithm, and it is for us, of this provider, of now, and of the very sign-in that the browser began (nonce).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.errors import AccessError, UnavailableError

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_LEEWAY_SECONDS: Final = 60
_SCOPE: Final = "openid profile"
# A key that is not known makes us ask for the keys anew, and an attacker may invent many.
_ASKED_AGAIN_AFTER: Final = timedelta(seconds=60)
_KEPT: Final = timedelta(hours=12)


class TokenRefusedError(AccessError):
    """What the provider, or somebody in its name, sent back proves nobody. The reason is for the log alone."""

    status = 401
    code = "openid-refused"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__("the identity provider's answer does not hold; sign in again", place="sign-in")


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to the provider. ``secret`` is empty for a public client, which PKCE alone protects."""

    issuer: str
    id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class _Endpoints:
    authorization: str
    token: str
    keys: str


class Provider:
    """One provider; ``http`` is closed with it. Discovery and keys are kept for half a day."""

    def __init__(self, client: Client, http: httpx.AsyncClient) -> None:
        self.client = client
        self._http = http
        self._endpoints: tuple[datetime, _Endpoints] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    async def address(self, now: datetime, *, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent to sign in."""
        endpoints = await self._discover(now)
        asked = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": self.client.redirect_uri,
            "scope": _SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in endpoints.authorization else "?"
        return f"{endpoints.authorization}{joint}{urlencode(asked)}"

    async def claims(self, now: datetime, *, code: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the provider says of the person who came back with ``code``.

        TokenRefusedError if it does not hold, UnavailableError if the provider does not answer.
        """
        endpoints = await self._discover(now)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": verifier,
            "client_id": self.client.id,
        }
        proof = httpx.BasicAuth(self.client.id, self.client.secret) if self.client.secret else None
        answer = await self._send("POST", endpoints.token, data=form, auth=proof)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise TokenRefusedError("the answer bears no ID token")
        claims = (await self._verified(endpoints, token, now)).claims
        self._check(claims, nonce, now)
        return claims

    async def close(self) -> None:
        """Give back connections."""
        await self._http.aclose()

    async def _discover(self, now: datetime) -> _Endpoints:
        if self._endpoints is None or now - self._endpoints[0] > _KEPT:
            told = await self._send("GET", f"{self.client.issuer}/.well-known/openid-configuration")
            if told.get("issuer") != self.client.issuer:
                raise UnavailableError("the identity provider calls itself otherwise than LIANBAN_OIDC_ISSUER says")
            try:
                found = _Endpoints(told["authorization_endpoint"], told["token_endpoint"], told["jwks_uri"])
            except KeyError:
                raise UnavailableError("the identity provider does not say where it is to be asked") from None
            self._endpoints = (now, found)
        return self._endpoints[1]

    async def _verified(self, endpoints: _Endpoints, token: str, now: datetime) -> jwt.Token:
        keys = await self._key_set(endpoints, now)
        try:
            return jwt.decode(token, keys, algorithms=list(_ALGORITHMS))
        except (JoseError, ValueError) as problem:
            fetched = self._keys[0] if self._keys is not None else now
            if now - fetched < _ASKED_AGAIN_AFTER:
                raise TokenRefusedError(type(problem).__name__) from None
        # Signed with a key that came after we last asked, perhaps: keys are changed without telling us.
        keys = await self._key_set(endpoints, now, anew=True)
        try:
            return jwt.decode(token, keys, algorithms=list(_ALGORITHMS))
        except (JoseError, ValueError) as problem:
            raise TokenRefusedError(type(problem).__name__) from None

    async def _key_set(self, endpoints: _Endpoints, now: datetime, *, anew: bool = False) -> KeySet:
        if anew or self._keys is None or now - self._keys[0] > _KEPT:
            told = await self._send("GET", endpoints.keys)
            try:
                found = KeySet.import_key_set({"keys": list(told["keys"])})
            except (JoseError, KeyError, TypeError, ValueError):
                raise UnavailableError("the identity provider's keys cannot be read") from None
            self._keys = (now, found)
        return self._keys[1]

    def _check(self, claims: Mapping[str, Any], nonce: str, now: datetime) -> None:
        at = int(now.timestamp())
        registry = jwt.JWTClaimsRegistry(
            now=at,
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self.client.issuer},
            aud={"essential": True, "value": self.client.id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            registry.validate(dict(claims))
        except (JoseError, ValueError, TypeError) as problem:
            raise TokenRefusedError(f"{type(problem).__name__} {getattr(problem, 'claim', '')}") from None
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != self.client.id:
            raise TokenRefusedError("is for several and not given to us")
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise TokenRefusedError("names nobody")

    async def _send(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, **more)
            told = answer.json()
        except (httpx.HTTPError, ValueError):
            raise UnavailableError("the identity provider does not answer; try again later") from None
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise TokenRefusedError("the provider refused the code")
        if answer.status_code != httpx.codes.OK or not isinstance(told, dict):
            raise UnavailableError("the identity provider does not answer as it should; try again later")
        return told
