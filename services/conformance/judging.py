"""Judging answers: what it means that a receiver took a message, or turned it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.conformance.kit import Answered
from services.exchange.messages import Message

Verdict = Literal["pass", "fail", "not-run"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a check came to, with what was found in words."""

    verdict: Verdict
    zh: str
    en: str


def judged(*, good: bool, zh: str, en: str) -> Found:
    """Passed if ``good``, else failed, with what was found."""
    return Found("pass" if good else "fail", zh, en)


def all_taken(answers: Sequence[Answered], messages: Sequence[Message]) -> Found:
    """All taken, and whatever outcomes were told can be read and are about what was sent."""
    for answer in answers:
        if not answer.taken:
            return judged(good=False, zh=f"返回 {answer.words}", en=f"answered {answer.words}")
        if answer.problem is not None:
            return judged(
                good=False, zh=f"应答内容无法识别：{answer.problem}", en=f"answer unreadable: {answer.problem}"
            )
        strange = {outcome.step for outcome in answer.outcomes} - {message.step_id for message in messages}
        if strange:
            return judged(good=False, zh="答复了未推送的事项", en="tells the outcome of a step that was not sent")
    words = " / ".join(dict.fromkeys(answer.words for answer in answers))
    return judged(good=True, zh=f"返回 {words}", en=f"answered {words}")


def all_refused(*answers: Answered) -> Found:
    """All turned away by a 4xx."""
    for answer in answers:
        if answer.taken:
            return judged(good=False, zh=f"未拒收（{answer.words}）", en=f"took it ({answer.words})")
        if not answer.refused:
            return judged(
                good=False,
                zh=f"应以 4xx 拒收，实为 {answer.words}",
                en=f"must refuse with 4xx, answered {answer.words}",
            )
    words = " / ".join(dict.fromkeys(answer.words for answer in answers))
    return judged(good=True, zh=f"已拒收（{words}）", en=f"refused ({words})")
