"""What ``lianban policy adopt``, ``amend``, ``approve``, ``reject``, ``withdraw`` and ``revisions`` do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from api.commands.operator import administrator
from api.commands.policy_trial import show_trial, trial_as_json
from services.access import Caller
from services.errors import InputError
from services.house import House, open_house
from services.policy.loading import load_pack
from services.policy.strict_yaml import parse_yaml
from services.revisions.differences import Difference
from services.revisions.proposing import (
    AmendmentDraft,
    Asked,
    Draft,
    PackDraft,
    approve_revision,
    propose_revision,
    reject_revision,
    withdraw_revision,
)
from services.revisions.reading import (
    STATE_WORDS,
    Preview,
    RevisionFile,
    RevisionRow,
    list_revisions,
    preview_revision,
    read_revision,
)

_T = TypeVar("_T")
_Draft = TypeVar("_Draft", PackDraft, AmendmentDraft)


def propose_pack(pack: str, *, basis: str, reason: str, from_on: date | None, only_try: bool, as_json: bool) -> None:
    """Ask for a pack to be adopted, or only try it."""
    content = {"content": dict(load_pack(pack).content), "basis": basis, "reason": reason, "from_on": from_on}
    _propose(_read(PackDraft, content), only_try=only_try, as_json=as_json)


def propose_amendment(file: Path, *, only_try: bool, as_json: bool) -> None:
    """Ask for an amendment, or only try it."""
    try:
        document = parse_yaml(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError("is not UTF-8", place=file.name) from None
    _propose(_read(AmendmentDraft, document), only_try=only_try, as_json=as_json)


def decide_revision(what: str, revision: int, because: str | None, *, as_json: bool) -> None:
    """Approve, reject or withdraw a revision."""

    async def decide(house: House, caller: Caller) -> Asked:
        if what == "approve":
            return await approve_revision(house, caller, revision, because)
        take_back = reject_revision if what == "reject" else withdraw_revision
        return await take_back(house, caller, revision, because or "")

    _show_asked(asyncio.run(_as_administrator(decide)), as_json=as_json)


def show_revisions(revision: int | None, limit: int, *, as_json: bool) -> None:
    """List revisions, or show one."""
    if revision is None:
        rows = asyncio.run(_as_administrator(lambda house, _: list_revisions(house, limit=limit)))
        _print_json([asdict(row) for row in rows]) if as_json else _show_rows(rows)
        return
    found: RevisionFile = asyncio.run(_as_administrator(lambda house, _: read_revision(house, revision)))
    if as_json:
        _print_json(asdict(found))
        return
    one = found.revision
    _show_rows((one,))
    typer.echo(f"依据 Basis: {one.basis}\n理由 Reason: {one.reason}\nSHA-256 {one.digest}")
    if found.problem is not None:
        typer.echo(f"已不能通过 Cannot be adopted any more: {found.problem}")
    _show_differences(found.differences)


def _propose(draft: Draft, *, only_try: bool, as_json: bool) -> None:
    if not only_try:
        _show_asked(
            asyncio.run(_as_administrator(lambda house, me: propose_revision(house, me, draft))), as_json=as_json
        )
        return

    async def preview(house: House, caller: Caller) -> None:
        del caller
        found = await preview_revision(house, draft)
        if as_json:
            _print_json(_preview_as_json(found))
            return
        _show_differences(found.differences)
        show_trial(house, found.candidate.pack, found.trial)

    asyncio.run(_as_administrator(preview))


def _read(kind: type[_Draft], content: object) -> _Draft:
    try:
        return kind.model_validate(content)
    except ValidationError as problem:
        first = problem.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        raise InputError(str(first["msg"]), place=place) from None


async def _as_administrator(work: Callable[[House, Caller], Awaitable[_T]]) -> _T:
    async with open_house() as house:
        return await work(house, await administrator(house))


def _preview_as_json(found: Preview) -> dict[str, Any]:
    return {
        "pack": found.candidate.pack.code,
        "from_on": found.candidate.from_on,
        "digest": found.candidate.pack.digest,
        "differences": [asdict(one) for one in found.differences],
        "trial": trial_as_json(found.trial),
    }


def _show_asked(asked: Asked, *, as_json: bool) -> None:
    if as_json:
        _print_json(asdict(asked))
        return
    words = STATE_WORDS[asked.state]
    version = f"，第 {asked.version} 版 version {asked.version}" if asked.version is not None else ""
    typer.echo(f"修订 {asked.id}：{words.zh} {words.en}；{asked.pack} 自 {asked.from_on} 起 from then on{version}")


def _show_rows(rows: tuple[RevisionRow, ...]) -> None:
    if not rows:
        typer.echo("没有政策修订。 There are no revisions.")
        return
    shown = Table(
        "编号 No", "种类 Kind", "政策 Pack", "自 From", "版本 Version", "状态 State", "提请 Asked", "复核 Decided"
    )
    for one in rows:
        state = one.state.zh + ("，已生效 in force" if one.in_force else "")
        shown.add_row(
            str(one.id), one.kind.zh, one.pack, one.from_on.isoformat(), str(one.version or ""), state,
            one.asked_by, one.decided_by or "",
        )  # fmt: skip
    Console().print(shown)


def _show_differences(found: tuple[Difference, ...]) -> None:
    for one in found:
        before, after = (json.dumps(value, ensure_ascii=False) for value in (one.before, one.after))
        typer.echo(f"{one.place}: {before} → {after}")


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))
