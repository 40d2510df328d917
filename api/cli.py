"""The command line. Each command is a module of ``api.commands``, imported only when it is called for:
``lianban decide`` must answer at once and needs neither a database nor Prefect.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from services.errors import LianbanError

_BAD_INPUT = 2


@dataclass(frozen=True, slots=True)
class _Command:
    """Where a command stands: ``function`` of ``api.commands.<module>``, or a group of commands named ``app``."""

    module: str
    function: str = "app"


COMMANDS = {
    "decide": _Command("decide", "decide"),
    "policy": _Command("policy"),
    "template": _Command("template", "template"),
    "import": _Command("bring_in", "bring_in"),
    "case": _Command("case", "case"),
    "notice": _Command("notice", "notice"),
    "status": _Command("status", "status"),
    "cards": _Command("cards"),
    "clocks": _Command("clocks"),
    "calendar": _Command("calendar"),
    "appraisal": _Command("appraisal"),
    "forecast": _Command("forecast"),
    "incidents": _Command("incidents", "incidents"),
    "retry": _Command("retry"),
    "remedy": _Command("remedy"),
    "matters": _Command("matters"),
    "meeting": _Command("meeting"),
    "resolutions": _Command("resolutions"),
    "what-if": _Command("what_if", "what_if"),
    "audit": _Command("audit"),
    "changes": _Command("changes", "changes"),
    "evidence": _Command("evidence"),
    "backup": _Command("backup", "backup"),
    "restore": _Command("backup", "restore"),
    "retention": _Command("retention", "retention"),
    "access-log": _Command("access_log", "access_log"),
    "conformance": _Command("conformance", "conformance"),
    "access": _Command("access", "access"),
    "account": _Command("account"),
    "key": _Command("key"),
    "keys": _Command("keys"),
    "endpoint": _Command("endpoint"),
    "clock": _Command("clock"),
    "migrate": _Command("migrate", "migrate"),
    "sandbox": _Command("sandbox", "sandbox"),
    "keep": _Command("keep", "keep"),
    "serve": _Command("serve", "serve"),
    "up": _Command("up", "up"),
    "demo": _Command("demo", "demo"),
}


def _options(
    data: Annotated[Path | None, typer.Option(help="数据目录（默认 .lianban） Data folder of the installation")] = None,
) -> None:
    """联办：居住证办理和公共服务开通。 Lianban: residence permits and the public services they carry."""
    if data is not None:
        os.environ["LIANBAN_DATA_DIR"] = str(data)


def build(names: Sequence[str]) -> typer.Typer:
    """The command line with the commands ``names``."""
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_options)
    for name in names:
        command = COMMANDS[name]
        target = getattr(import_module(f"api.commands.{command.module}"), command.function)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name)
        else:
            app.command(name)(target)
    return app


def main() -> None:
    """Run the command line. Errors of the domain end it with status 2 and one line on standard error."""
    wanted = [word for word in sys.argv[1:] if word in COMMANDS][:1]
    try:
        build(wanted or list(COMMANDS))()
    except LianbanError as problem:
        sys.stderr.write(" ".join(str(problem).split()) + "\n")
        raise SystemExit(_BAD_INPUT) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("已中断 Interrupted\n")
        raise SystemExit(130) from None
    except BrokenPipeError:
        # Whoever read us went away (`| head`): that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
