"""Words for answers: every state, outcome and code of a ``because``, in Chinese and English, from the pack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

from services.policy.text import Text

if TYPE_CHECKING:
    from services.policy.answer import Decision, Entitlement, Need
    from services.policy.pack import Pack

STATE_WORDS: Final[Mapping[str, Text]] = {
    "granted": Text("可享有", "granted"),
    "upcoming": Text("到期自动享有", "upcoming"),
    "unmet": Text("条件不符", "unmet"),
    "unknown": Text("待核验", "unknown"),
    "public": Text("面向公众", "public"),
}
"""The states of an entitlement."""

OUTCOME_WORDS: Final[Mapping[str, Text]] = {
    "issue": Text("准予发证", "issue"),
    "refuse": Text("不予发证", "refuse"),
    "wait": Text("等待核验", "wait"),
    "in-force": Text("有效", "in force"),
    "ended": Text("已到期", "ended"),
    "not-yet": Text("尚未生效", "not yet in force"),
}
"""The outcomes of a permit."""

KIND_WORDS: Final[Mapping[str, Text]] = {
    "enrol": Text("开通", "opened for the person"),
    "assess": Text("可申请，由部门审定", "open to apply; the department decides"),
    "public": Text("面向公众", "for all"),
}
"""The kinds of service: `enrol` is opened and confirmed, `assess` gives access (A7), `public` is for all."""

NO_POLICY_WORDS: Final = Text(
    "受理日不在任何有效政策的施行期内，不予受理",
    "no policy is in force on the day of receipt",
)
"""A16, where there is no pack to take the words from."""


def explain_code(pack: Pack | None, code: str) -> Text:
    """Return the words for any code of a ``because``: a service, another clause or a settlement.

    A code that the pack does not know comes back as it is, so that an old decision can always be shown.
    """
    if pack is None:
        return NO_POLICY_WORDS if code == "A16" else Text(code, code)
    if code in pack.services:
        service = pack.services[code]
        return Text(f"{service.clause}：{service.title.zh}", f"{service.clause}: {service.title.en}")
    if code in pack.clauses:
        clause = pack.clauses[code]
        return Text(f"{clause.reference}：{clause.text.zh}", f"{clause.reference}: {clause.text.en}")
    return pack.settlements.get(code, Text(code, code))


def explain_needs(pack: Pack, needs: Iterable[Need], on: date) -> Text:
    """Return who has to confirm what: 「公安局：身份信息相符」."""
    asked: dict[str, list[Text]] = {}
    for need in needs:
        asked.setdefault(need.department, []).append(pack.facts[need.fact].title)
    names = {code: pack.departments[code].name_on(on) for code in asked}
    return Text(
        "；".join(f"{names[code].zh}：{'、'.join(fact.zh for fact in facts)}" for code, facts in asked.items()),
        "; ".join(f"{names[code].en}: {', '.join(fact.en for fact in facts)}" for code, facts in asked.items()),
    )


def explain_permit(pack: Pack | None, decision: Decision, on: date) -> Text:
    """Return one sentence on what becomes of the permit and why."""
    permit = decision.permit
    outcome = OUTCOME_WORDS[permit.outcome]
    if permit.valid_from is not None and permit.valid_until is not None:
        days = (permit.valid_from, permit.valid_until)
        said = Text(
            f"{outcome.zh}：{permit.term_years}年期，{_days_zh(*days)}",
            f"{outcome.en}: {permit.term_years} year{'s' if permit.term_years != 1 else ''}, {_days_en(*days)}",
        )
    elif pack is not None and permit.needs:
        waiting = explain_needs(pack, permit.needs, on)
        said = Text(f"{outcome.zh}：{waiting.zh}", f"{outcome.en}: {waiting.en}")
    else:
        said = outcome
    reasons = [explain_code(pack, code) for code in permit.because]
    return Text(
        f"{said.zh}。依据：{'；'.join(reason.zh for reason in reasons)}。",
        f"{said.en}. Because: {'; '.join(reason.en for reason in reasons)}.",
    )


def explain_entitlement(pack: Pack, entitlement: Entitlement, on: date) -> Text:
    """Return one sentence on a service: what, from when, to when, who owes it, or what is missing."""
    service = pack.services[entitlement.service]
    department = pack.departments[entitlement.department].name_on(on)
    state = STATE_WORDS[entitlement.state]
    said = Text(
        f"{service.title.zh}（{service.clause}，{department.zh}）：{state.zh}",
        f"{service.title.en} ({service.clause}, {department.en}): {state.en}",
    )
    detail = _detail(pack, entitlement, on)
    return Text(f"{said.zh}{detail.zh}。", f"{said.en}{detail.en}.")


def _detail(pack: Pack, entitlement: Entitlement, on: date) -> Text:
    if entitlement.first_day is not None and entitlement.last_day is not None:
        days = (entitlement.first_day, entitlement.last_day)
        return Text(f"，{_days_zh(*days)}", f", {_days_en(*days)}")
    if entitlement.needs:
        waiting = explain_needs(pack, entitlement.needs, on)
        return Text(f"，等待{waiting.zh}", f", waiting for {waiting.en}")
    failing = [failing_words(pack, code) for code in entitlement.fails]
    if failing:
        return Text(
            f"，须{'、'.join(words.zh for words in failing)}", f", asks: {', '.join(words.en for words in failing)}"
        )
    reasons = [explain_code(pack, code) for code in entitlement.because[1:]]
    if not reasons:
        return Text("", "")
    return Text(
        f"，依据{'；'.join(words.zh for words in reasons)}", f", because {'; '.join(words.en for words in reasons)}"
    )


def failing_words(pack: Pack, code: str) -> Text:
    """What a code of ``Entitlement.fails`` asks for: a condition, or a tier of rights."""
    if code in pack.conditions:
        return pack.conditions[code].title
    return next((tier.title for tier in pack.tiers.values() if tier.code == code), Text(code, code))


def _days_zh(first: date, last: date) -> str:
    return f"自{first.year}年{first.month}月{first.day}日起至{last.year}年{last.month}月{last.day}日止"


def _days_en(first: date, last: date) -> str:
    return f"from {first} to {last}"
