"""Figures for the public (公示): what departments did in a period, and services opened, with small numbers suppressed.

A number below the threshold is not shown, since behind it stand people who could be told. Nor may it be reckoned from
the others: where one number of a line with a total is hidden alone, the next smallest is hidden as well (complementary
suppression), along the rows and the columns of every table until none gives another away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from weakref import WeakKeyDictionary

from services.errors import InputError
from services.house import House
from services.lexicon import Lexicon, Named
from services.supervision.appraisal import Scorecard, appraise
from services.supervision.periods import Period
from services.supervision.uptake import service_figures

Table = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class PublicRow:
    """One department: counts by district and in all, None where hidden; shares only where what they are of is shown."""

    department: Named
    closed: Mapping[str, int | None]
    closed_in_all: int | None
    on_time_share: float | None
    median_hours: float | None


@dataclass(frozen=True, slots=True)
class PublicService:
    """One service: holders for whom it is open, by district and in all; None where hidden."""

    service: Named
    opened: Mapping[str, int | None]
    opened_in_all: int | None


@dataclass(frozen=True, slots=True)
class PublicFigures:
    """What the public is told of one period. ``threshold``: numbers below it, but for 0, are hidden."""

    period: Period
    threshold: int
    districts: tuple[Named, ...]
    departments: tuple[PublicRow, ...]
    services: tuple[PublicService, ...]


class _Kept:
    """What one process told of a period on one day: anybody may ask, so it is reckoned once."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.day: date | None = None
        self.figures: dict[str, PublicFigures] = {}


_kept: WeakKeyDictionary[House, _Kept] = WeakKeyDictionary()


async def public_figures(house: House, period: Period) -> PublicFigures:
    """The figures of ``period`` for the public; the same all day. InputError for a period that is not over (two looks
    at one that grows would tell what came between them) or before any policy.
    """
    today = house.database.clock.today()
    if period.last_day >= today:
        raise InputError("is not over yet; figures are told once it is", place="period")
    if period.last_day < house.packs.packs[0].first_day:
        raise InputError("lies before any policy", place="period")
    kept = _kept.setdefault(house, _Kept())
    async with kept.lock:
        if kept.day != today:
            kept.day, kept.figures = today, {}
        if period.code not in kept.figures:
            kept.figures[period.code] = await _reckon(house, period)
        return kept.figures[period.code]


async def _reckon(house: House, period: Period) -> PublicFigures:
    threshold = house.settings.public_threshold
    words = Lexicon(house.packs, None)
    districts = tuple(words.district(code) for code in words.book.districts)
    cards = (await appraise(house, period)).cards
    services = await service_figures(house, period)
    closed = {(one.department.code, one.district.code): one.closed for one in cards if one.district is not None}
    shown = suppress(closed, threshold)
    opened = {(one.service.code, one.district.code): one.opened for one in services if one.district is not None}
    opened_shown = suppress(opened, threshold)
    return PublicFigures(
        period,
        threshold,
        districts,
        tuple(_row(one, shown, districts, threshold) for one in cards if one.district is None),
        tuple(
            PublicService(
                one.service,
                {each.code: opened_shown.cell(one.service.code, each.code) for each in districts},
                opened_shown.row_total(one.service.code),
            )
            for one in services
            if one.district is None and one.opened
        ),
    )


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A table of counts with what is hidden left out, and the totals that may be told beside it."""

    table: Table
    hidden: frozenset[tuple[str, str]]
    threshold: int

    def cell(self, row: str, column: str) -> int | None:
        """One count; None where it is hidden."""
        return None if (row, column) in self.hidden else self.table.get((row, column), 0)

    def row_total(self, row: str) -> int | None:
        """The sum of a row; None where it is small itself."""
        total = sum(count for (own, _), count in self.table.items() if own == row)
        return None if 0 < total < self.threshold else total


def suppress(table: Table, threshold: int) -> Suppressed:
    """Hide what is below ``threshold``, and as much more as it takes that no total gives it away.

    In a row or a column with exactly one hidden count its total would tell it: the smallest other count that is not 0
    (or 0, if there is nothing else) is hidden with it. Rows and columns in turn, until nothing changes. Where what is
    hidden in a line adds up to less than ``threshold``, one more is hidden, since the sum of the hidden is known.
    """
    hidden = {key for key, count in table.items() if 0 < count < threshold}
    rows, columns = sorted({row for row, _ in table}), sorted({column for _, column in table})
    whole = {(row, column): table.get((row, column), 0) for row in rows for column in columns}
    lines = [[(row, column) for column in columns] for row in rows]
    lines += [[(row, column) for row in rows] for column in columns]
    changed = True
    while changed:
        changed = False
        for line in lines:
            changed = _complete(line, whole, hidden, threshold) or changed
    return Suppressed(whole, frozenset(hidden), threshold)


def _complete(line: Sequence[tuple[str, str]], table: Table, hidden: set[tuple[str, str]], threshold: int) -> bool:
    mine = [key for key in line if key in hidden]
    if not mine or (len(mine) > 1 and sum(table[key] for key in mine) >= threshold):
        return False
    others = sorted((key for key in line if key not in hidden), key=lambda key: (table[key] == 0, table[key], key))
    if not others:
        return False
    hidden.add(others[0])
    return True


def _row(one: Scorecard, shown: Suppressed, districts: Sequence[Named], threshold: int) -> PublicRow:
    code = one.department.code
    total = shown.row_total(code)
    late = one.judged - one.on_time
    # A share of few late cases would tell how many they are.
    tells = total is not None and one.judged >= threshold and (late == 0 or late >= threshold)
    return PublicRow(
        one.department,
        {each.code: shown.cell(code, each.code) for each in districts},
        total,
        round(one.on_time / one.judged, 3) if tells and one.judged else None,
        one.median_hours if total is not None and total >= threshold else None,
    )
