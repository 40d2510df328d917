"""Section 二: whether a permit is issued, for how long, and on which grounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Literal

from services.errors import InputError
from services.policy.answer import Need, Outcome, PermitAnswer
from services.policy.dates import LAST_DAY, last_day_of_term

if TYPE_CHECKING:
    from services.policy.pack import EngineCodes
    from services.policy.permit_rules import Gate, Ground, PermitRules, Route
    from services.policy.plan import Era
    from services.policy.question import HeldPermit, Question


def held_permit(codes: EngineCodes, permit: HeldPermit, on: date) -> PermitAnswer:
    """Say where a permit already given stands on ``on``; both its days count (A2). Section 二 is not decided again."""
    outcome: Outcome = "in-force"
    if on < permit.valid_from:
        outcome = "not-yet"
    elif on > permit.valid_until:
        outcome = "ended"
    return PermitAnswer(
        outcome=outcome,
        term_years=permit.term_years,
        valid_from=permit.valid_from,
        valid_until=permit.valid_until,
        grounds=(),
        needs=(),
        because=codes.permit_given,
    )


def decide_permit(rules: PermitRules, codes: EngineCodes, era: Era, question: Question) -> PermitAnswer:
    """Decide section 二: the gates first, then the grounds where the term asked for needs one (A5).

    Raises InputError (``on``) when the permit would run past the last day that can be written.
    """
    asked = [ground for ground in rules.grounds.values() if ground.code in question.grounds]
    proven = [ground for ground in asked if _any_route(ground, question, state=True)]
    clauses = tuple(route.clause for route in _routes(asked) if _route_state(route, question) is True)

    closed = [gate for gate in rules.gates if _gate_state(gate, question) is False]
    if closed:
        return _no_permit("refuse", clauses, because=chain.from_iterable(gate.because for gate in closed))

    waiting = [gate for gate in rules.gates if _gate_state(gate, question) is None]
    needs = {gate.name for gate in waiting}
    because = list(chain.from_iterable(gate.because for gate in waiting))
    term = rules.terms[question.term_years]
    hangs_on_grounds = term.otherwise is not None and not proven
    if hangs_on_grounds:
        still_open = [ground for ground in asked if _any_route(ground, question, state=None)]
        needs |= {
            fact
            for route in _routes(still_open)
            if _route_state(route, question) is None
            for fact in route.facts
            if fact not in question.facts
        }
        if still_open:
            because += (term.clause, *chain.from_iterable(ground.because_unproven for ground in still_open))
    if needs:
        return _no_permit("wait", clauses, needs=era.needs_for(needs), because=[*because, *codes.unknown])

    because = [rules.clause]
    if term.otherwise is None:
        return _issue(question.on, term.years, clauses, because)
    if proven:
        because += chain.from_iterable(ground.because_proven for ground in proven)
        return _issue(question.on, term.years, clauses, because)
    because += term.because_otherwise
    because += (route.clause for route in _routes(asked))
    because += chain.from_iterable(ground.because_unproven for ground in asked)
    return _issue(question.on, term.otherwise, clauses, because)


def _gate_state(gate: Gate, question: Question) -> bool | None:
    if gate.source == "fact":
        return question.facts.get(gate.name)
    return question.intends_half_year if gate.name == "intends_half_year" else question.from_outside_county


def _routes(grounds: Iterable[Ground]) -> list[Route]:
    return [route for ground in grounds for route in ground.routes]


def _route_state(route: Route, question: Question) -> bool | None:
    """All its facts true; one false beats any unknown (A18)."""
    states = [question.facts.get(fact) for fact in route.facts]
    if False in states:
        return False
    return None if None in states else True


def _any_route(ground: Ground, question: Question, *, state: bool | None) -> bool:
    return any(_route_state(route, question) is state for route in ground.routes)


def _issue(on: date, years: int, clauses: tuple[str, ...], because: Sequence[str]) -> PermitAnswer:
    valid_until = last_day_of_term(on, years)
    if valid_until > LAST_DAY:
        raise InputError("a permit issued on this day would run past 9999-12-31: give an earlier day", place="on")
    return PermitAnswer(
        outcome="issue",
        term_years=years,
        valid_from=on,
        valid_until=date.fromordinal(valid_until),
        grounds=clauses,
        needs=(),
        because=tuple(dict.fromkeys(because)),
    )


def _no_permit(
    outcome: Literal["refuse", "wait"],
    clauses: tuple[str, ...],
    *,
    needs: tuple[Need, ...] = (),
    because: Iterable[str],
) -> PermitAnswer:
    return PermitAnswer(
        outcome=outcome,
        term_years=None,
        valid_from=None,
        valid_until=None,
        grounds=clauses,
        needs=needs,
        because=tuple(dict.fromkeys(because)),
    )
