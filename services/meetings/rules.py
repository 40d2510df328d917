"""When and how the meeting comes together (ZB87-4.2a: at regular intervals). The rule is a parameter, dated.

By rule every second Tuesday; a day off by the official calendar moves it to the next working day. Whoever changes the
rule says from which day on; meetings that were called stand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import MeetingRule
from services.access import Caller
from services.database import table
from services.errors import InputError
from services.exchange.masking import mask
from services.house import House
from services.meetings.office import of_the_office, office
from services.workdays import Workdays, load_workdays

_RULES = table(MeetingRule)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_BOUNDS = {
    "every_weeks": (1, 13),
    "answer_days": (0, 20),
    "papers_days": (1, 20),
    "beyond_days": (0, 60),
    "agenda_limit": (1, 100),
    "remind_days": (1, 60),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How the meeting is held. ``first_on``: a day of the series, which sets weekday and rhythm; ``begins`` as 09:30.

    All days are working days: ``papers_days`` before the meeting it is called and its papers are sent; departments
    answer until ``answer_days`` before it; a step in trouble comes before the meeting ``beyond_days`` after it was
    asked, or when its deadline is missed; an overdue resolution is chased every ``remind_days``. ``agenda_limit``:
    matters on one agenda. ``calendar`` is the installation's, and no part of the rule.
    """

    first_on: date = date(2014, 10, 14)
    every_weeks: int = 2
    begins: str = "09:30"
    place: str = "市政府会议室"
    papers_days: int = 5
    answer_days: int = 2
    beyond_days: int = 5
    remind_days: int = 3
    agenda_limit: int = 15

    calendar: Workdays = field(default_factory=Workdays, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """As it is kept: days as ISO strings."""
        kept = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "calendar"}
        return kept | {"first_on": self.first_on.isoformat()}

    def next_day(self, day: date) -> date:
        """The first day of the series, moved to a working day where it falls on a day off, not before ``day``."""
        step = timedelta(weeks=self.every_weeks)
        # One step back: one moved by a long holiday may fall on or after `day` although its own day lies before it.
        due = self.first_on + step * ((day - self.first_on) // step - 1)
        while self.calendar.roll(due) < day:
            due += step
        return self.calendar.roll(due)

    def workdays_before(self, day: date, count: int) -> date:
        """The ``count``-th working day before ``day``, which itself is not counted."""
        for _ in range(count):
            day = self.calendar.before(day)
        return day

    def workdays_between(self, day: date, later: date) -> int:
        """How many working days lie after ``day`` up to ``later``; 0 if there are none."""
        return sum(self.calendar.is_workday(day + timedelta(days=n)) for n in range(1, (later - day).days + 1))


def read_rule(content: dict[str, Any], standing: Rule | None = None) -> Rule:
    """The rule that ``content`` says; what it leaves out stays as in ``standing``. InputError names the first field
    that is wrong.
    """
    known = {one.name for one in fields(Rule)} - {"calendar"}
    if unknown := sorted(content.keys() - known):
        raise InputError(f"is no part of the rule; it has {', '.join(sorted(known))}", place=unknown[0])
    merged = (standing or Rule()).to_json() | content
    for name, (least, most) in _BOUNDS.items():
        value = merged[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InputError(f"must be a whole number from {least} to {most}", place=name)
    try:
        merged["first_on"] = date.fromisoformat(str(merged["first_on"]))
    except ValueError:
        raise InputError("must be a day, such as 2014-10-14", place="first_on") from None
    if not _TIME.fullmatch(str(merged["begins"])):
        raise InputError("must be a time of day, such as 09:30", place="begins")
    merged["place"] = line(str(merged["place"]), "place", 80)
    if merged["answer_days"] > merged["papers_days"]:
        raise InputError("must not lie before the day on which the papers are sent", place="answer_days")
    return Rule(**merged)


def line(text: str, place: str, longest: int) -> str:
    """One line of text in which nobody can be recognised; InputError at ``place`` if it is empty, long, or bears a
    number of a person.
    """
    text = " ".join(text.split())
    if not text or not text.isprintable():
        raise InputError("must be one line of text", place=place)
    if len(text) > longest:
        raise InputError(f"may be {longest} characters long, and is {len(text)}", place=place)
    if mask(text) != text:
        raise InputError("must bear no ID number and no telephone number; name the case instead", place=place)
    return text


async def rule_on(connection: AsyncConnection, day: date) -> Rule:
    """The rule that holds on ``day``; before the first that was set, the one that comes with the house."""
    query = select(_RULES.c.content).where(_RULES.c.from_on <= day).order_by(_RULES.c.from_on.desc()).limit(1)
    content = (await connection.execute(query)).scalar_one_or_none()
    rule = read_rule(content) if content is not None else Rule()
    return replace(rule, calendar=await load_workdays(connection))


async def set_rule(house: House, caller: Caller, content: dict[str, Any], from_on: date) -> Rule:
    """Let the rule be changed by ``content`` from the day ``from_on``, today or later."""
    of_the_office(caller)
    if from_on < house.database.clock.today():
        raise InputError("must be today or later; what was held, was held", place="from_on")
    async with office(house, caller) as transaction:
        rule = read_rule(content, await rule_on(transaction.connection, from_on))
        row = {
            "from_on": from_on,
            "content": rule.to_json(),
            "set_by": caller.actor,
            "set_at": transaction.at,
        }
        await transaction.connection.execute(_RULES.delete().where(_RULES.c.from_on == from_on))
        await transaction.insert(MeetingRule, [row])
        transaction.note("meeting.ruled", "system", from_on=from_on.isoformat(), changed=sorted(content))
    return rule
