"""The console speaks English throughout: every word that a page says in Chinese stands in the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from api.console import catalogue
from api.console.catalogue import translations

CONSOLE = Path(catalogue.__file__).parent.parent
ENGLISH = sorted((CONSOLE / "catalogue" / "en").glob("*.po"))
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_PLACE = re.compile(r"%\(\w+\)s")


def said() -> dict[str, str]:
    """Every message of the console with where it stands."""
    found = extract_from_dir(
        str(CONSOLE),
        [("**.html", "jinja2"), ("**.py", "python")],
        keywords={"_": None, "gettext": None, "said": None},
    )
    return {message: f"{name}:{line}" for name, line, message, _, _ in found if isinstance(message, str)}


def entries() -> Iterator[tuple[Path, str, str]]:
    for path in ENGLISH:
        with path.open("rb") as source:
            for message in read_po(source, locale="en"):
                if message.id:
                    yield path, str(message.id), str(message.string)


def test_every_word_has_its_english() -> None:
    words = said()
    assert len(words) > 100
    english = translations("en")
    missing = [f"{where}  {message}" for message, where in words.items() if english.gettext(message) == message]
    assert missing == []


def test_no_word_is_translated_twice_or_for_nothing() -> None:
    seen: dict[str, Path] = {}
    twice = []
    for path, message, _ in entries():
        if message in seen:
            twice.append(f"{message}: {seen[message].name}, {path.name}")
        seen[message] = path
    assert twice == []
    assert sorted(set(seen) - set(said())) == []


def test_english_is_english_and_keeps_its_places() -> None:
    wrong = [
        f"{path.name}: {message}" for path, message, english in entries()
        if _CHINESE.search(english) or sorted(_PLACE.findall(message)) != sorted(_PLACE.findall(english))
    ]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("path", sorted((CONSOLE / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_no_chinese_stands_in_a_template_outside_of_a_message(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    if path.parent.name == "print":
        pytest.skip("documents for holders are in Chinese by law")
    outside = re.sub(r"_\((['\"]).*?\1", "", text)
    lines = [line.strip() for line in outside.splitlines() if _CHINESE.search(line)]
    assert [line for line in lines if 'lang="zh-CN"' not in line] == []
