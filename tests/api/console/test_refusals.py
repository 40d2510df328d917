"""Refusals reach an official in Chinese: every sentence that a form of the console can bring has its words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import api
import services
from api.console.refusals import in_words, refusal_words
from services import errors
from services.errors import AccessError, ConflictError, InputError, LianbanError

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ROOT = Path(services.__file__).parent
_API = Path(api.__file__).parent
# What an official at the console never meets: programs' own messages, packs and files on the disk, the command line.
_ELSEWHERE = (
    "conformance", "evidence", "upkeep", "policy", "intake/fixture.py", "intake/rejects.py", "intake/template.py",
    "settings.py", "simulation.py", "exchange/catalogue.py", "exchange/messages.py", "exchange/outcomes.py",
    "exchange/schemas.py", "exchange/signatures.py",
)  # fmt: skip
_DOORS = ("console", "entrance", "guard.py", "cursors.py", "system/runs.py")
_BLANK = re.compile(r"\{\w+\}")


def _modules() -> Iterator[Path]:
    for path in sorted(_ROOT.rglob("*.py")):
        if not str(path.relative_to(_ROOT)).startswith(_ELSEWHERE):
            yield path
    for door in _DOORS:
        yield from sorted((_API / door).rglob("*.py")) if (_API / door).is_dir() else (_API / door,)


def _kinds(trees: list[ast.Module]) -> set[str]:
    """The names of every kind of error that a user may see."""
    found = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, LianbanError)}
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for _ in range(3):
        found |= {
            node.name for node in classes for base in node.bases if isinstance(base, ast.Name) and base.id in found
        }
    return found


def _sentence(node: ast.expr) -> str:
    """What is said there, with a 7 where something is filled in; nothing where all of it is."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_sentence(part) if isinstance(part, ast.Constant) else "7" for part in node.values)
    return ""


def _raised() -> Iterator[tuple[str, str]]:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in _modules()}
    kinds = _kinds(list(trees.values()))
    for path, tree in trees.items():
        for node in ast.walk(tree):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if name in kinds and node.args:  # type: ignore[attr-defined]
                said = _sentence(node.args[0])  # type: ignore[attr-defined]
                if re.search("[a-z]{2}", said):
                    yield f"{path.parent.name}/{path.name}:{node.lineno}", said  # type: ignore[attr-defined]


def test_every_refusal_that_a_form_can_bring_has_its_chinese() -> None:
    raised = list(_raised())
    assert len(raised) > 200
    missing = [f"{where}  {said}" for where, said in raised if not _CHINESE.search(said) and not refusal_words(said)]
    assert missing == []


def test_the_words_keep_their_blanks_and_are_chinese() -> None:
    source = _API / "console" / "catalogue" / "zh" / "refusals.po"
    with source.open("rb") as opened:
        pairs = [(str(one.id), str(one.string)) for one in read_po(opened, locale="zh") if one.id]
    assert [said for said, words in pairs if not _CHINESE.search(words)] == []
    assert [said for said, words in pairs if not set(_BLANK.findall(words)) <= set(_BLANK.findall(said))] == []
    assert len({said for said, _ in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("detail", "place", "told"),
    [
        ("is closed; from there it cannot be running", "retry", "目前状态为“已结束”，不能改为“进行中”"),
        ("is closed; only an application without a decision can be withdrawn; nothing was done",
         "370303-2014-000001", "370303-2014-000001：目前为“已办结”，只有尚未决定的申请可以撤回；未作任何办理"),
        ("its permit has ended (3 of 5 cases do not allow it); nothing was done", "370303-2014-000001",
         "370303-2014-000001：居住证已终止（5 件中有 3 件不能办理）；未作任何办理"),
        ("is more than 20000 steps; narrow the selection", "retry", "超过 20000 项，请缩小范围"),
        ("must be 1 to 90 working days", "days", "天数：须为 1 至 90 个工作日"),
    ],
)  # fmt: skip
def test_a_refusal_is_said_in_chinese(detail: str, place: str, told: str) -> None:
    error = ConflictError(detail, place=place)
    assert in_words(error, "zh") == told
    assert in_words(error, "en") == f"{place}: {detail}"


def test_what_is_said_in_both_languages_is_parted() -> None:
    error = InputError("文件是空的 / the file is empty", place="a.xlsx")
    assert (in_words(error, "zh"), in_words(error, "en")) == ("文件是空的", "the file is empty")


def test_what_is_not_known_is_shown_as_it_was_said() -> None:
    assert in_words(AccessError("something new", place="x"), "zh") == "x: something new"
