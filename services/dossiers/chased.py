"""Supervision as a case's story tells it: cards, deadlines that moved, and what else was arranged for its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from models import Holder
from services.dossiers.dossier import Dossier
from services.dossiers.telling import Entry, Sentence, told_steps
from services.lexicon import day_words, listed
from services.policy.text import Text
from services.supervision.words import CAUSE_WORDS, COLOUR_WORDS, HOLDER_WORDS
from services.words import CLOCK_WORDS, DOOR_WORDS

_MOVED_BECAUSE: Mapping[str, Text] = {
    "correction-asked": Text("申请人补正", "the applicant was asked for a correction"),
    "correction-taken": Text("申请人已补正", "the correction came in"),
    "reopened": Text("重新办理", "the case was reopened"),
    "calendar-changed": Text("工作日历调整", "the calendar of working days changed"),
    "outage-declared": Text("部门公告停机", "a department announced an outage"),
    "outage-ended": Text("停机提前结束", "an outage ended early"),
}
_FOUND: Mapping[str, Text] = {
    "first-right": Text("以先前的答复为准", "the first answer is right"),
    "later-right": Text("以后来的答复为准", "the later answer is right"),
}


def _dealt(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    detail = entry.detail
    # A card for our own channel to a department names that department, too, and is not its card.
    theirs = detail["holder"] == Holder.DEPARTMENT
    if not (dossier.shows(detail["department"]) if theirs else dossier.whole):
        return
    who = HOLDER_WORDS[detail["holder"]]
    if theirs:
        name = dossier.lexicon.department(detail["department"], entry.on)
        who = Text(name.zh, name.en)
    colour, cause = COLOUR_WORDS[detail["colour"]], CAUSE_WORDS[detail["cause"]]
    details: tuple[Text, ...] = ()
    if detail.get("due_on"):
        by = day_words(date.fromisoformat(detail["due_on"]))
        details = (Text(f"期限：{by.zh}", f"by {by.en}"),)
    yield Sentence(
        "card", Text(f"向{who.zh}发{colour.zh}：{cause.zh}。", f"{colour.en}, {who.en}: {cause.en}."), details
    )


def _card(zh: str, en: str) -> Callable[[Dossier, Entry], Iterator[Sentence]]:
    """A teller of what was said about a card."""

    def tell(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
        if dossier.whole:
            number, why = entry.detail["card"], entry.detail["because"]
            words = Text(zh.format(card=number), en.format(card=number))
            yield Sentence("card", words, (Text(f"理由：{why}", f"because: {why}"),))

    return tell


def _deadlines(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    details = []
    for key, (before, after) in entry.detail["deadlines"].items():
        step, _, clock = key.rpartition(":")
        department = dossier.steps[step].department if step in dossier.steps else None
        if department is None and (step or not dossier.whole):
            continue
        if department is not None and not dossier.shows(department):
            continue
        what = CLOCK_WORDS.get(clock, CAUSE_WORDS["own"])
        if department is not None:
            name = dossier.lexicon.department(department, entry.on)
            what = Text(f"{name.zh}{what.zh}", f"{name.en}: {what.en}")
        was, now = _day(before), _day(after)
        details.append(Text(f"{what.zh}：{was.zh} → {now.zh}", f"{what.en}: {was.en} → {now.en}"))
    if details:
        why = _MOVED_BECAUSE.get(entry.detail["because"])
        words = Text(
            f"办理期限调整：{why.zh}。" if why else "办理期限按实际用时重新计算。",
            f"Deadlines move: {why.en}." if why else "Deadlines were reckoned anew.",
        )
        yield Sentence("deadlines", words, tuple(details))


def _day(day: str | None) -> Text:
    return day_words(date.fromisoformat(day)) if day is not None else Text("停止计时", "stopped")


def _split(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    step = dossier.steps.get(entry.detail["step"])
    if step is not None and dossier.shows(step.department):
        name = dossier.lexicon.department(step.department, entry.on)
        count = len(entry.detail["services"])
        yield Sentence(
            "split",
            Text(f"{name.zh}有 {count} 项服务不由接口受理，改由网页待办办理。",
                 f"{count} of the services asked of {name.en} are no matter of its endpoint and wait at its desk."),
        )  # fmt: skip


def _fell_back(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    departments = [step.department for step in told_steps(dossier, entry)]
    if departments:
        who, door = listed(departments), DOOR_WORDS[entry.detail["door"]]
        words = Text(f"{who.zh}接口未恢复，改用后备方式：{door.zh}。", f"{who.en}: by its other door now, {door.en}.")
        yield Sentence("fell-back", words)


def _seen(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
    step = dossier.steps.get(entry.detail["step"])
    if step is not None and dossier.shows(step.department):
        name, found = dossier.lexicon.department(step.department, entry.on), _FOUND.get(entry.detail["found"])
        told = Text(f"：{found.zh}", f": {found.en}") if found is not None else Text("", "")
        words = Text(
            f"{name.zh}前后答复不一，已核实{told.zh}。", f"{name.en} had said two things; looked into{told.en}."
        )
        yield Sentence("contradiction-seen", words)


def _plain(kind: str, zh: str, en: str) -> Callable[[Dossier, Entry], Iterator[Sentence]]:
    """A teller that says one sentence to who sees the case whole."""

    def tell(dossier: Dossier, entry: Entry) -> Iterator[Sentence]:
        del entry
        if dossier.whole:
            yield Sentence(kind, Text(zh, en))

    return tell


TELLERS: Mapping[str, Callable[[Dossier, Entry], Iterator[Sentence]]] = {
    "card.dealt": _dealt,
    "card.contested": _card("{card} 号牌：部门申诉。", "Card {card}: its department contests it."),
    "card.lifted": _card("{card} 号牌撤销。", "Card {card} was lifted."),
    "card.upheld": _card("{card} 号牌维持。", "Card {card} was upheld."),
    "deadlines.moved": _deadlines,
    "steps.split": _split,
    "steps.fell_back": _fell_back,
    "contradiction.seen": _seen,
    "evidence.written": _plain("evidence", "导出办理证据。", "Evidence of a step was written out."),
    "case.erased": _plain("erased", "保存期限届满，个人信息已删除。", "The person was erased in time."),
}
