"""OAuth2 tokens for receivers that want one (client credentials, RFC 6749 section 4.4), kept until they end.

What is asked and how the client proves itself is authlib's matter; what carries it is our guarded connection
(``docs/decisions/0007``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote_plus

from authlib.oauth2.auth import ClientAuth, encode_client_secret_basic
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc6750 import add_bearer_token

from services.exchange.connections import ClientCredentials

# A token is used no longer than to this many seconds before its end, and no longer than an hour in all.
_MARGIN, _LONGEST = 30.0, 3_600.0
_MAX_TOKEN = 8_192

Ask = Callable[[str, bytes, Mapping[str, str]], Awaitable[tuple[int, bytes]]]


def bearing(token: str, url: str, headers: Mapping[str, str]) -> dict[str, str]:
    """``headers`` of a request to ``url`` with the bearer token in them (RFC 6750)."""
    _, borne, _ = add_bearer_token(token, url, dict(headers), "")
    return dict(borne)


class TokenRefusedError(OSError):
    """The token server gave no token: nothing was sent to the department, and trying again later is right."""


class Tokens:
    """The tokens of one process and event loop."""

    def __init__(self) -> None:
        self._kept: dict[ClientCredentials, tuple[str, float]] = {}
        self._locks: dict[ClientCredentials, asyncio.Lock] = {}

    async def token(self, client: ClientCredentials, ask: Ask) -> str:
        """A token of ``client`` that is good now; TokenRefusedError if none is to be had. ``ask`` posts a form and
        gives the status and the body of the answer.
        """
        async with self._locks.setdefault(client, asyncio.Lock()):
            # Whoever waited at the lock finds the token that the first one fetched.
            now = asyncio.get_running_loop().time()
            token, until = self._kept.get(client, ("", 0.0))
            if now >= until:
                token, seconds = await self._fetch(client, ask)
                self._kept[client] = token, now + seconds
            return token

    def forget(self, client: ClientCredentials, token: str) -> None:
        """Use ``token`` no more: the receiver did not take it."""
        if self._kept.get(client, ("", 0.0))[0] == token:
            del self._kept[client]

    async def _fetch(self, client: ClientCredentials, ask: Ask) -> tuple[str, float]:
        # RFC 6749 (2.3.1) has both parts form-encoded before they are joined, which authlib leaves to its caller.
        proof = ClientAuth(quote_plus(client.client_id), quote_plus(client.client_secret))
        form = prepare_token_request("client_credentials", scope=client.scope)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url, headers, form = encode_client_secret_basic(proof, "POST", client.token_url, headers, form)
        status, body = await ask(url, form.encode(), headers)
        try:
            answer = json.loads(body) if status == 200 else {}
            token, seconds = answer["access_token"], float(answer.get("expires_in", 60))
            kind = str(answer.get("token_type", "bearer")).lower()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TokenRefusedError(f"the token server answered {status} without a token") from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
            raise TokenRefusedError("the token server's answer holds no token")
        if kind != "bearer" or not 0 < len(token) <= _MAX_TOKEN:
            raise TokenRefusedError("the token server gives another kind of token than bearer")
        return token, max(0.0, min(seconds, _LONGEST) - _MARGIN)
