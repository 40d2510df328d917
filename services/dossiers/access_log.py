"""The person's access log (个人信息使用记录): who was sent what about the person of a case, when, what for, on what
clause.

It is told from the tries as they were made: the fields are those that each message bore, not those it might have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row

from services.access import WHOLE_CITY, Sight
from services.clock import china_day
from services.dossiers.dossier import Dossier, load_dossier, load_entries
from services.exchange.orders import read_order
from services.house import House
from services.lexicon import Named
from services.policy.text import Text
from services.words import FIELD_WORDS, KIND_WORDS

_DAY = timedelta(days=1)
# Tries that failed before anything of the message left this system.
_NOTHING_LEFT = frozenset({"dns", "connect", "tls", "address", "token"})
_OPENINGS: Mapping[str, Text] = {
    "decision.opened": Text(
        "查看决定全文（含出生日期和核验事实）", "opened a decision with its facts and days of birth"
    ),
    "case.opened": Text("打开申请全文，用于补正", "opened the application, to put it right"),
    "notice.printed": Text("打印受理回执或者权益告知书（含姓名）", "printed a notice that bears the name"),
    "case.seen": Text("查看本件（身份信息已遮盖）", "looked at the case, its person masked"),
    "evidence.written": Text("导出一项协办事项的证据包", "had the bundle of evidence of a step written"),
}


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What one department was sent by one step. ``at`` is the first try, ``last_at`` the last; a step sent again is the
    same message. ``received``: the department confirmed that it has it. ``recorded``: the fields were written down
    when it was sent; else they are those the pack allows.
    """

    at: datetime
    last_at: datetime
    step: str
    department: Named
    kind: Named
    purpose: Text
    clauses: tuple[Named, ...]
    fields: tuple[Named, ...]
    tries: int
    received: bool
    recorded: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody of this house opened what is personal in the case."""

    at: datetime
    actor: str
    what: Text


@dataclass(frozen=True, slots=True)
class AccessLog:
    """The access log of one case, each part in order of time."""

    number: str
    sent: tuple[Disclosure, ...]
    opened: tuple[Opened, ...]


async def read_access_log(house: House, number: str, sight: Sight = WHOLE_CITY) -> AccessLog:
    """The access log of the case ``number`` as far as it is in ``sight``; NotFoundError if it is not.

    A department's officer sees what the department itself was sent.
    """
    async with house.database.read() as connection:
        dossier = await load_dossier(connection, house, number, sight)
        entries = await load_entries(connection, number) if dossier.whole else ()
    sent = [
        _disclosure(house, dossier, step, tries)
        for step in dossier.steps.values()
        if dossier.shows(step.department)
        and (tries := [one for one in dossier.attempts.get(step.id, ()) if one.error not in _NOTHING_LEFT])
    ]
    opened = (Opened(one.at, one.actor, _OPENINGS[one.action]) for one in entries if one.action in _OPENINGS)
    return AccessLog(number, tuple(sorted(sent, key=lambda one: (one.at, one.step))), tuple(opened))


def _disclosure(house: House, dossier: Dossier, step: Row[Any], tries: Sequence[Row[Any]]) -> Disclosure:
    order = read_order(
        step_id=step.id,
        case_number=step.case_number,
        department=step.department,
        kind=step.kind,
        asked_at=step.created_at,
        answer_by=step.answer_by,
        content=step.content,
    )
    writer = house.writer(step.pack)
    # Written about nobody, the message still says what for and on what clause.
    data = orjson.loads(writer.build(order, {}).body)["data"]
    recorded = all(one.fields is not None for one in tries)
    names = {name for one in tries for name in (one.fields or "").split()} if recorded else set(writer.fields(order))
    # Tries stand in wire time; a simulated system's business time is whole days away from it.
    shift = _DAY * round((step.created_at - tries[0].started_at) / _DAY) if house.database.clock.shift else timedelta(0)
    words = dossier.lexicon
    return Disclosure(
        at=tries[0].started_at + shift,
        last_at=tries[-1].started_at + shift,
        step=step.id,
        department=words.department(step.department, china_day(step.created_at)),
        kind=Named.of(step.kind.value, KIND_WORDS[step.kind.value]),
        purpose=Text(data["purpose"]["zh"], data["purpose"]["en"]),
        clauses=tuple(words.clause(code) for code in data["clauses"]),
        fields=tuple(Named.of(name, one) for name, one in FIELD_WORDS.items() if name in names),
        tries=len(tries),
        received=any(one.status is not None and 200 <= one.status < 300 for one in tries),
        recorded=recorded,
    )
