"""``lianban policy try``: what a pack would change for the permits that are live."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from services.casework.differing import DATES, GAINS, LOSES, NOT_IN_PACK, OWNER, WAITS
from services.casework.pack_trial import PackTrial, try_pack
from services.house import House, open_house
from services.lexicon import Lexicon
from services.policy.pack import Pack

_WORDS = {
    GAINS: "新增 gains",
    LOSES: "停止 loses",
    WAITS: "待核验 waits",
    DATES: "日期变化 other days",
    OWNER: "换部门 other owner",
}


def run_trial(candidate: Pack, *, as_json: bool) -> None:
    """Try ``candidate`` and print what came of it."""
    asyncio.run(_run(candidate, as_json=as_json))


async def _run(candidate: Pack, *, as_json: bool) -> None:
    async with open_house() as house:
        trial = await try_pack(house, candidate)
        if as_json:
            typer.echo(json.dumps(trial_as_json(trial), ensure_ascii=False))
        else:
            show_trial(house, candidate, trial)


def trial_as_json(trial: PackTrial) -> dict[str, Any]:
    """A trial as JSON."""
    return {
        "pack": trial.pack,
        "on": trial.on.isoformat(),
        "permits": trial.permits,
        "affected": trial.affected,
        "shifts": [shift._asdict() | {"permits": count} for shift, count in sorted(trial.shifts.items())],
        "load": [
            {"department": department, "month": month, "services": count}
            for (department, month), count in sorted(trial.load.items())
        ],
    }


def show_trial(house: House, candidate: Pack, trial: PackTrial) -> None:
    """Print a trial as tables."""
    console, words = Console(), Lexicon(house.packs, candidate)
    console.print(f"{candidate.document} {candidate.title.zh}  {trial.on}")
    console.print(
        f"有效居住证 {trial.permits} 件，受影响 {trial.affected} 件；未作任何改动。"
        f" {trial.permits} live permits, {trial.affected} affected; nothing was touched."
    )
    if not trial.shifts:
        return
    table = Table("变化 Change", "事项 Service", "部门 Department", "月份 Month", "件数 Permits", "原因 Why")
    for shift, count in sorted(trial.shifts.items()):
        why = "、".join(_reason(candidate, words, code, trial) for code in shift.why)
        department = words.department(shift.department, trial.on).zh
        table.add_row(
            _WORDS[shift.change], f"{shift.service} {words.service(shift.service).zh}", department, shift.month,
            str(count), why,
        )  # fmt: skip
    console.print(table)
    load = Table("部门 Department", "月份 Month", "办理项数 Services")
    by_department: Counter[tuple[str, str]] = trial.load
    for (code, month), count in sorted(by_department.items()):
        load.add_row(words.department(code, trial.on).zh, month, str(count))
    console.print(load)


def _reason(candidate: Pack, words: Lexicon, code: str, trial: PackTrial) -> str:
    """A code of a shift in words; what only the former pack knows is shown as its code."""
    if code == NOT_IN_PACK:
        return "政策包中没有 not in the pack"
    if code in candidate.conditions:
        return candidate.conditions[code].title.zh
    if code in candidate.facts:
        return words.fact(code).zh
    if code in candidate.departments:
        return words.department(code, trial.on).zh
    return code
