"""A policy pack in memory: one opinion as data, frozen. `loading` reads and checks it, `plan` compiles it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from services.policy.conditions import Condition
from services.policy.dated import Dated
from services.policy.permit_rules import PermitRules
from services.policy.text import Text

if TYPE_CHECKING:
    from services.policy.plan import Plan


@dataclass(frozen=True, slots=True)
class Department:
    """An organisation. ``standing``: a member of the joint meeting, an associate (A12), the office, the meeting."""

    code: str
    standing: Literal["member", "associate", "office", "meeting"]
    names: Dated[Text]

    def name_on(self, day: date) -> Text:
        """Return what the department is called on ``day``."""
        return self.names.on(day)


@dataclass(frozen=True, slots=True)
class Fact:
    """What a department alone knows. ``send``: the fields of the person that the question to it may bear."""

    name: str
    title: Text
    owner: Dated[str]
    send: tuple[str, ...]

    def owner_on(self, day: date) -> str:
        """Return the code of the department that confirms it on ``day``."""
        return self.owner.on(day)


@dataclass(frozen=True, slots=True)
class Service:
    """One atomic service (ZB87-3.1.5b).

    ``clause`` is where the text has it; ``kind`` enrol, assess or public; ``conditions`` are codes beyond the
    tier; ``replaced_by`` the services whose tier, once it starts, takes this one's place (A9); ``grace``
    "school-term" where what was begun runs on to the end of the term (A17); ``limited`` where length of
    residence orders the queue (ZB87-1.2a); ``catch_all`` where the text leaves open what it comprises, so that the
    joint meeting has to say; ``send`` the allow-list of the person's fields.
    """

    id: str
    clause: str
    title: Text
    kind: Literal["enrol", "assess", "public"]
    tier: int
    owner: Dated[str]
    conditions: tuple[str, ...]
    free: bool
    limited: bool
    catch_all: bool
    settlements: tuple[str, ...]
    replaced_by: tuple[str, ...]
    grace: str | None
    send: tuple[str, ...]

    def owner_on(self, day: date) -> str:
        """Return the code of the department that owes it on ``day``."""
        return self.owner.on(day)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that is no service: its id, where it stands in the text, and its words."""

    id: str
    reference: str
    text: Text


@dataclass(frozen=True, slots=True)
class Parameter:
    """A figure of the pack. ``law``: the source is a law or the text itself, not a settlement of ours."""

    code: str
    value: int
    unit: str
    law: bool
    source: Text


@dataclass(frozen=True, slots=True)
class Clock:
    """A time limit from acceptance to issue, for applications received on the days given (A13).

    ``law``: set by law, not promised by us.
    """

    code: str
    days: int
    unit: Literal["working", "calendar"]
    first_day: date
    last_day: date | None
    law: bool
    source: Text


@dataclass(frozen=True, slots=True)
class SchoolTerm:
    """A school term, from one (month, day) to another, both included; the later may fall in the next year."""

    first: tuple[int, int]
    last: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of rights: the terms that reach it, and the years of residence it takes (None: none)."""

    number: int
    code: str
    reference: str
    title: Text
    terms: tuple[int, ...]
    residence_years: int | None
    settlements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineCodes:
    """The codes the engine itself gives as reasons: a permit already given, a service replaced, a fact unknown."""

    permit_given: tuple[str, ...]
    replaced: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Pack:
    """One opinion. Mappings keep the order of the text; ``first_day`` and ``last_day`` are its days in force.

    No slots: the digest and the compiled plan are kept on it once they are made. Two packs are the same when
    their digests are.
    """

    code: str
    title: Text
    document: str
    issuer: Text
    issued_on: date
    first_day: date
    last_day: date
    in_force_clause: str
    departments: Mapping[str, Department]
    districts: Mapping[str, Text]
    parameters: Mapping[str, Parameter]
    clocks: tuple[Clock, ...]
    school_terms: tuple[SchoolTerm, ...]
    facts: Mapping[str, Fact]
    permit: PermitRules
    because: EngineCodes
    tiers: Mapping[int, Tier]
    conditions: Mapping[str, Condition]
    services: Mapping[str, Service]
    guarantees: tuple[str, ...]
    clauses: Mapping[str, Clause]
    settlements: Mapping[str, Text]
    content: Mapping[str, Any]
    """The file as plain JSON values (days as ISO strings): what the digest is taken over."""
    version: int = 1
    """Which version it is, counted from 1; a pack that was amended has several, each in force from its day."""

    def __repr__(self) -> str:
        return f"Pack({self.name!r})"

    @property
    def name(self) -> str:
        """Its code, from the second version on with the number: ``zibo-2014-87@2``. Steps and decisions bear it."""
        return self.code if self.version == 1 else f"{self.code}@{self.version}"

    def covers(self, day: date) -> bool:
        """Return whether an application received on ``day`` falls under this pack (ZB87-5.1, A16)."""
        return self.first_day <= day <= self.last_day

    def clocks_on(self, received_on: date) -> tuple[Clock, ...]:
        """Return the time limits that bind an application received on that day."""
        return tuple(
            clock
            for clock in self.clocks
            if clock.first_day <= received_on and (clock.last_day is None or received_on <= clock.last_day)
        )

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the pack's canonical JSON (RFC 8785), in hex: a decision names its pack by it."""
        import rfc8785  # noqa: PLC0415 - `lianban decide` needs no digest and must start fast

        return hashlib.sha256(rfc8785.dumps(dict(self.content))).hexdigest()

    @cached_property
    def plan(self) -> Plan:
        """The pack compiled for deciding."""
        from services.policy.plan import compile_plan  # noqa: PLC0415 - plan imports this module's types

        return compile_plan(self)
