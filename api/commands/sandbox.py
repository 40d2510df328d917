"""``lianban sandbox``: the departments, played on this machine."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Unknown(StrEnum):
    """What is answered about a person who is not in the file."""

    YES = "yes"
    NO = "no"
    LATER = "later"


def sandbox(  # noqa: PLR0913 - one parameter an option of the command
    *,
    secrets: Annotated[
        Path,
        typer.Option(
            envvar="LIANBAN_SANDBOX_SECRETS", help="各部门签名密钥（JSON） Signing secrets: {department: whsec_…}"
        ),
    ],
    people: Annotated[
        Path | None, typer.Option(help="申请文件（含演示核验列） Applications with the column 演示核验")
    ] = None,
    host: Annotated[str, typer.Option(help="监听地址 Address")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口 Port")] = 8790,
    data: Annotated[str, typer.Option(help="数据库文件 SQLite file that survives a restart")] = ":memory:",
    unknown: Annotated[Unknown, typer.Option(help="对未知人员的答复 Answer about unknown people")] = Unknown.YES,
    delay: Annotated[float, typer.Option(min=0, help="延后回执的秒数 Seconds until a later outcome")] = 2.0,
    behaviour: Annotated[
        list[str] | None, typer.Option(help="故障 Faults: DEPARTMENT:FAULT[=VALUE][@SHARE], repeatable")
    ] = None,
    seed: Annotated[int, typer.Option(help="故障随机种子 Seed of the faults' dice")] = 0,
    records: Annotated[bool, typer.Option(help="记录消息和办理情况 Keep messages and effects")] = True,
) -> None:
    """沙盒部门：接收、核验、办理并答复。Play the departments: verify messages, answer them, misbehave as told."""
    # Here, so that other commands do not pay for a web server they do not start.
    import uvicorn  # noqa: PLC0415

    from api.sandbox import SandboxSettings, create_sandbox  # noqa: PLC0415
    from api.sandbox.behaviour import read_behaviours  # noqa: PLC0415
    from api.sandbox.settings import read_secrets  # noqa: PLC0415

    settings = SandboxSettings(
        secrets=read_secrets(secrets),
        people=people,
        data=data,
        unknown=unknown.value,
        delay_seconds=delay,
        keep_records=records,
        behaviours=read_behaviours(behaviour or []),
        seed=seed,
    )
    # uvicorn stops taking requests on SIGTERM, answers those it has, and then ends the lifespan, which commits.
    uvicorn.run(
        create_sandbox(settings),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )
