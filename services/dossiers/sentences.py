"""One audit entry into sentences: plain official Chinese, and the same in English.

Each action of the log has its own teller; an action that is not known is told by its name, so no entry is ever lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from services.dossiers import chased, put_right
from services.dossiers.dossier import Dossier
from services.dossiers.replies import answered
from services.dossiers.telling import Entry, Sentence, told_steps
from services.lexicon import Named, counted, day_words, listed
from services.policy.text import Text
from services.words import CASE_WORDS, NOTICE_WORDS

_MOVED: Mapping[str, Text] = {
    "accepted": Text("申请已受理。", "The application was accepted."),
    "verifying": Text("申请已受理，等待有关部门核验。", "The application was accepted and waits for verification."),
    "provisioning": Text("已发证，等待有关部门确认。", "The permit is issued; departments have to confirm."),
    "closed": Text("各部门均已答复，办结。", "Every department has answered; the case is closed."),
    "awaiting_applicant": Text("已通知申请人补正。", "The applicant was told what is missing."),
    "withdrawn": Text("申请人撤回申请。", "The applicant withdrew."),
}
_REOPENED = Text("权益事项有变化，办件重新开启。", "Services change; the case is opened again.")


Teller = Callable[[Dossier, Entry], Iterator[Sentence]]


# Who looked at a case is told in its access log, and is no part of what happened to it.
_LOOK = "case.seen"


def sentences(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    """Tell ``entry`` as far as the reader of the dossier may know it; nothing if it is all about others."""
    teller = _TELLERS.get(entry.action)
    if teller is not None:
        yield from teller(dossier, entry)
    elif dossier.whole and entry.action != _LOOK:
        yield Sentence("other", Text(f"记录：{entry.action}。", f"Recorded: {entry.action}."))


def _received(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    term, words = entry.detail["term_asked"], dossier.lexicon
    details = []
    if dossier.whole and entry.detail["grounds"]:
        grounds = listed(words.ground(code) for code in entry.detail["grounds"])
        details.append(Text(f"申领情形：{grounds.zh}", f"grounds: {grounds.en}"))
    if dossier.pack is None:
        details.append(Text("受理日不在任何政策的施行期内", "no policy was in force on the day of receipt"))
    else:
        title = dossier.pack.title
        details.append(Text(f"适用政策：{dossier.pack.document}《{title.zh}》", f"policy: {title.en}"))
    place = words.district(dossier.case.district)
    yield Sentence(
        "received",
        Text(
            f"{place.zh}{dossier.case.station}收到居住证申请，申领期限{term}年。",
            f"Received at {dossier.case.station}, {place.en}: a permit of {counted(term, 'year')} is asked for.",
        ),
        tuple(details),
    )


def _issued(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    detail = entry.detail
    term, first, last = (
        detail["term_years"],
        *(date.fromisoformat(detail[key]) for key in ("valid_from", "valid_until")),
    )
    yield Sentence(
        "issued",
        Text(
            f"准予发放{term}年期居住证，自{day_words(first).zh}起至{day_words(last).zh}止。",
            f"A permit of {counted(term, 'year')} was issued, good from {first} to {last}.",
        ),
        _reasons(dossier, [*detail["grounds"], *(code for code in detail["because"] if code not in detail["grounds"])]),
    )


def _refused(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    words = Text("不予发放居住证。", "No permit is issued.")
    yield Sentence("refused", words, _reasons(dossier, entry.detail["because"]))


def _ended(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    reason = dossier.lexicon.reason(entry.detail.get("reason"))
    yield Sentence("ended", Text(f"居住证终止：{reason.zh}。", f"The permit ended: {reason.en}."))


def _reasons(dossier: Dossier, codes: Iterable[str]) -> tuple[Text, ...]:
    if not dossier.whole:
        return ()
    clauses = [dossier.lexicon.clause(code) for code in codes]
    return tuple(Text(f"依据 {one.code}　{one.zh}", f"by {one.code}: {one.en}") for one in clauses)


def _moved(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    del dossier
    to = str(entry.detail["to"])
    state = CASE_WORDS.get(to, Text(to, to))
    other = Text(f"办件转为“{state.zh}”。", f"The case is now {state.en}.")
    yield Sentence("moved", _REOPENED if entry.reopens else _MOVED.get(to, other))


def _planned(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    asks: dict[str, list[tuple[Named, list[str]]]] = {ask: [] for ask in _ASKS}
    answer_by: date | None = None
    for step in told_steps(dossier, entry):
        for ask, names in (step.said or {"permit": []}).items():
            asks[ask].append((step.department, names))
        if step.id in dossier.steps:
            answer_by = dossier.steps[step.id].answer_by
    by = day_words(answer_by) if answer_by is not None else None
    words = dossier.lexicon
    for ask, (kind, zh, en, unit) in _ASKS.items():
        if not asks[ask]:
            continue
        who = listed(department for department, _ in asks[ask])
        count = sum(len(names) for _, names in asks[ask])
        named = words.fact if ask == "facts" else words.service
        details = [
            Text(f"{department.zh}：{what.zh}", f"{department.en}: {what.en}")
            for department, names in asks[ask]
            if (what := listed(named(name) for name in names)).zh
        ]
        due = Text(f"，{by.zh}前答复", f", by {by.en}") if by is not None and count else Text("", "")
        said = Text(zh.format(who=who.zh, count=count), en.format(who=who.en, count=counted(count, unit)))
        yield Sentence(kind, Text(f"{said.zh}{due.zh}。", f"{said.en}{due.en}."), tuple(details))


_ASKS: Mapping[str, tuple[str, str, str, str]] = {
    "facts": ("asked", "请{who}核验，共{count}项", "Asked to confirm {count}: {who}", "fact"),
    "permit": ("notified", "将居住证信息告知{who}", "Told of the permit: {who}", "permit"),
    "open": ("opening", "请{who}开通服务，共{count}项", "Asked to open {count}: {who}", "service"),
    "withdraw": ("withdrawing", "请{who}停止服务，共{count}项", "Asked to withdraw {count}: {who}", "service"),
}


def _superseded(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    reason = dossier.lexicon.reason(entry.detail.get("reason"))
    departments = [step.department for step in told_steps(dossier, entry)]
    if departments:
        who = listed(departments)
        yield Sentence(
            "superseded",
            Text(
                f"撤回尚未推送至{who.zh}的事项：{reason.zh}。",
                f"Taken back before it was sent to {who.en}: {reason.en}.",
            ),
        )


def _failed(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    for step in told_steps(dossier, entry):
        department, reason = step.department, dossier.lexicon.reason(step.said)
        yield Sentence(
            "failed",
            Text(
                f"推送{department.zh}失败，不再重试：{reason.zh}。",
                f"Could not be sent to {department.en}: {reason.en}.",
            ),
        )


def _contradicted(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    words = dossier.lexicon
    for step in told_steps(dossier, Entry(entry.action, entry.on, {"steps": [entry.detail["step"]]})):
        department = step.department
        names = [
            words.fact(name) if name in words.book.facts else words.service(name) for name in entry.detail["names"]
        ]
        what = listed(names)
        yield Sentence(
            "contradicted",
            Text(
                f"{department.zh}前后答复不一致，保留原答复，待人工核实：{what.zh}。",
                f"{department.en} contradicted its earlier answer, which stands until somebody has looked: {what.en}.",
            ),
        )


def _set_aside(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    del dossier, entry
    yield Sentence(
        "set-aside",
        Text(
            "多次处理均未完成，已暂停自动办理，待管理员处理。",
            "Set aside after repeated failures; an administrator has to look.",
        ),
    )


def _opened(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    if dossier.whole:
        sequence = entry.detail["sequence"]
        yield Sentence(
            "opened", Text(f"查阅第{sequence}次决定全文。", f"Decision {sequence} was opened and read whole.")
        )


def _opened_to_correct(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    del entry
    if dossier.whole:
        yield Sentence("opened", Text("打开申请全文，用于补正。", "The application was opened, to put it right."))


def _printed(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    if dossier.whole:
        words = NOTICE_WORDS[entry.detail["notice"]]
        yield Sentence("printed", Text(f"打印{words.zh}。", f"Printed: {words.en}."))


_TELLERS: Mapping[str, Teller] = {
    "case.received": _received,
    "case.moved": _moved,
    "case.refused": _refused,
    "case.set_aside": _set_aside,
    "decision.opened": _opened,
    "case.opened": _opened_to_correct,
    "notice.printed": _printed,
    "permit.issued": _issued,
    "permit.ended": _ended,
    "step.contradicted": _contradicted,
    "steps.answered": answered,
    "steps.failed": _failed,
    "steps.planned": _planned,
    "steps.superseded": _superseded,
    **put_right.TELLERS,
    **chased.TELLERS,
}
