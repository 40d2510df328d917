"""A file of applications goes in by parts; interrupted anywhere, the same file again brings in the rest and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.demo.sheet import cells_of, write_sheet
from services.house import House
from services.intake import importing
from services.intake.divisions import Districts
from services.intake.importing import ImportReport, import_file
from services.intake.register import Registry
from tests.testing.looking import chain_length
from tests.testing.people import application

PART = 3


@pytest.fixture
def bring_in(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a file by parts of three rows."""
    monkeypatch.setattr(importing, "_PART", PART)
    registry = Registry(house.database, house.keys, house.packs)
    districts = Districts({code: name.zh for pack in house.packs.packs for code, name in pack.districts.items()})

    async def bring_in(path: Path, told: Any = lambda _: None) -> ImportReport:
        return await import_file(registry, path, districts, "clerk:test", told)

    return bring_in


@pytest.fixture
def rows() -> list[dict[str, str]]:
    return [cells_of(application()) for _ in range(8)]


async def test_good_rows_go_in_and_progress_is_told(tmp_path: Path, rows: Any, bring_in: Any) -> None:
    rows[4]["公民身份号码"] = "370303199001011234"
    write_sheet(tmp_path / "a.csv", rows)
    seen: list[tuple[int, int]] = []
    report = await bring_in(tmp_path / "a.csv", lambda now: seen.append((now.rows, len(now.new))))
    assert (report.rows, len(report.new), report.known, report.rejected_rows) == (8, 7, 0, 1)
    assert seen == [(3, 3), (6, 5), (8, 7)]
    assert [reject.row for reject in report.rejects] == [6]
    assert report.rejects_file is not None
    assert report.rejects_file.exists()


async def test_interrupted_in_the_middle_the_rest_comes_with_the_same_file(
    tmp_path: Path, rows: Any, bring_in: Any, house: House
) -> None:
    write_sheet(tmp_path / "a.csv", rows)

    def stop(now: ImportReport) -> None:
        if now.rows == 2 * PART:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await bring_in(tmp_path / "a.csv", stop)
    report = await bring_in(tmp_path / "a.csv")
    assert (len(report.new), report.known, report.rejected_rows) == (2, 6, 0)
    entries = await chain_length(house)
    again = await bring_in(tmp_path / "a.csv")
    assert (len(again.new), again.known) == (0, 8)
    assert await chain_length(house) == entries


async def test_one_person_twice_is_noticed_across_parts(tmp_path: Path, rows: Any, bring_in: Any) -> None:
    rows[7] = rows[0] | {"申请编号": "T-SECOND"}
    write_sheet(tmp_path / "a.csv", rows)
    report = await bring_in(tmp_path / "a.csv")
    assert (len(report.new), [(one.row, one.problem.field) for one in report.rejects]) == (7, [(9, "公民身份号码")])


async def test_a_list_of_rejects_that_is_no_longer_true_goes_away(tmp_path: Path, rows: Any, bring_in: Any) -> None:
    bad = rows[0]["区县"]
    rows[0]["区县"] = "海淀区"
    write_sheet(tmp_path / "a.csv", rows)
    report = await bring_in(tmp_path / "a.csv")
    assert report.rejects_file is not None
    rows[0]["区县"] = bad
    write_sheet(tmp_path / "a.csv", rows)
    mended = await bring_in(tmp_path / "a.csv")
    assert (len(mended.new), mended.rejects_file) == (1, None)
    assert not report.rejects_file.exists()
