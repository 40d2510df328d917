"""``lianban policy``: show a policy pack as people read it, and check one before it goes into use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.policy_revising import add_to
from services.policy.explain import KIND_WORDS
from services.policy.loading import check_pack, load_pack

if TYPE_CHECKING:
    from rich.table import Table

    from services.policy.pack import Pack, Service

app = typer.Typer(
    name="policy",
    help="政策包：查看、检查、试算、采用、调整。 Policy packs: show, check, try, adopt, amend.",
    no_args_is_help=True,
)
add_to(app)

PackArgument = Annotated[
    str,
    typer.Argument(metavar="[PACK]", help="名称或者文件。 The name of a shipped pack, or a file."),
]


@app.command()
def show(pack: PackArgument = "zibo-2014-87") -> None:
    """显示政策包。 Show a pack: what it is, the permit, every service with its owner and its conditions."""
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second that `check` need not wait for

    loaded = load_pack(pack)
    console = Console()
    console.print(f"[bold]{loaded.title.zh}[/bold]  {loaded.document}")
    console.print(loaded.title.en)
    console.print(f"{loaded.issuer}  {loaded.issued_on}")
    console.print(f"施行 in force {loaded.first_day} – {loaded.last_day}   SHA-256 {loaded.digest}", soft_wrap=True)
    for table in (_permit_table(loaded), _service_table(loaded), _parameter_table(loaded)):
        console.print(table)


@app.command()
def check(pack: PackArgument = "zibo-2014-87") -> None:
    """检查政策包。 Check a pack: exit 0 and its counts, or 2 and every error on a line of its own."""
    loaded, problems = check_pack(pack)
    for problem in problems:
        typer.echo(str(problem), err=True)
    if loaded is None:
        raise typer.Exit(2)
    typer.echo(
        f"ok {loaded.code}: {len(loaded.services)} services, {len(loaded.conditions)} conditions, "
        f"{len(loaded.facts)} facts, {len(loaded.departments)} departments, {len(loaded.clauses)} clauses, "
        f"{len(loaded.settlements)} settlements; sha256 {loaded.digest}"
    )


@app.command(name="try")
def try_(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="名称或者文件。 The name of a shipped pack, or a file.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")] = False,
) -> None:
    """试算政策包，不作任何改动。 Compare a pack with those in force over all live permits; touches nothing."""
    # What the database needs is not loaded for `show` and `check`.
    from api.commands.policy_trial import run_trial  # noqa: PLC0415 - see above

    run_trial(load_pack(pack), as_json=as_json)


def _permit_table(pack: Pack) -> Table:
    table = _table("居住证 Permit", "情形 ground", "条款 clause", "核验事实 facts", "部门 department")
    for ground in pack.permit.grounds.values():
        for route in ground.routes:
            facts = [pack.facts[name] for name in route.facts]
            table.add_row(
                str(ground.title),
                route.clause,
                "\n".join(str(fact.title) for fact in facts),
                "\n".join(dict.fromkeys(_owner(pack, fact.owner_on(pack.first_day)) for fact in facts)),
            )
    return table


def _service_table(pack: Pack) -> Table:
    heads = ("编号 id", "条款 clause", "事项 service", "方式 kind", "部门 department", "条件 conditions")
    table = _table("服务事项 Services", *heads)
    for service in pack.services.values():
        table.add_row(
            service.id,
            service.clause,
            f"{service.title}{'（免费 free）' if service.free else ''}",
            str(KIND_WORDS[service.kind]),
            _owner(pack, service.owner_on(pack.first_day)),
            "\n".join(_conditions(pack, service)),
        )
    return table


def _parameter_table(pack: Pack) -> Table:
    table = _table("参数 Parameters", "参数 parameter", "数值 value", "依据 source", "法定 by law")
    for parameter in pack.parameters.values():
        table.add_row(
            parameter.code,
            f"{parameter.value} {parameter.unit}",
            str(parameter.source),
            _law(law=parameter.law),
        )
    for clock in pack.clocks:
        days = f"{clock.days} {clock.unit} days, {clock.first_day} –"
        table.add_row(clock.code, days, str(clock.source), _law(law=clock.law))
    return table


def _conditions(pack: Pack, service: Service) -> list[str]:
    asked = [str(pack.tiers[service.tier].title)] if service.kind != "public" else []
    return asked + [str(pack.conditions[code].title) for code in service.conditions]


def _law(*, law: bool) -> str:
    return "是 yes" if law else "约定 ours"


def _owner(pack: Pack, code: str) -> str:
    return str(pack.departments[code].name_on(pack.first_day))


def _table(title: str, *heads: str) -> Table:
    from rich.table import Table  # noqa: PLC0415 - see `show`

    table = Table(title=title, title_justify="left", show_lines=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
