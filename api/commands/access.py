"""``lianban access``: the access matrix, as the doors hold it."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from models import Role
from services.words import ROLE_WORDS


def access(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")] = False,
    markdown: Annotated[bool, typer.Option(help="输出 Markdown 表格  Print a Markdown table")] = False,
) -> None:
    """显示权限矩阵：每个接口、每个页面，哪些角色可用。 Who may use which route and which page."""
    rows = _rows()
    if as_json:
        told = [{"route": name, "at": where, "for": allowed} for name, where, allowed in rows]
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    heads = [ROLE_WORDS[role.value].zh for role in Role]
    if markdown:
        typer.echo(f"| | {' | '.join(heads)} |\n{'|---' * (len(heads) + 1)}|")
        for _, where, allowed in rows:
            typer.echo(f"| `{where}` | " + " | ".join(_marks(allowed)) + " |")
        return
    shown = Table("", *heads)
    for _, where, allowed in rows:
        shown.add_row(where, *_marks(allowed))
    Console().print(shown)


def _rows() -> list[tuple[str, str, list[str]]]:
    """Each route: its name, method and path, and for whom it is: roles, or ``public`` or ``signed``."""
    # The doors take a second to build, which no other command should wait for.
    from api.access import MATRIX, Open  # noqa: PLC0415
    from api.app import create_app  # noqa: PLC0415
    from api.openapi import named_routes  # noqa: PLC0415

    found = []
    for name, route in named_routes(create_app()):
        rule = MATRIX[name]
        allowed = [rule.value] if isinstance(rule, Open) else [role.value for role in Role if role in rule]
        methods = sorted((getattr(route, "methods", None) or set()) - {"HEAD"})
        found.append((name, f"{'/'.join(methods)} {route.path}", allowed))
    return sorted(found, key=lambda row: row[1].split(" ", 1)[::-1])


def _marks(allowed: list[str]) -> list[str]:
    if allowed in (["public"], ["signed"]):
        return ["公开" if allowed == ["public"] else "签名"] * len(Role)
    return ["✓" if role.value in allowed else "" for role in Role]
