"""From what an identity provider says of a person to the post that the person has here: rules in the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from models import Role
from services.access.posts import Post


class PostRule(BaseModel):
    """Who bears ``has`` in the claim ``claim`` (a value, or one of a list) has the post ``role``.

    Its district or department is ``scope``, or what the claim ``scope_claim`` says; a clerk's station is what
    ``station_claim`` says.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    has: str
    role: Role
    scope: str | None = None
    scope_claim: str | None = None
    station_claim: str | None = None

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Whether the rule is about a person of these claims."""
        said = claims.get(self.claim)
        return self.has in said if isinstance(said, list) else self.has == said

    def post(self, claims: Mapping[str, Any]) -> Post:
        """The post that the rule gives a person of these claims."""
        scope = self.scope if self.scope_claim is None else _text(claims, self.scope_claim)
        return Post(self.role, scope, None if self.station_claim is None else _text(claims, self.station_claim))


def post_of(rules: Sequence[PostRule], claims: Mapping[str, Any]) -> Post | None:
    """The post by the first rule that fits; None if none does, and the person has no business here."""
    return next((rule.post(claims) for rule in rules if rule.fits(claims)), None)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    said = claims.get(name)
    return said if isinstance(said, str) else None
