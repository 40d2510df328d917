"""``lianban case``: the whole story of one case."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from api.commands.operator import administrator
from services.clock import CHINA
from services.dossiers.stories import Story, StoryEvent, tell_story
from services.house import open_house
from services.policy.text import Text


def case(
    number: Annotated[str, typer.Argument(help="办件编号 Case number")],
    *,
    english: Annotated[bool, typer.Option("--en", help="英文 In English")] = False,
) -> None:
    """一件的全部经过：每一步、理由和依据。 The whole story of a case: every step, with reasons and clauses."""
    story = asyncio.run(_tell(number))
    show_story(story, Console(), english=english)


async def _tell(number: str) -> Story:
    async with open_house() as house:
        caller = await administrator(house)
        story = await tell_story(house, number, caller.sight)
        async with house.database.write(caller.actor) as transaction:
            transaction.note("case.seen", number, by="command-line")
        return story


def show_story(story: Story, console: Console, *, english: bool) -> None:
    """Print the story as a timeline, in one language."""

    def say(text: Text) -> str:
        return text.en if english else text.zh

    asked = f"{story.term_asked} years" if english else f"{story.term_asked} 年"
    grounds = "、".join(say(ground) for ground in story.grounds)
    console.print(f"[bold]{story.number}[/]  {say(story.state_words)}  {say(story.district)} {story.station}")
    console.print(f"{'asked for' if english else '申领'} {asked}{'：' + grounds if grounds else ''}")
    if story.permit is not None:
        permit = story.permit
        term = f"{permit.term_years} years" if english else f"{permit.term_years} 年期"
        console.print(f"{term}  {permit.valid_from} — {permit.valid_until}  {say(permit.state_words)}")
    for waiting in story.waiting:
        console.print(f"  … {say(waiting)}")
    console.print()
    timeline = Table.grid(Column(no_wrap=True, style="dim"), Column(), padding=(0, 2))
    for event in story.events:
        _add_event(timeline, event, english=english)
    console.print(timeline)


def _add_event(timeline: Table, event: StoryEvent, *, english: bool) -> None:
    actor = event.actor_words.en if english else event.actor_words.zh
    headline = event.en if english else event.zh
    timeline.add_row(f"{event.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}", f"{headline}  [dim]{actor}[/]")
    for detail in event.details:
        timeline.add_row("", f"  {detail.en if english else detail.zh}")
