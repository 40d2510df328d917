"""The appraisal (考核): what each department did in a period, in the whole city and in each district, and its score.

Every figure is a sum over ``Measure``; a department can see the steps behind each, and contest one. A share is taken
of what it applies to: a department that declined nothing has no share of reasoned refusals, and is not judged by it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import AppraisalWeight, Card, CardColour, CardState, Case, Holder, Reminder, Satisfaction
from services.access import WHOLE_CITY, Sight
from services.database import table
from services.errors import InputError
from services.house import House
from services.lexicon import Lexicon, Named
from services.supervision.board import cards_in
from services.supervision.measures import Measure, measures
from services.supervision.periods import Period
from services.supervision.words import FIGURE_WORDS

_CARDS, _WEIGHTS, _SATISFACTION, _CASES = table(Card), table(AppraisalWeight), table(Satisfaction), table(Case)
_REMINDERS = table(Reminder)
# What a figure weighs unless the meeting set it otherwise.
DEFAULT_WEIGHTS: Mapping[str, int] = {"on_time": 40, "first_right": 20, "reasoned": 10, "cards": 20, "satisfaction": 10}
MAX_WEIGHT = 1_000
# A yellow card weighs a fifth of a red one.
_YELLOW = 0.2
_BEST, _WORST = 5, 1
Key = tuple[str, str | None]


@dataclass(slots=True)
class _Sums:
    received: int = 0
    closed: int = 0
    on_time: list[bool] = field(default_factory=list)
    first_right: list[bool] = field(default_factory=list)
    declined: int = 0
    reasoned: list[bool] = field(default_factory=list)
    hours: list[float] = field(default_factory=list)
    yellow: int = 0
    red: int = 0
    warned: int = 0
    chased: int = 0
    scores: list[int] = field(default_factory=list)

    def add(self, one: Measure) -> None:
        self.received += one.received
        self.closed += one.closed
        self.declined += one.declined
        for values, value in (
            (self.on_time, one.on_time), (self.first_right, one.first_right), (self.reasoned, one.reasoned),
        ):  # fmt: skip
            if value is not None:
                values.append(value)
        if one.hours is not None:
            self.hours.append(one.hours)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One department in one period, in one district (None: the whole city).

    ``judged`` is how many closed steps ``on_time`` is a share of: all but those taken out after a dispute; likewise
    ``refusals`` for ``reasoned``. ``warned`` and ``chased``: yellow and red cards on what the joint meeting settled for
    it to do (督办), of no district. ``median_hours`` and ``p90_hours``: working time in the department's hands.
    ``satisfaction`` from 1 to 5, by ``answers`` holders. ``score``: 0 to 100; None where nothing can be judged.
    """

    department: Named
    district: Named | None
    received: int
    closed: int
    judged: int
    on_time: int
    first_judged: int
    first_right: int
    declined: int
    refusals: int
    reasoned: int
    yellow: int
    red: int
    warned: int
    chased: int
    median_hours: float | None
    p90_hours: float | None
    satisfaction: float | None
    answers: int
    score: float | None


@dataclass(frozen=True, slots=True)
class Appraisal:
    """The scorecards of a period: of each department the whole city first, then its districts."""

    period: Period
    weights: Mapping[str, int]
    cards: tuple[Scorecard, ...]

    def of(self, department: str, district: str | None = None) -> Scorecard | None:
        """One scorecard."""
        for one in self.cards:
            if one.department.code == department and (one.district.code if one.district else None) == district:
                return one
        return None


async def appraise(house: House, period: Period, sight: Sight = WHOLE_CITY) -> Appraisal:
    """The appraisal of ``period`` as far as it is in ``sight``."""
    sums: dict[Key, _Sums] = defaultdict(_Sums)
    async with house.database.read() as connection:
        async for one in measures(house, connection, period, sight):
            sums[one.department, None].add(one)
            sums[one.department, one.district].add(one)
        await _add_cards(connection, period, sight, sums)
        await _add_chased(connection, period, sight, sums)
        await _add_satisfaction(connection, period, sight, sums)
        weights = await load_weights(connection)
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    order = {code: place for place, code in enumerate(words.book.departments)}
    keys = sorted(sums, key=lambda key: (order.get(key[0], len(order)), key[0], key[1] or ""))
    if sight.district is not None:
        # Of one district the whole is no more than the district itself.
        keys = [key for key in keys if key[1] is not None]
    return Appraisal(period, weights, tuple(_scorecard(words, today, key, sums[key], weights) for key in keys))


async def load_weights(connection: AsyncConnection) -> dict[str, int]:
    """What each figure weighs now."""
    rows = await connection.execute(select(_WEIGHTS.c.figure, _WEIGHTS.c.weight))
    return {**DEFAULT_WEIGHTS, **{row.figure: row.weight for row in rows if row.figure in DEFAULT_WEIGHTS}}


async def set_weight(house: House, actor: str, figure: str, weight: int) -> dict[str, int]:
    """Let ``figure`` weigh ``weight`` (0: nothing) from now on; all weights. InputError for one that there is not."""
    if figure not in DEFAULT_WEIGHTS:
        raise InputError(f"must be one of {', '.join(DEFAULT_WEIGHTS)}", place="figure")
    if not 0 <= weight <= MAX_WEIGHT:
        raise InputError(f"must be 0 to {MAX_WEIGHT}", place="weight")
    async with house.database.write(actor) as transaction:
        connection = transaction.connection
        await connection.execute(_WEIGHTS.delete().where(_WEIGHTS.c.figure == figure))
        row = {"figure": figure, "weight": weight, "set_by": transaction.actor, "set_at": transaction.at}
        await transaction.insert(AppraisalWeight, [row])
        transaction.note("appraisal.weighed", "system", figure=figure, weight=weight)
        return await load_weights(connection)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile: the smallest value that at least ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def figure_names() -> tuple[Named, ...]:
    """The figures that weigh, with their words."""
    return tuple(Named.of(code, FIGURE_WORDS[code]) for code in DEFAULT_WEIGHTS)


async def _add_cards(connection: AsyncConnection, period: Period, sight: Sight, sums: Mapping[Key, _Sums]) -> None:
    first, end = period.bounds
    query = (
        select(_CARDS.c.department, _CARDS.c.district, _CARDS.c.colour, func.count())
        .where(
            _CARDS.c.dealt_at >= first, _CARDS.c.dealt_at < end, _CARDS.c.state != CardState.LIFTED,
            _CARDS.c.holder == Holder.DEPARTMENT, cards_in(sight),
        )
        .group_by(_CARDS.c.department, _CARDS.c.district, _CARDS.c.colour)
    )  # fmt: skip
    for department, district, colour, count in await connection.execute(query):
        for key in ((department, None), (department, district)):
            if colour is CardColour.RED:
                sums[key].red += count
            else:
                sums[key].yellow += count


async def _add_chased(connection: AsyncConnection, period: Period, sight: Sight, sums: Mapping[Key, _Sums]) -> None:
    if sight.district is not None:
        return
    query = (
        select(_REMINDERS.c.department, _REMINDERS.c.colour, func.count())
        .where(_REMINDERS.c.on >= period.first_day, _REMINDERS.c.on <= period.last_day)
        .group_by(_REMINDERS.c.department, _REMINDERS.c.colour)
    )
    if sight.department is not None:
        query = query.where(_REMINDERS.c.department == sight.department)
    for department, colour, count in await connection.execute(query):
        if colour is CardColour.RED:
            sums[department, None].chased += count
        else:
            sums[department, None].warned += count


async def _add_satisfaction(
    connection: AsyncConnection, period: Period, sight: Sight, sums: Mapping[Key, _Sums]
) -> None:
    query = (
        select(_SATISFACTION.c.department, _CASES.c.district, _SATISFACTION.c.score)
        .join(_CASES, _CASES.c.number == _SATISFACTION.c.case_number)
        .where(_SATISFACTION.c.given_on >= period.first_day, _SATISFACTION.c.given_on <= period.last_day)
    )
    if sight.department is not None:
        query = query.where(_SATISFACTION.c.department == sight.department)
    if sight.district is not None:
        query = query.where(_CASES.c.district == sight.district)
    for department, district, score in await connection.execute(query):
        for key in ((department, None), (department, district)):
            sums[key].scores.append(score)


def _scorecard(words: Lexicon, today: date, key: Key, sums: _Sums, weights: Mapping[str, int]) -> Scorecard:
    department, district = key
    p90 = percentile(sums.hours, 0.9)
    return Scorecard(
        department=words.department(department, today),
        district=words.district(district) if district is not None else None,
        received=sums.received,
        closed=sums.closed,
        judged=len(sums.on_time),
        on_time=sum(sums.on_time),
        first_judged=len(sums.first_right),
        first_right=sum(sums.first_right),
        declined=sums.declined,
        refusals=len(sums.reasoned),
        reasoned=sum(sums.reasoned),
        yellow=sums.yellow,
        red=sums.red,
        warned=sums.warned,
        chased=sums.chased,
        median_hours=round(median(sums.hours), 2) if sums.hours else None,
        p90_hours=p90,
        satisfaction=round(sum(sums.scores) / len(sums.scores), 2) if sums.scores else None,
        answers=len(sums.scores),
        score=_score(sums, weights),
    )


def _score(sums: _Sums, weights: Mapping[str, int]) -> float | None:
    shares: dict[str, float] = {}
    for figure, values in (
        ("on_time", sums.on_time), ("first_right", sums.first_right), ("reasoned", sums.reasoned),
    ):  # fmt: skip
        if values:
            shares[figure] = sum(values) / len(values)
    red, yellow = sums.red + sums.chased, sums.yellow + sums.warned
    if sums.closed or red or yellow:
        shares["cards"] = 1 - min(1.0, (red + _YELLOW * yellow) / max(1, sums.closed))
    if sums.scores:
        shares["satisfaction"] = (sum(sums.scores) / len(sums.scores) - _WORST) / (_BEST - _WORST)
    whole = sum(weights[figure] for figure in shares)
    return round(100 * sum(weights[figure] * share for figure, share in shares.items()) / whole, 1) if whole else None


def totals(cards: Iterable[Scorecard]) -> dict[str, int]:
    """The sums of the counts of ``cards``."""
    names = ("received", "closed", "judged", "on_time", "first_judged", "first_right", "declined", "refusals",
             "reasoned", "yellow", "red", "warned", "chased")  # fmt: skip
    listed = list(cards)
    return {name: sum(getattr(one, name) for one in listed) for name in names}
