"""``lianban decide``: the policy engine, bare (contract section 2). No database, no network, no clock."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from services.errors import InputError
from services.policy.decide import decide as ask
from services.policy.parsing import read_question
from services.policy.registry import default_registry


def decide(
    file: Annotated[
        Path | None,
        typer.Argument(help="JSON 问题文件；不给则读标准输入。 The question as JSON; standard input if left out."),
    ] = None,
) -> None:
    """回答一个政策问题（JSON 进，JSON 出）。 Answer one question of policy: JSON in, JSON out."""
    question = read_question(_read(file))
    decision = ask(default_registry().covering(question.received_on), question)
    sys.stdout.write(json.dumps(decision.to_json(), indent=2) + "\n")


def _read(file: Path | None) -> bytes:
    if file is None or str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        detail = error.strerror if isinstance(error, OSError) else "is no path"
        raise InputError(f"cannot be read: {detail}", place=ascii(str(file))) from None
