"""The forecast (预测): tier 2 by month, school places next September, expiries, and the steps a department will get.

Made over all permits that are good today, one after the other, from the same ``decide``; kept as counts, so that
looking at it costs nothing. What it was made of and when stands beside it. New applications are not foreseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from sqlalchemy import select

from models import Catchment, Forecast, ForecastCount
from services.access import WHOLE_CITY, Sight
from services.casework.pack_trial import live_permits
from services.clock import china_day
from services.database import table
from services.errors import InputError
from services.house import House
from services.lexicon import Lexicon, Named
from services.policy.text import Text
from services.supervision.coming import school_places, what_comes
from services.supervision.periods import months, next_month

_CATCHMENTS, _FORECASTS, _COUNTS = table(Catchment), table(Forecast), table(ForecastCount)
MONTHS = 12
_SCHOOL_YEAR = (9, 1)
_NO_CATCHMENT = Text("未划定学区", "no catchment known")
MAX_CATCHMENTS = 20_000
Key = tuple[str, date, str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a forecast: what it is of, and how many in each of the months."""

    name: Named
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """School places on the first of September, in one district and catchment (None: not known): children who are due
    schooling then, and those of them who begin.
    """

    district: Named
    catchment: str | None
    children: int
    beginning: int


@dataclass(frozen=True, slots=True)
class ForecastView:
    """The forecast in sight of the reader. ``months`` are first days; every line has one count a month.

    ``tier2`` and ``expiries`` by district; ``load``: steps by department. ``made_at`` is None until it is first made.
    """

    made_at: datetime | None
    permits: int
    months: tuple[date, ...]
    september: date
    tier2: tuple[Line, ...]
    expiries: tuple[Line, ...]
    load: tuple[Line, ...]
    places: tuple[Places, ...]


async def make_forecast(house: House, actor: str) -> int:
    """Make the forecast anew, from tomorrow to the end of the twelfth month; over how many permits.

    The cost follows the permits that are good: measured in docs/measurements.md. Safe to repeat.
    """
    today = house.database.clock.today()
    *_, last = months(today, MONTHS)
    until = max(next_month(last), _september(today))
    catchments = await _catchments(house)
    counts: Counter[Key] = Counter()
    permits = 0
    async for standing in live_permits(house, today):
        permits += 1
        case, question = standing.case, standing.question(today)
        pack_on = partial(house.caseworker.pack, case.pack)
        for one in what_comes(question, pack_on, until):
            counts[one.kind, one.on.replace(day=1), case.district, one.key] += 1
        if question.children:
            due, new = school_places(question, pack_on, _september(today))
            catchment = catchments.get((case.district, case.station), "")
            counts["places", _september(today), case.district, catchment] += due
            counts["beginning", _september(today), case.district, catchment] += new
    async with house.database.write(actor) as transaction:
        await transaction.connection.execute(_COUNTS.delete())
        await transaction.connection.execute(_FORECASTS.delete())
        rows = [
            {"kind": kind, "month": month, "district": district, "key": key, "count": count}
            for (kind, month, district, key), count in sorted(counts.items())
            if count
        ]
        await transaction.insert(ForecastCount, rows)
        made = {"id": 1, "made_at": transaction.at, "until_on": until, "permits": permits}
        await transaction.insert(Forecast, [made])
        transaction.note("forecast.made", "system", permits=permits, until=until.isoformat())
    return permits


async def read_forecast(house: House, sight: Sight = WHOLE_CITY) -> ForecastView:
    """The forecast as it was last made: a district's part of it, or a department's load, for who sees no more."""
    counted = (_COUNTS.c.kind, _COUNTS.c.month, _COUNTS.c.district, _COUNTS.c.key)
    query = select(*counted, _COUNTS.c.count.label("number"))
    if sight.district is not None:
        query = query.where(_COUNTS.c.district == sight.district)
    if sight.department is not None:
        query = query.where(_COUNTS.c.kind == "load", _COUNTS.c.key == sight.department)
    async with house.database.read() as connection:
        made = (await connection.execute(select(_FORECASTS))).one_or_none()
        rows = (await connection.execute(query)).all()
    today = china_day(made.made_at) if made is not None else house.database.clock.today()
    span = tuple(months(today, MONTHS))
    words = Lexicon(house.packs, None)
    by: dict[tuple[str, str], Counter[date]] = {}
    places: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        if row.kind in ("places", "beginning"):
            places.setdefault((row.district, row.key), Counter())[row.kind] += row.number
        else:
            of = row.key if row.kind == "load" else row.district
            by.setdefault((row.kind, of), Counter())[row.month] += row.number
    districts, departments = list(words.book.districts), list(words.book.departments)
    day = house.database.clock.today()
    return ForecastView(
        made_at=made.made_at if made is not None else None,
        permits=made.permits if made is not None else 0,
        months=span,
        september=_september(today),
        tier2=_lines(by, "tier2", [words.district(code) for code in districts], span),
        expiries=_lines(by, "expiry", [words.district(code) for code in districts], span),
        load=_lines(by, "load", [words.department(code, day) for code in departments], span),
        places=tuple(
            Places(words.district(district), catchment or None, found["places"], found["beginning"])
            for (district, catchment), found in sorted(places.items())
        ),
    )


async def set_catchments(house: House, actor: str, rows: Sequence[tuple[str, str, str]]) -> int:
    """Set which catchment the area of each police station belongs to: (district, station, catchment); how many.

    What was set before is replaced whole. InputError with the row for a district that no pack knows, or a blank.
    """
    if not 1 <= len(rows) <= MAX_CATCHMENTS:
        raise InputError(f"give 1 to {MAX_CATCHMENTS} rows", place="catchments")
    districts = Lexicon(house.packs, None).book.districts
    for place, (district, station, catchment) in enumerate(rows, start=1):
        if district not in districts:
            raise InputError("is no district's code", place=f"row {place}: district")
        if not station.strip() or not catchment.strip():
            raise InputError("must not be blank", place=f"row {place}")
    whole: Mapping[tuple[str, str], str] = {(district, station): name for district, station, name in rows}
    async with house.database.write(actor) as transaction:
        await transaction.connection.execute(_CATCHMENTS.delete())
        await transaction.insert(
            Catchment,
            [
                {"district": district, "station": station, "catchment": name}
                for (district, station), name in whole.items()
            ],
        )
        transaction.note("forecast.catchments_set", "system", rows=len(whole))
    return len(whole)


def catchment_words(catchment: str | None) -> Text:
    """What a catchment is called."""
    return Text(catchment, catchment) if catchment is not None else _NO_CATCHMENT


def _september(today: date) -> date:
    """The next first of September after ``today``."""
    this_year = date(today.year, *_SCHOOL_YEAR)
    return this_year if today < this_year else date(today.year + 1, *_SCHOOL_YEAR)


async def _catchments(house: House) -> dict[tuple[str, str], str]:
    async with house.database.read() as connection:
        rows = await connection.execute(select(_CATCHMENTS))
        return {(row.district, row.station): row.catchment for row in rows}


def _lines(
    by: Mapping[tuple[str, str], Counter[date]], kind: str, names: Sequence[Named], span: Sequence[date]
) -> tuple[Line, ...]:
    found = []
    for name in names:
        counts = by.get((kind, name.code))
        if counts is not None and any(counts[month] for month in span):
            found.append(Line(name, tuple(counts[month] for month in span)))
    return tuple(found)
