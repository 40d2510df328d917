"""Codes into words for people: departments, services, facts, clauses and reasons, as one case's policy names them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.exchange.reasons import PERMIT_END_REASONS, REASONS
from services.ledger.steps import UNEXPLAINED
from services.policy.explain import explain_code
from services.policy.pack import Pack
from services.policy.registry import PackRegistry
from services.policy.text import Text

_USED_UP = "tries-used-up:"

# Why a step did not get through: what the exchange and the ledger put into `reason`.
_TROUBLES: Mapping[str, Text] = {
    "dns": Text("接口地址无法解析", "the address of the endpoint cannot be resolved"),
    "connect": Text("无法连接对方接口", "the endpoint cannot be reached"),
    "timeout": Text("对方接口超时未应答", "the endpoint did not answer in time"),
    "reset": Text("连接中断", "the connection broke off"),
    "internal": Text("本系统推送出错，与对方无关", "a fault of this system while sending, not of the endpoint"),
    "tls": Text("对方证书未通过校验", "the certificate of the endpoint does not hold"),
    "protocol": Text("对方应答不符合 HTTP 规范", "the answer is not proper HTTP"),
    "address": Text("接口地址不可用", "the address of the endpoint cannot be used"),
    "too-large": Text("对方应答内容过大", "the answer is too large"),
    "redirected": Text(
        "对方接口要求转往其他地址，未予跟随；请更正登记的接口地址",
        "the endpoint points to another address, which is not followed; correct the registered one",
    ),
    "endpoint-gone": Text("对方接口已停用（HTTP 410）", "the endpoint was taken out of service (HTTP 410)"),
    "credentials-unreadable": Text(
        "接口密钥无法解封，请重新生成密钥后启用", "its credentials do not open; give it new ones and open it again"
    ),
    "message-not-written": Text(
        "推送内容无法生成，请管理员核查", "the message could not be written; an administrator must look"
    ),
    "permit-ended": Text("居住证已终止", "the permit has ended"),
    "case-over": Text("办件已终结", "the case is over"),
    "waived": Text("已免办", "its step was waived"),
    "waived-unsent": Text("已免办", "its step was waived"),
    "decided-by-hand": Text("已人工认定", "decided by hand"),
    "asked-anew": Text("重新核验", "asked anew"),
    "no-longer-due": Text("情况有变，不再需要", "no longer needed, since the answer changed"),
}
_NO_REASON = Text("未说明原因", "no reason given")


@dataclass(frozen=True, slots=True)
class Named:
    """A code with its words."""

    code: str
    zh: str
    en: str

    @classmethod
    def of(cls, code: str, words: Text) -> Named:
        """``code`` called ``words``."""
        return cls(code, words.zh, words.en)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one case: those of its own policy pack, and of the newest one where it has none (A16).

    A code that is not known is given back as its own words, so that an old record can always be shown.
    """

    packs: PackRegistry
    pack: Pack | None

    @property
    def book(self) -> Pack:
        """The pack in which names are looked up."""
        return self.pack or self.packs.packs[-1]

    def department(self, code: str, day: date) -> Named:
        """What a department is called on ``day``."""
        found = self.book.departments.get(code)
        return Named.of(code, found.name_on(day)) if found is not None else Named(code, code, code)

    def district(self, code: str) -> Named:
        """What a district is called."""
        return Named.of(code, self.book.districts.get(code, Text(code, code)))

    def ground(self, code: str) -> Named:
        """A ground for the 3-year permit (二（一） to 二（五）)."""
        found = self.book.permit.grounds.get(code)
        return Named.of(code, found.title) if found is not None else Named(code, code, code)

    def fact(self, code: str) -> Named:
        """A fact that a department confirms."""
        found = self.book.facts.get(code)
        return Named.of(code, found.title) if found is not None else Named(code, code, code)

    def service(self, code: str) -> Named:
        """A service by its title."""
        found = self.book.services.get(code)
        return Named.of(code, found.title) if found is not None else Named(code, code, code)

    def clause(self, code: str) -> Named:
        """Any code of a ``because``, with the place in the text that it stands for."""
        return Named.of(code, explain_code(self.pack, code))

    def reason(self, code: str | None) -> Named:
        """Why a department declined, why a message did not get through, or why a permit ended."""
        if not code or code == UNEXPLAINED:
            return Named.of(code or "", _NO_REASON)
        if code.startswith(_USED_UP):
            cause = self.reason(code.removeprefix(_USED_UP))
            return Named(code, f"多次推送均未成功（{cause.zh}）", f"every try failed ({cause.en})")
        if code in REASONS:
            return Named(code, REASONS[code].zh, REASONS[code].en)
        if code in PERMIT_END_REASONS:
            return Named(code, PERMIT_END_REASONS[code].zh, PERMIT_END_REASONS[code].en)
        if code.startswith("http-"):
            status = code.removeprefix("http-")
            return Named(code, f"对方接口返回 HTTP {status}", f"the endpoint answered HTTP {status}")
        return Named.of(code, _TROUBLES.get(code, Text(code, code)))


def listed(names: Iterable[Named]) -> Text:
    """Names in a row: 「教育局、公安局」."""
    every = list(names)
    return Text("、".join(name.zh for name in every), ", ".join(name.en for name in every))


def day_words(day: date) -> Text:
    """A day as documents write it: 「2014年11月3日」."""
    return Text(f"{day.year}年{day.month}月{day.day}日", day.isoformat())


def counted(count: int, noun: str) -> str:
    """``1 service``, ``3 services``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
