"""``lianban template``: the sheet that clerks fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def template(
    file: Annotated[Path, typer.Argument(help="要生成的 .xlsx 文件 The .xlsx file to write")],
) -> None:
    """生成申请表模板：列名、可选项、示例行和填表说明。Write the sheet for applications, with explanations."""
    # Here, so that other commands do not pay for reading packs and for the writer of sheets.
    from services.intake.divisions import Districts  # noqa: PLC0415
    from services.intake.template import write_template  # noqa: PLC0415
    from services.policy.registry import default_registry  # noqa: PLC0415

    # The latest policy: it is the one under which a sheet that is handed out today will be received.
    pack = default_registry().packs[-1]
    write_template(file, Districts({code: name.zh for code, name in pack.districts.items()}))
    typer.echo(f"已生成模板 Template written: {file}")
