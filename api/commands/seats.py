"""What the commands of the joint meeting share: who speaks, how an answer is printed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Annotated, Any, TypeVar

import typer

from api.commands.operator import somebody
from models import Role
from services.access import Caller
from services.errors import InputError
from services.house import House, open_house

_T = TypeVar("_T")
_SEATS = (Role.COORDINATOR, Role.ADMINISTRATOR, Role.OFFICER, Role.AUDITOR)

AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]
Because = Annotated[str, typer.Option("--because", help="理由，不得含个人信息 Why; nothing personal")]


def at_table(work: Callable[[House, Caller], Awaitable[_T]]) -> _T:
    """Do ``work`` in the house, as who holds the key in ``LIANBAN_KEY``."""

    async def run() -> _T:
        async with open_house() as house:
            return await work(house, await somebody(house, *_SEATS))

    return asyncio.run(run())


def print_json(value: Any) -> None:
    """Print a record, or several, as JSON."""
    plain = [_plain(one) for one in value] if isinstance(value, list | tuple) else _plain(value)
    typer.echo(json.dumps(plain, default=str, ensure_ascii=False))


def tell(as_json: bool, value: dict[str, Any], words: str) -> None:
    """Print what a command came to: JSON, or a line."""
    if as_json:
        print_json(value)
    else:
        typer.echo(words)


def day(text: str, place: str) -> date:
    """A day of an option; InputError if it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("must be a day, such as 2014-11-11", place=place) from None


def json_object(text: str, place: str) -> dict[str, Any]:
    """A JSON object of an option; InputError if it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InputError('must be a JSON object, such as {"kind": "retry"}', place=place)
    return value


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
