"""Departments' answers into sentences: facts confirmed or denied, services opened, withdrawn or declined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models import EntitlementState, StepState
from services.dossiers.dossier import Dossier
from services.dossiers.telling import Entry, Sentence, told_steps
from services.lexicon import Named, counted, listed
from services.policy.text import Text
from services.words import ENTITLEMENT_WORDS


def answered(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    """What departments answered, one sentence a step."""
    for step in told_steps(dossier, entry):
        department, told = step.department, step.said
        content = dossier.steps[step.id].content if step.id in dossier.steps else {}
        if "facts" in content:
            yield _confirmed(dossier, department, told, content["facts"])
        elif "open" in content or "withdraw" in content:
            yield _acknowledged(dossier, department, told, content)
        else:
            yield Sentence(
                "answered", Text(f"{department.zh}已登记居住证信息。", f"{department.en} took note of the permit.")
            )


def _confirmed(dossier: Dossier, department: Named, told: Mapping[str, Any], asked: list[str]) -> Sentence:
    words, facts = dossier.lexicon, told.get("facts", {})
    details = [
        Text(f"{fact.zh}：{'属实' if value else '不属实'}", f"{fact.en}: {'yes' if value else 'no'}")
        for fact, value in ((words.fact(name), value) for name, value in facts.items())
    ]
    if told["to"] == StepState.DECLINED:
        reason = words.reason(told.get("reason"))
        said = Text(f"{department.zh}未能核验：{reason.zh}。", f"{department.en} cannot confirm: {reason.en}.")
    elif not facts:
        said = Text(
            f"{department.zh}已接收核验请求，尚未答复。", f"{department.en} received the question; no answer yet."
        )
    elif told["to"] == StepState.RECEIVED:
        rest = listed(words.fact(name) for name in asked if name not in facts)
        said = Text(f"{department.zh}答复部分核验事项。", f"{department.en} answered in part.")
        details.append(Text(f"尚未答复：{rest.zh}", f"not answered yet: {rest.en}"))
    else:
        said = Text(f"{department.zh}答复核验结果。", f"{department.en} confirmed or denied.")
    return Sentence("answered", said, tuple(details))


def _acknowledged(dossier: Dossier, department: Named, told: Mapping[str, Any], content: Mapping[str, Any]) -> Sentence:
    opens, withdraws = ([one["service"] for one in content.get(ask, ())] for ask in ("open", "withdraw"))
    services: Mapping[str, str] = told.get("services", {})
    words = dossier.lexicon
    if services:
        details = [_outcome(words.service(name), words.reason(said), said) for name, said in services.items()]
        said = Text(f"{department.zh}答复办理结果。", f"{department.en} answered.")
        if told["to"] == StepState.DECLINED:
            said = Text(f"{department.zh}未予办理。", f"{department.en} declined.")
        return Sentence("answered", said, tuple(details))
    if told["to"] == StepState.RECEIVED:
        return Sentence(
            "answered",
            Text(f"{department.zh}已接收，尚未确认办理。", f"{department.en} received it; not confirmed yet."),
        )
    done_zh, done_en, details = [], [], []
    for names, zh, en in ((opens, "开通", "open"), (withdraws, "停止", "withdrawn")):
        if names:
            what = listed(words.service(name) for name in names)
            done_zh.append(f"{zh}服务{len(names)}项")
            done_en.append(f"{counted(len(names), 'service')} {en}")
            details.append(Text(f"{zh}：{what.zh}", f"{en}: {what.en}"))
    said = Text(f"{department.zh}确认{'、'.join(done_zh)}。", f"{department.en} confirmed: {', '.join(done_en)}.")
    return Sentence("answered", said, tuple(details))


def _outcome(service: Named, reason: Named, said: str) -> Text:
    """``said`` is the state that a service came to, or the reason code for which it was not opened."""
    if said in set(EntitlementState):
        state = ENTITLEMENT_WORDS[said]
        return Text(f"{service.zh}：{state.zh}", f"{service.en}: {state.en}")
    return Text(f"{service.zh}：{reason.zh}", f"{service.en}: {reason.en}")
