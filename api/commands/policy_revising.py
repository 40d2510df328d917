"""The part of ``lianban policy`` that changes rules: adopt a pack, amend one, decide what another asked for.

Only what parses the command line stands here; the work is ``policy_revision_work``, loaded when it is called for.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]
Try = Annotated[bool, typer.Option("--try", help="只试算，不提交 Only try it: nothing is kept")]
Number = Annotated[int, typer.Argument(min=1, help="修订编号 Number of the revision")]


def add_to(app: typer.Typer) -> None:
    """Make these commands part of ``lianban policy``."""
    for command in (adopt, amend, approve, reject, withdraw):
        app.command()(command)
    app.command(name="revisions")(revisions)


def adopt(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="名称或者文件 The name of a shipped pack, or a file")],
    *,
    basis: Annotated[str, typer.Option(help="依据文件 The document that it rests on")],
    reason: Annotated[str, typer.Option(help="理由，不得含个人信息 Why; nothing personal")],
    from_on: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="生效日期 From which day, for a pack that is known already"),
    ] = None,
    only_try: Try = False,
    as_json: AsJson = False,
) -> None:
    """提请采用政策包，须由另一人复核。 Ask for a pack to be adopted; a second person decides."""
    from api.commands.policy_revision_work import propose_pack  # noqa: PLC0415 - see above

    day = from_on.date() if from_on is not None else None
    propose_pack(pack, basis=basis, reason=reason, from_on=day, only_try=only_try, as_json=as_json)


def amend(
    file: Annotated[Path, typer.Argument(help="调整内容（YAML） The amendment", exists=True, dir_okay=False)],
    *,
    only_try: Try = False,
    as_json: AsJson = False,
) -> None:
    """提请调整政策，须由另一人复核。 Ask for an amendment: a file with pack, from_on, basis, reason, changes."""
    from api.commands.policy_revision_work import propose_amendment  # noqa: PLC0415 - see above

    propose_amendment(file, only_try=only_try, as_json=as_json)


def approve(
    revision: Number,
    *,
    because: Annotated[str | None, typer.Option(help="意见 A word on it")] = None,
    as_json: AsJson = False,
) -> None:
    """复核同意；申请人本人不能复核。 Adopt what another person asked for."""
    from api.commands.policy_revision_work import decide_revision  # noqa: PLC0415 - see above

    decide_revision("approve", revision, because, as_json=as_json)


def reject(
    revision: Number, *, because: Annotated[str, typer.Option(help="理由 Why")], as_json: AsJson = False
) -> None:
    """复核不同意。 Turn down what was asked for."""
    from api.commands.policy_revision_work import decide_revision  # noqa: PLC0415 - see above

    decide_revision("reject", revision, because, as_json=as_json)


def withdraw(
    revision: Number, *, because: Annotated[str, typer.Option(help="理由 Why")], as_json: AsJson = False
) -> None:
    """生效前撤回已通过的修订。 Take back what was adopted, before its day."""
    from api.commands.policy_revision_work import decide_revision  # noqa: PLC0415 - see above

    decide_revision("withdraw", revision, because, as_json=as_json)


def revisions(
    revision: Annotated[
        int | None, typer.Argument(min=1, help="编号；不给则列出全部 Its number; all if left out")
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="最多几项 How many at most")] = 50,
    as_json: AsJson = False,
) -> None:
    """政策修订：列出，或者显示一项的内容和差异。 Revisions: list them, or show one with what it changes."""
    from api.commands.policy_revision_work import show_revisions  # noqa: PLC0415 - see above

    show_revisions(revision, limit, as_json=as_json)
