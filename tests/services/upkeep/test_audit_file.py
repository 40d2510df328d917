"""The exported audit log is checked without a database, and every way of tampering with it is noticed."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.audit import Note, entry_hash
from services.errors import InputError
from services.evidence.seal import Seal
from services.house import House
from services.upkeep.audit_file import check_audit_file, export_audit

ENTRIES = 4


@pytest.fixture
async def exported(house: House, tmp_path: Path) -> Path:
    for number in range(ENTRIES - 1):
        async with house.database.write("clerk:zhangdian-1") as transaction:
            transaction.note("case.received", f"370303-2014-{number:06d}", grounds=["employment"], 词="核验")
    path = tmp_path / "audit.jsonl"
    written = await export_audit(house, path, "operator")
    assert written.entries == ENTRIES
    return path


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


async def test_a_file_holds_and_names_its_seal(house: House, exported: Path) -> None:
    key = Seal.of(house.keys).public_key
    finding = check_audit_file(exported, key)
    assert (finding.entries, finding.problem, finding.public_key) == (ENTRIES, None, key)
    assert finding.source == house.settings.source


def test_a_file_is_its_writers_alone(exported: Path) -> None:
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600


async def test_the_export_is_an_entry_of_its_own_file(exported: Path) -> None:
    assert _lines(exported)[-2]["action"] == "audit.exported"


async def test_an_export_overwrites_nothing(house: House, exported: Path) -> None:
    before = _lines(exported)
    with pytest.raises(InputError, match="cannot be written"):
        await export_audit(house, exported, "operator")
    assert _lines(exported) == before


def _altered(lines: list[dict[str, Any]]) -> None:
    lines[2]["actor"] = "nobody"


def _other_spelling(lines: list[dict[str, Any]]) -> None:
    lines[2]["at"] = lines[2]["at"].replace("+00:00", "Z")


def _removed(lines: list[dict[str, Any]]) -> None:
    del lines[2]


def _swapped(lines: list[dict[str, Any]]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def _cut_tail(lines: list[dict[str, Any]]) -> None:
    del lines[-2]


def _without_end(lines: list[dict[str, Any]]) -> None:
    del lines[-1]


def _more_after_the_end(lines: list[dict[str, Any]]) -> None:
    lines.append(lines[1])


def _extra_member(lines: list[dict[str, Any]]) -> None:
    lines[1]["note"] = "x"


def _from_elsewhere(lines: list[dict[str, Any]]) -> None:
    lines[0]["source"] = "urn:somewhere:else"


def _counted_anew(lines: list[dict[str, Any]]) -> None:
    """Alter an entry and make the whole chain fit it, as somebody could who knows the format but not the key."""
    lines[1]["actor"], previous = "nobody", "0" * 64
    for sequence, line in enumerate(lines[1:-1], 1):
        note = Note(line["action"], line["subject"], line["detail"], line["actor"])
        line["previous"] = previous
        previous = line["hash"] = entry_hash(sequence, datetime.fromisoformat(line["at"]), note, previous)
    lines[-1]["end"]["head"] = previous


@pytest.mark.parametrize(
    ("tamper", "line", "problem"),
    [
        (_altered, 3, "entry 2 was altered"),
        (_other_spelling, 3, "entry 2 was altered"),
        (_removed, 3, "entry 2 is missing"),
        (_swapped, 3, "entry 2 is missing"),
        (_cut_tail, 5, "does not fit the entries"),
        (_without_end, 6, "cut off"),
        (_more_after_the_end, 7, "follows the end"),
        (_extra_member, 2, "is no entry"),
        (_from_elsewhere, 6, "seal does not fit"),
        (_counted_anew, 6, "seal does not fit"),
    ],
)
async def test_tampering_is_named(
    exported: Path, tamper: Callable[[list[dict[str, Any]]], None], line: int, problem: str
) -> None:
    lines = _lines(exported)
    tamper(lines)
    _write(exported, lines)
    finding = check_audit_file(exported)
    assert finding.line == line
    assert finding.problem is not None
    assert problem in finding.problem


async def test_another_installations_seal_is_refused(exported: Path) -> None:
    finding = check_audit_file(exported, "00" * 32)
    assert finding.problem == "was sealed with another key than the one given"


@pytest.mark.parametrize("content", [b"", b"{", b"[]\n", b'{"format":"other"}\n', b"\x00" * 100])
def test_what_is_no_log_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    assert check_audit_file(path).line == 1


def test_a_file_that_is_not_there_is_the_users_matter(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        check_audit_file(tmp_path / "none.jsonl")
