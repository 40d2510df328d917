"""Applications written as the sheet that a police station hands in (.csv)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from services.intake.application import Application
from services.intake.children import Child
from services.intake.columns import COLUMNS
from services.intake.fixture import COLUMN

HEADINGS: Final = (*(column.title for column in COLUMNS), COLUMN)

_GROUNDS: Final = {
    "employment": "就业",
    "business": "营业执照",
    "housing": "住房",
    "settlement": "符合落户条件",
    "other": "其他",
}
_RELATIONS: Final = {"son": "子", "daughter": "女", "ward": "被监护人"}


def cells_of(application: Application, known: str = "", districts: Mapping[str, str] | None = None) -> dict[str, str]:
    """The row's cells by heading; ``known`` is the text of the column 演示核验.

    ``districts`` are names by code; a district without one stands as its code.
    """
    person, residence = application.person, application.residence
    by_path = {
        "application_number": application.application_number,
        "received_on": application.received_on.isoformat(),
        "district": (districts or {}).get(application.district, application.district),
        "station": application.station,
        "person.name": person.name,
        "person.id_number": person.id_number,
        "person.phone": person.phone or "",
        "person.address": person.address or "",
        "term_years": f"{application.term_years}年",
        "grounds": "、".join(_GROUNDS[ground] for ground in application.grounds),
        "residence.registered_on": residence.registered_on.isoformat(),
        "residence.intends_half_year": _flag(residence.intends_half_year),
        "residence.from_outside_county": _flag(residence.from_outside_county),
        "children": ";".join(_child(child) for child in application.children),
        "declared.wants_to_start_business": _flag(application.declared.wants_to_start_business),
    }
    return {column.title: by_path[column.path] for column in COLUMNS} | {COLUMN: known}


def write_sheet(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows of cells by heading to ``path``, in UTF-8 with the mark that Excel looks for."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, HEADINGS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _flag(value: bool) -> str:
    return "是" if value else "否"


def _child(child: Child) -> str:
    parts = (child.name or "", child.born_on.isoformat(), _RELATIONS.get(child.relation or "", ""), child.proof or "")
    return "/".join(parts).rstrip("/")
