"""Whom the sandbox departments know: the people of a file of applications, by citizen ID number."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from services.intake.divisions import Districts
from services.intake.fixture import Fixture, read_fixture
from services.intake.rows import read_applications
from services.policy.registry import default_registry


def read_people(path: Path) -> dict[str, Fixture]:
    """What is known of each person in the file (column 演示核验); rows that cannot be read are nobody."""
    names = {code: text.zh for pack in default_registry().packs for code, text in pack.districts.items()}
    rows = read_applications(path, districts=Districts(names), today=date.max)
    return {
        row.application.person.id_number: read_fixture(row.fixture_text) for row in rows if row.application is not None
    }
