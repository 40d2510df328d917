"""Nothing small is told to the public, and nothing that is hidden can be reckoned from what is told."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InputError
from services.house import House
from services.supervision.periods import read_period
from services.supervision.publicity import public_figures, suppress
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

ROWS, COLUMNS = ("a", "b", "c", "d"), ("x", "y", "z")
tables = st.dictionaries(
    st.tuples(st.sampled_from(ROWS), st.sampled_from(COLUMNS)), st.integers(0, 40), min_size=1, max_size=12
)


def _determined(hidden: list[tuple[str, str]], lines: list[list[tuple[str, str]]]) -> set[tuple[str, str]]:
    """The hidden counts that the totals of the lines settle: by elimination, exactly."""
    rows = [[Fraction(int(key in line)) for key in hidden] for line in lines if set(line) & set(hidden)]
    place = 0
    for column in range(len(hidden)):
        pivot = next((r for r in range(place, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [value / rows[place][column] for value in rows[place]]
        for r in range(len(rows)):
            if r != place and rows[r][column]:
                factor = rows[r][column]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[place], strict=True)]
        place += 1
    return {hidden[next(i for i, v in enumerate(row) if v)] for row in rows if sum(bool(value) for value in row) == 1}


@given(table=tables, threshold=st.integers(3, 12))
def test_no_total_gives_a_hidden_number_away(table: dict[tuple[str, str], int], threshold: int) -> None:
    found = suppress(table, threshold)
    rows, columns = {row for row, _ in table}, {column for _, column in table}
    for (row, column), count in table.items():
        shown = found.cell(row, column)
        assert shown in (None, count)
        assert shown is None or shown == 0 or shown >= threshold
    # The totals of rows are told; those of columns are not, and give nothing away either where there are two rows.
    told = [[(row, column) for column in sorted(columns)] for row in sorted(rows) if found.row_total(row) is not None]
    if len(columns) > 1:
        assert _determined(sorted(found.hidden), told) == set()
    for row in rows:
        total = found.row_total(row)
        assert total is None or total == 0 or total >= threshold


async def test_the_public_is_told_counts_by_district_without_the_small_ones(
    house: House, clock: SetClock, departments: Departments
) -> None:
    del departments
    numbers = await registered(house, *(application() for _ in range(11)), application(district="370302"))
    await work(house, *numbers)
    for early in ("2014-11", "2014Q4", "2012-01"):
        with pytest.raises(InputError):
            await public_figures(house, read_period(early))
    clock.set_day(date(2014, 12, 1))
    found = await public_figures(house, read_period("2014-11"))
    assert await public_figures(house, read_period("2014-11")) is found
    assert found.threshold == 10
    police = next(one for one in found.departments if one.department.code == "police")
    # One case in 淄川区 would be told by the total, so that 张店区 is hidden with it.
    assert (police.closed["370302"], police.closed["370303"]) == (None, None)
    assert police.closed_in_all is not None
    assert police.closed_in_all >= 24
    assert police.on_time_share == 1.0
    opened = next(one for one in found.services if one.service.code == "ZB87-3.1.4b")
    assert (opened.opened_in_all, opened.opened["370303"]) == (12, None)
    assert all(count is None or count == 0 or count >= 10 for one in found.services for count in one.opened.values())
