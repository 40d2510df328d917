"""The city's districts, a day, and applications that are good until a test spoils them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.intake.columns import COLUMNS
from services.intake.divisions import Districts
from services.policy.registry import default_registry

GOOD: dict[str, Any] = {
    "application_number": "ZD-2014-000123",
    "received_on": "2014-10-08",
    "district": "370303",
    "station": "科苑派出所",
    "term_years": 3,
    "grounds": ["employment"],
    "person": {"name": "王小明", "id_number": "370123198503029965", "phone": "15400000000", "address": "柳泉路1号"},
    "residence": {"registered_on": "2013-03-01", "intends_half_year": True, "from_outside_county": True},
    "children": [{"name": "王一", "born_on": "2008-05-01", "relation": "daughter"}],
    "declared": {"wants_to_start_business": False},
}
CELLS = {
    "申请编号": "ZD-2014-000123",
    "受理日期": "2014-10-08",
    "区县": "张店区",
    "派出所": "科苑派出所",
    "姓名": "王小明",
    "公民身份号码": "370123198503029965",
    "手机号码": "15400000000",
    "居住地址": "柳泉路1号",
    "申领期限": "3年",
    "申领情形": "就业",
    "居住登记日期": "2013-03-01",
    "拟居住半年以上": "是",
    "来自本县以外": "是",
    "子女": "王一/2008-05-01/女",
    "有创业需求": "否",
}


@pytest.fixture
def today() -> date:
    return date(2014, 11, 3)


@pytest.fixture(scope="session")
def districts() -> Districts:
    pack = default_registry().named("zibo-2014-87")
    return Districts({code: name.zh for code, name in pack.districts.items()})


@pytest.fixture
def good() -> dict[str, Any]:
    return copy.deepcopy(GOOD)


@pytest.fixture
def cells() -> dict[str, str]:
    return dict(CELLS)


@pytest.fixture
def csv_of(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows of cells by heading as a .csv and gives its path."""

    def write(*rows: Mapping[str, str], encoding: str = "utf-8", headings: list[str] | None = None) -> Path:
        titles = headings or [column.title for column in COLUMNS]
        lines = [titles, *([row.get(title, "") for title in titles] for row in rows)]
        path = tmp_path / "applications.csv"
        path.write_bytes("\r\n".join(",".join(line) for line in lines).encode(encoding))
        return path

    return write
