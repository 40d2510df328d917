"""The permit section of a pack's file (section 二 of the text): gates, terms and grounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.policy.pack import Clause, Department, Fact
from services.policy.permit_rules import Gate, Ground, PermitRules, Route, Term
from services.policy.question import GROUNDS, RESIDENCE_DECLARATIONS, TERMS
from services.policy.reading import Entry
from services.policy.text import Text


@dataclass(frozen=True, slots=True)
class PermitCodes:
    """What the section may name: the clauses, settlements, facts and departments of its pack."""

    clauses: Mapping[str, Clause]
    settlements: Mapping[str, Text]
    facts: Mapping[str, Fact]
    departments: Mapping[str, Department]

    def reasons(self, entry: Entry, key: str, *, least: int = 0) -> tuple[str, ...]:
        """Return a list of clauses and settlements."""
        return entry.names(key, {*self.clauses, *self.settlements}, "clause or settlement", least=least)


def read_permit(entry: Entry, codes: PermitCodes, since: date) -> PermitRules:
    """Read the section. Its terms and grounds must be those of the contract: a question may ask for any of them."""
    terms = {term.years: term for term in (_term(each, codes) for each in entry.entries("terms"))}
    if sorted(terms) != list(TERMS):
        entry.note("terms", f"must be those of the contract: {', '.join(map(str, TERMS))} years")
    for term in terms.values():
        if term.otherwise is not None and (term.otherwise not in terms or term.otherwise == term.years):
            entry.note("terms", f"the term otherwise issued ({term.otherwise}) must be another of the terms")
    grounds = [_ground(each, codes) for each in entry.entries("grounds")]
    if [ground.code for ground in grounds] != list(GROUNDS):
        entry.note("grounds", f"must be those of the contract, in the order of the text: {', '.join(GROUNDS)}")
    rules = PermitRules(
        clause=entry.one_of("clause", codes.clauses, "clause"),
        issuer=entry.owners("issuer", codes.departments, since),
        gates=tuple(_gate(each, codes) for each in entry.entries("gates")),
        terms=terms,
        grounds={ground.code: ground for ground in grounds},
    )
    entry.done()
    return rules


def _gate(entry: Entry, codes: PermitCodes) -> Gate:
    because = codes.reasons(entry, "because", least=1)
    if entry.has("residence"):
        gate = Gate("residence", entry.one_of("residence", RESIDENCE_DECLARATIONS, "declaration"), because)
    else:
        gate = Gate("fact", entry.one_of("fact", codes.facts, "fact"), because)
    entry.done()
    return gate


def _term(entry: Entry, codes: PermitCodes) -> Term:
    otherwise: int | None = None
    because: tuple[str, ...] = ()
    if entry.has("otherwise"):
        shorter = entry.entry("otherwise")
        otherwise = shorter.number("years", least=1, most=100)
        because = codes.reasons(shorter, "because", least=1)
        shorter.done()
    term = Term(
        years=entry.number("years", least=1, most=100),
        clause=entry.one_of("clause", codes.clauses, "clause"),
        otherwise=otherwise,
        because_otherwise=because,
    )
    entry.done()
    return term


def _ground(entry: Entry, codes: PermitCodes) -> Ground:
    proven: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    if entry.has("because"):
        because = entry.entry("because")
        proven, unproven = codes.reasons(because, "proven"), codes.reasons(because, "unproven")
        because.done()
    ground = Ground(
        code=entry.one_of("code", GROUNDS, "ground of the contract"),
        title=entry.words("title"),
        routes=tuple(_route(each, codes) for each in entry.entries("routes")),
        because_proven=proven,
        because_unproven=unproven,
    )
    entry.done()
    return ground


def _route(entry: Entry, codes: PermitCodes) -> Route:
    route = Route(
        clause=entry.one_of("clause", codes.clauses, "clause"),
        facts=entry.names("facts", codes.facts, "fact", least=1),
    )
    entry.done()
    return route
