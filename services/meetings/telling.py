"""What a what-if found, in words and rows, for tables and programs alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.casework.differing import DATES, GAINS, LOSES, OWNER, WAITS
from services.house import House
from services.lexicon import Lexicon, Named
from services.meetings.whatif import WhatIf
from services.policy.text import Text

CHANGE_WORDS = {
    GAINS: Text("新增", "gains"),
    LOSES: Text("停止", "loses"),
    WAITS: Text("待核验", "waits"),
    DATES: Text("日期变化", "other days"),
    OWNER: Text("换部门", "another owner"),
}


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """So many permits of one district for which one service changes in one way, in one month."""

    change: str
    service: Named
    department: Named
    district: Named
    month: str
    why: tuple[str, ...]
    permits: int


@dataclass(frozen=True, slots=True)
class LoadRow:
    """So many services that a department has to open, withdraw or date anew in a month."""

    department: Named
    month: str
    services: int


@dataclass(frozen=True, slots=True)
class DistrictRow:
    """Of the live permits of a district: how many were looked at, and how many change."""

    district: Named
    seen: int
    affected: int


@dataclass(frozen=True, slots=True)
class ToldWhatIf:
    """The whole, counts only."""

    pack: str
    on: date
    permits: int
    seen: int
    affected: int
    whole: bool
    districts: tuple[DistrictRow, ...]
    shifts: tuple[ShiftRow, ...]
    load: tuple[LoadRow, ...]


def tell_what_if(house: House, found: WhatIf) -> ToldWhatIf:
    """``found`` with its codes in words, the largest counts first."""
    words, day = Lexicon(house.packs, None), found.on
    shifts = [
        ShiftRow(
            shift.change, words.service(shift.service), words.department(shift.department, day),
            words.district(district), shift.month, shift.why, count,
        )
        for (shift, district), count in found.shifts.items()
    ]  # fmt: skip
    load = [
        LoadRow(words.department(department, day), month, count) for (department, month), count in found.load.items()
    ]
    districts = [
        DistrictRow(words.district(code), seen, found.districts[code]) for code, seen in sorted(found.seen_in.items())
    ]
    return ToldWhatIf(
        found.pack,
        day,
        found.permits,
        found.seen,
        found.affected,
        found.whole,
        tuple(districts),
        tuple(sorted(shifts, key=lambda row: (-row.permits, row.service.code, row.district.code, row.month))),
        tuple(sorted(load, key=lambda row: (row.department.code, row.month))),
    )
