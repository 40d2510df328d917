"""The rules of the house, held by the code itself: who imports whom, how long files grow, where time comes from."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from models import metadata

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("models", "services", "flows", "api")
LONGEST = 450
# Wire time outside the clock: what speaks to another machine about this very instant, with no house around it.
_CACHES = {"__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache", ".hypothesis", "node_modules"}
OWN_TIME = {
    "services/upkeep/backup.py",
    "services/clock.py",
    "api/wake.py",
    "services/conformance/kit.py",
    "api/commands/conformance.py",
}
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]


@cache
def _tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def _module(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imports(name: str) -> set[str]:
    """Every module that a file names in an import, at its top or inside of functions."""
    found: set[str] = set()
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from services import clock` names a room as much as `import services.clock` does.
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return found


def _under(modules: set[str], *rooms: str) -> set[str]:
    return {one for one in modules if any(one == room or one.startswith(f"{room}.") for room in rooms)}


def test_there_is_something_to_hold() -> None:
    assert len(FILES) > 100
    assert _under(_imports("flows/dispatch.py"), "services")


@pytest.mark.parametrize(
    ("room", "never"),
    [
        ("models", ("services", "flows", "api", "fastapi", "prefect")),
        ("services", ("flows", "api", "fastapi", "starlette", "prefect", "typer", "rich")),
        ("flows", ("api", "fastapi")),
        ("api", ("flows",)),
        ("services/policy", ("models", "services.database", "services.settings", "sqlalchemy", "sqlmodel", "httpx")),
        ("services/exchange", ("services.casework", "services.ledger", "services.house", "services.doors")),
        ("services/casework", ("services.dossiers", "services.notices", "services.doors")),
        ("services/intake", ("services.casework", "services.ledger", "services.exchange", "services.house")),
    ],
)
def test_imports_go_one_way(room: str, never: tuple[str, ...]) -> None:
    breaches = {name: bad for name in NAMES if name.startswith(f"{room}/") and (bad := _under(_imports(name), *never))}
    assert breaches == {}


def test_policy_knows_nothing_of_ours_but_errors() -> None:
    allowed = ("services.policy", "services.errors")
    breaches = {
        name: bad for name in NAMES if name.startswith("services/policy/")
        and (bad := _under(_imports(name), "services", "models") - _under(_imports(name), *allowed) - {"services"})
    }  # fmt: skip
    assert breaches == {}


def test_the_ledger_knows_no_room_above_it() -> None:
    allowed = ("services.ledger", "services.database", "services.errors", "services.clock")
    breaches = {
        name: bad for name in NAMES if name.startswith("services/ledger/")
        and (bad := _under(_imports(name), "services") - _under(_imports(name), *allowed))
    }  # fmt: skip
    assert breaches == {}


def test_a_file_is_one_room() -> None:
    # A migration says table after table what was there; it is written by a machine and never grows afterwards.
    long = {
        name: lines for name in NAMES if not name.startswith("models/migrations/versions/")
        and (lines := len((ROOT / name).read_text(encoding="utf-8").splitlines())) > LONGEST
    }  # fmt: skip
    assert long == {}


def test_tests_are_rooms_too() -> None:
    long = {
        str(path.relative_to(ROOT)): lines for path in (ROOT / "tests").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }  # fmt: skip
    assert long == {}


def _calls(name: str) -> Iterator[str]:
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_there_is_one_clock() -> None:
    telling = re.compile(r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.time|time_ns)$")
    breaches = {name for name in NAMES if any(telling.search(call) for call in _calls(name))}
    assert breaches - OWN_TIME == set()
    assert breaches >= {"services/clock.py"}


def _undocumented(name: str) -> Iterator[str]:
    tree = _tree(name)
    if not ast.get_docstring(tree):
        yield name
    for node in tree.body:
        yield from _undocumented_within(node, name)


def _undocumented_within(node: ast.stmt, where: str) -> Iterator[str]:
    if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
        return
    if not ast.get_docstring(node):
        yield f"{where}:{node.name}"
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            yield from _undocumented_within(inner, f"{where}:{node.name}")


def test_everything_public_says_what_it_is_for() -> None:
    assert [one for name in NAMES for one in _undocumented(name)] == []


def test_no_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
    assert [name for name in NAMES if drawers & set(Path(name).with_suffix("").parts)] == []


def test_every_suppression_names_its_rule() -> None:
    blanket = re.compile(r"#\s*(noqa(?!: ?[A-Z]+[0-9]+)|type: ignore(?!\[))")
    breaches = [
        f"{name}:{number}" for name in NAMES
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1)
        if blanket.search(line)
    ]  # fmt: skip
    assert breaches == []


def test_nothing_tells_of_a_registry_or_of_this_checkout() -> None:
    # Put together here, so that this file names none of them either.
    hosts = ("py" + "pi", "python" + "hosted", "npm" + "js")
    telling = re.compile(
        "|".join([rf"{host}\.(org|com)" for host in hosts] + ["index-" + "url", re.escape(f"{ROOT}/")]), re.I
    )
    own = Path(__file__)
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".cfg", ".json", ".sh", ""}
    folders = ("models", "services", "flows", "api", "tests", "docs", "benchmarks", ".ci")
    loose = [path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith(".")]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    breaches = [
        str(path.relative_to(ROOT)) for path in (*loose, *files)
        if path.suffix in kinds and not _CACHES & set(path.parts) and path != own
        and telling.search(path.read_text(encoding="utf-8", errors="replace"))
    ]  # fmt: skip
    assert breaches == []


def test_only_the_four_folders_are_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(ROOMS)


# What tells who a person is: no column of these tables may bear it in the clear.
_PERSONAL = re.compile(r"(^|_)(name|names|id_number|phone|mobile|address|born|birth|sex|person|child|children)($|_)")
# A keyed hash, or the name of a thing that is no person.
_NOT_PERSONAL = {
    "cases.person_key": "a keyed hash",
    "cases.name_key": "a keyed hash",
    "facts.name": "the name of a fact",
    "contradictions.names": "names of facts and services",
    "approvals.person": "the number of an official's account",
    "remedies.asked_person": "the number of an official's account",
    "policy_revisions.asked_person": "the number of an account",
    "resolutions.asked_person": "the number of an account",
    "minutes.drafted_person": "the number of an account",
    "accounts.name": "the name that an official signs in under",
    "access_keys.name": "the name an operator's or a machine's key was made under",
}


def test_no_column_bears_a_person_in_the_clear() -> None:
    found = {f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns
             if _PERSONAL.search(column.name)}  # fmt: skip
    assert found - _NOT_PERSONAL.keys() == set()


def test_every_constraint_has_a_name() -> None:
    nameless = [
        f"{table.name}: {constraint!r}" for table in metadata.sorted_tables for constraint in table.constraints
        if not constraint.name
    ]  # fmt: skip
    assert nameless == []
    assert all(index.name for table in metadata.sorted_tables for index in table.indexes)
