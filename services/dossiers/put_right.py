"""Remedies as a case's story tells them: what was put right, on what ground, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from services.dossiers.dossier import Dossier
from services.dossiers.telling import Entry, Sentence, told_steps
from services.lexicon import Named, listed
from services.policy.text import Text

_CONTENT_WORDS: Mapping[str, Text] = {
    "term_years": Text("申领期限", "term"),
    "grounds": Text("申领情形", "grounds"),
    "person": Text("个人信息", "person"),
    "residence": Text("居住登记", "residence"),
    "children": Text("子女情况", "children"),
    "declared": Text("声明事项", "declarations"),
    "station": Text("受理派出所", "station"),
}


def _why(dossier: Dossier, entry: Entry, *more: Text) -> tuple[Text, ...]:
    """What stands under a remedy's headline: more of it, its reason, its number. Departments read the headline only."""
    if not dossier.whole:
        return ()
    why, remedy = entry.detail["why"], entry.detail["remedy"]
    return (*more, Text(f"理由：{why}（处置{remedy}）", f"because: {why} (remedy {remedy})"))


def _waived(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    departments = [step.department for step in told_steps(dossier, entry)]
    if departments:
        who, clause = listed(departments), dossier.lexicon.clause(entry.detail["clause"])
        words = Text(f"免办{who.zh}的事项。", f"Nothing more is asked of {who.en}: its steps are waived.")
        basis = Text(f"依据 {clause.code}　{clause.zh}", f"by {clause.code}: {clause.en}")
        yield Sentence("waived", words, _why(dossier, entry, basis))


def _fact(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    detail = entry.detail
    if not dossier.shows(detail["department"]):
        return
    who = dossier.lexicon.department(detail["department"], entry.on)
    fact = dossier.lexicon.fact(detail["fact"])
    zh, en = ("属实", "yes") if detail["value"] else ("不属实", "no")
    document = Text(f"依据文件：{detail['document']}", f"on the document: {detail['document']}")
    yield Sentence(
        "fact-decided",
        Text(f"{who.zh}人工认定：{fact.zh}{zh}。", f"{who.en} decided by hand: {fact.en}: {en}."),
        _why(dossier, entry, document),
    )


def _said(kind: str, zh: str, en: str) -> Callable[[Dossier, Entry], Iterator[Sentence]]:
    """A teller that says one sentence."""

    def tell(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
        yield Sentence(kind, Text(zh, en), _why(dossier, entry))

    return tell


def _correction(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    missing = [Text(f"需补正：{one}", f"missing: {one}") for one in entry.detail["missing"]]
    words = Text("一次性告知申请人补正，办理时限中止。", "The applicant was told what is missing; the clock stops.")
    yield Sentence("correction", words, _why(dossier, entry, *missing))


def _corrected(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    details: tuple[Text, ...] = ()
    if dossier.whole:
        parts = entry.detail["changed"]
        changed = listed(Named.of(part, _CONTENT_WORDS.get(part, Text(part, part))) for part in parts)
        details = (Text(f"补正内容：{changed.zh}", f"changed: {changed.en}"),)
    words = Text("申请人已补正，办理时限恢复。", "The applicant put it right; the clock runs on.")
    yield Sentence("corrected", words, details)


def _cancelled(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    reason = dossier.lexicon.reason(entry.detail["reason"])
    words = Text(f"注销居住证：{reason.zh}。", f"The permit was cancelled: {reason.en}.")
    yield Sentence("cancelled", words, _why(dossier, entry))


def _reinstated(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    del dossier, entry
    yield Sentence("reinstated", Text("居住证恢复有效。", "The permit is in force again."))


TELLERS: Mapping[str, Callable[[Dossier, Entry], Iterator[Sentence]]] = {
    "steps.waived": _waived,
    "fact.decided": _fact,
    "case.withdrawn": _said("withdrawn", "申请已撤回。", "The application was withdrawn."),
    "case.reopened": _said("reopened", "办件重新办理。", "The case was reopened."),
    "correction.asked": _correction,
    "case.corrected": _corrected,
    "permit.cancelled": _cancelled,
    "permit.restored": _said("restored", "原注销有误，予以撤销。", "The cancellation was a mistake and is undone."),
    "permit.reinstated": _reinstated,
}
