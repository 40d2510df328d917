"""Which facts a case has to have confirmed now, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.policy.answer import Need, PermitAnswer
from services.policy.dates import LAST_DAY, last_day_of_term
from services.policy.decide import decide, permit_life
from services.policy.question import FACTS
from services.policy.verdicts import Life, judge

if TYPE_CHECKING:
    from services.policy.pack import Pack
    from services.policy.question import Question


def facts_to_ask(pack: Pack | None, question: Question) -> dict[str, tuple[str, ...]]:
    """Return, by department, the unknown facts that matter on the day of the question.

    They are the facts the permit waits for and, supposing it is issued today for the term asked for (or
    taking the permit that is decided or given), the unknown facts of every service whose window is open
    today. Facts that no longer bear on anything are not asked: what is not needed is not collected. Nothing
    is asked where the answer is a refusal, or the permit is not in force. Facts stand in the order of the
    contract, departments in the order of their first fact.
    """
    return facts_wanted(pack, question, decide(pack, question).permit)


def facts_wanted(pack: Pack | None, question: Question, permit: PermitAnswer) -> dict[str, tuple[str, ...]]:
    """The same where the engine has been asked already: ``permit`` is what it answered to ``question``."""
    if pack is None or not pack.covers(question.received_on):
        return {}
    needs = set(permit.needs)
    life = permit_life(permit)
    if permit.outcome == "wait":
        last = min(last_day_of_term(question.on, question.term_years), LAST_DAY)
        life = Life(question.on.toordinal(), last, question.term_years)
    if life is not None:
        era = pack.plan.era(question.on.toordinal())
        known = question.facts.keys()
        open_still = [profile for profile in pack.plan.profiles if not profile.facts <= known]
        for verdict in judge(pack.plan, era, pack.because, question, life, open_still):
            if verdict.opens == question.on:
                needs.update(verdict.needs)
    return _by_department(needs)


def _by_department(needs: set[Need]) -> dict[str, tuple[str, ...]]:
    asked: dict[str, tuple[str, ...]] = {}
    for fact, department in sorted(needs, key=lambda need: FACTS.index(need.fact)):
        asked[department] = (*asked.get(department, ()), fact)
    return asked
