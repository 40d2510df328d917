"""The departments at work: their secrets, their behaviour, what they know, and what they make of a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from standardwebhooks import Webhook, WebhookVerificationError

from api.sandbox.answers import Answer, Effect, UnknownPerson, answer
from api.sandbox.behaviour import Behaviour, Dice
from api.sandbox.people import read_people
from api.sandbox.settings import SandboxSettings
from api.sandbox.store import Callback
from services.exchange.signatures import new_secret
from services.intake.fixture import Fixture


@dataclass(slots=True)
class Reply:
    """What one request comes to: outcomes to tell at once, and what to keep before they are told."""

    outcomes: list[dict[str, Any]] = field(default_factory=list)
    messages: list[tuple[Any, ...]] = field(default_factory=list)
    effects: list[tuple[str, Effect]] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)


class Departments:
    """Every department of one sandbox. ``behaviours`` may be changed while it runs."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.dice = Dice(settings.seed)
        self.behaviours: dict[str, Behaviour] = dict(settings.behaviours)
        self._settings = settings
        self._keys = {code: [Webhook(secret) for secret in settings.secrets_of(code)] for code in settings.secrets}
        self._stranger = Webhook(new_secret())
        self._people: Mapping[str, Fixture] = read_people(settings.people) if settings.people else {}
        self._unknown = UnknownPerson(settings.unknown)

    def __contains__(self, code: str) -> bool:
        return bool(self._keys.get(code))

    def codes(self) -> list[str]:
        """The departments that have a secret, and so an address."""
        return sorted(code for code, keys in self._keys.items() if keys)

    def behaviour(self, code: str) -> Behaviour:
        """How the department misbehaves now."""
        return self.behaviours.get(code) or self.behaviours.get("*") or Behaviour()

    def verified(self, code: str, body: bytes, headers: dict[str, str]) -> bool:
        """Whether a current secret of the department signed the message, within five minutes of now."""
        for key in self._keys[code]:
            try:
                key.verify(body, headers, json_parse=False)
            # The package lets a header that cannot be taken apart out as a ValueError.
            except (WebhookVerificationError, ValueError):
                continue
            return True
        return False

    def signer(self, code: str) -> Webhook:
        """The key for the department's next call-back: its own, or a stranger's where it misbehaves so."""
        wrong = self.dice.strikes(self.behaviour(code).wrong_signature)
        return self._stranger if wrong else self._keys[code][0]

    def handle(self, code: str, events: list[dict[str, Any]]) -> Reply:
        """What the department makes of the events; KeyError or TypeError if they are no messages of ours."""
        reply, behaviour = Reply(), self.behaviour(code)
        now = self._settings.clock.now().timestamp()
        for event in events:
            data, step = event["data"], event["id"]
            case, known = data["case"], data["person"]
            reply.messages.append((code, step, event["type"], case, " ".join(known), now))
            if case is None or self.dice.strikes(behaviour.forget, step):
                continue
            declining = behaviour.decline
            reason = declining.reason if declining and self.dice.strikes(declining, step) else None
            said = answer(data, self._people.get(known.get("id_number", ""), self._unknown), reason)
            if self.dice.strikes(behaviour.later, step):
                said.delay()
            if said.now:
                reply.outcomes.append({"step": step, **said.now})
            reply.effects += ((code, effect) for effect in said.effects)
            if said.later:
                reply.callbacks.append(self._callback(code, data["callback"], said, now))
        return reply

    def _callback(self, code: str, url: str, said: Answer, now: float) -> Callback:
        late = self.behaviour(code).later
        delay = late.seconds if late and late.seconds is not None else self._settings.delay_seconds
        body = orjson.dumps({"outcomes": [{"step": said.step, **said.later}]})
        return Callback(f"cb-{said.step}", code, url, body, now + delay)
