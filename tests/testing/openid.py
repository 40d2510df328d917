"""An identity provider played in the process: it signs for real, and misbehaves as a test tells it to."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "https://id.zibo.test/realms/city"
CLIENT_ID, SECRET = "lianban", "kept-between-the-two"


class PlayedProvider:
    """``claims`` are what it says of whoever signs in; ``signs`` makes the ID token, so that a test can forge it."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.keys = [RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}, private=True)]
        self.claims: dict[str, Any] = {"sub": "u-1", "preferred_username": "wang.fang", "groups": ["lianban-auditors"]}
        self.wrong: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.token: str | None = None
        self.up = True
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}

    def sign_in(self, address: str) -> dict[str, str]:
        """The person signs in at ``address``: the query with which the browser comes back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": ISSUER}

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Play the provider's HTTP side."""
        self.asked.append(request.url.path.rpartition("/")[2])
        if not self.up:
            raise httpx.ConnectError("down", request=request)
        match self.asked[-1]:
            case "openid-configuration":
                told = {name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
                return httpx.Response(200, json={"issuer": ISSUER} | told)
            case "jwks_uri":
                return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})
            case "token_endpoint":
                return self._token(request)
        return httpx.Response(404, json={})

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        began = self.codes.pop(form["code"], None)
        proven = httpx.BasicAuth(CLIENT_ID, SECRET)._auth_header == request.headers.get("authorization")
        if began is None or not proven or create_s256_code_challenge(form["code_verifier"]) != began["code_challenge"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        assert form["redirect_uri"] == began["redirect_uri"]
        claims = {"iss": ISSUER, "aud": CLIENT_ID, "iat": self.now, "exp": self.now + 300, "nonce": began["nonce"]}
        claims |= self.claims | self.wrong
        claims = {name: value for name, value in claims.items() if value is not None}
        return httpx.Response(200, json={"id_token": self.token or self._signed(claims), "token_type": "Bearer"})

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "kid": self.keys[-1].kid} | self.header
        if header["alg"] == "none":
            parts = (json.dumps(part).encode() for part in (header, claims))
            return ".".join(_base64(part) for part in parts) + "."
        if header["alg"] == "HS256":
            # The old trick: the public key taken for a shared secret.
            signed = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
            public = self.keys[-1].as_pem(private=False)
            return f"{signed}.{_base64(hmac.digest(public, signed.encode(), 'sha256'))}"
        return jwt.encode(header, claims, self.keys[-1])


def _base64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")
