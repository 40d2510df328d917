"""Asking for revisions and deciding them: two persons, a day to come, and nothing that does not hold together."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from models import RevisionState, Role
from services.access import Caller
from services.errors import AccessError, ConflictError, InputError, LianbanError, NotFoundError
from services.house import House
from services.policy.loading import load_pack
from services.revisions.proposing import (
    PackDraft,
    approve_revision,
    propose_revision,
    reject_revision,
    withdraw_revision,
)
from services.revisions.reading import list_revisions, preview_revision, read_revision
from tests.services.revisions.conftest import BASIS, PACK, Adopt, draft
from tests.testing.looking import chain_length

TODAY, NEXT_MONTH = date(2014, 11, 3), date(2014, 12, 1)
ELDERLY = {"kind": "parameter", "parameter": "elderly-age", "value": 60}
OWNER = {"kind": "owner", "services": ["ZB87-3.1.7e"], "department": "culture"}


def whole(code: str, since: str, until: str, **changes: Any) -> PackDraft:
    """The shipped pack as a draft of another one."""
    content = {**load_pack(PACK).content, "code": code, **changes}
    content["in_force"] = {**content["in_force"], "from": since, "until": until}
    return PackDraft(content=content, basis=BASIS, reason="新意见")


async def test_what_is_adopted_holds_from_its_day_for_every_process(house: House, adopt: Adopt) -> None:
    asked = await adopt(ELDERLY)
    assert (asked.state, asked.version, asked.from_on) == (RevisionState.ADOPTED, 2, NEXT_MONTH)
    other = House(house.settings, house.database.clock)
    for one in (house, other):
        await one.refresh()
        values = [one.packs.on(PACK, day).parameters["elderly-age"].value for day in (TODAY, NEXT_MONTH)]
        assert values == [65, 60]
        assert one.packs.named(f"{PACK}@2").digest != one.packs.named(PACK).digest
    await other.close()
    (row,) = await list_revisions(house)
    assert (row.digest, row.decided_by, row.in_force) == (
        house.packs.named(f"{PACK}@2").digest,
        "coordinator:li",
        False,
    )
    shown = await read_revision(house, asked.id)
    assert {one.place: (one.before, one.after) for one in shown.differences}["parameters[elderly-age].value"] == (
        65,
        60,
    )
    await chain_length(house)


async def test_who_asked_does_not_decide(house: House, coordinator: Caller, colleague: Caller) -> None:
    asked = await propose_revision(house, coordinator, draft(ELDERLY))
    with pytest.raises(AccessError, match="second person"):
        await approve_revision(house, coordinator, asked.id)
    await house.refresh()
    assert house.packs.on(PACK, NEXT_MONTH).version == 1
    await approve_revision(house, colleague, asked.id)
    with pytest.raises(ConflictError, match="waits for nobody"):
        await approve_revision(house, colleague, asked.id)


async def test_two_who_approve_at_once_adopt_once(house: House, coordinator: Caller, colleague: Caller) -> None:
    asked = await propose_revision(house, coordinator, draft(ELDERLY))
    answers = await asyncio.gather(
        *(approve_revision(house, colleague, asked.id) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Asked", "ConflictError"]


async def test_turned_down_or_taken_back_nothing_changes(
    house: House, coordinator: Caller, colleague: Caller, adopt: Adopt
) -> None:
    asked = await propose_revision(house, coordinator, draft(ELDERLY))
    assert (await reject_revision(house, coordinator, asked.id, "有误")).state is RevisionState.REJECTED
    done = await adopt(ELDERLY)
    assert (await withdraw_revision(house, colleague, done.id, "有误")).state is RevisionState.WITHDRAWN
    await house.refresh()
    assert house.packs.history(PACK)[-1].pack.version == 1
    with pytest.raises(ConflictError, match="only what was adopted"):
        await withdraw_revision(house, colleague, done.id, "有误")
    # The number is free again.
    assert (await adopt(OWNER)).version == 2


async def test_nothing_is_taken_back_that_is_in_force_or_built_upon(
    house: House, colleague: Caller, adopt: Adopt, clock: Any
) -> None:
    first, second = await adopt(ELDERLY), await adopt(OWNER)
    with pytest.raises(ConflictError, match="withdraw that one first"):
        await withdraw_revision(house, colleague, first.id, "有误")
    clock.set_day(NEXT_MONTH)
    with pytest.raises(ConflictError, match="in force already"):
        await withdraw_revision(house, colleague, second.id, "有误")


async def test_an_amendment_that_another_overtook_is_asked_for_anew(
    house: House, coordinator: Caller, colleague: Caller, adopt: Adopt
) -> None:
    asked = await propose_revision(house, coordinator, draft(ELDERLY))
    await adopt(OWNER)
    with pytest.raises(ConflictError, match="amended since"):
        await approve_revision(house, colleague, asked.id)
    assert (await read_revision(house, asked.id)).revision.state.code == "proposed"


@pytest.mark.parametrize(
    ("change", "from_on", "kind", "said"),
    [
        (ELDERLY, TODAY, InputError, "from_on: 2014-11-03 has begun"),
        (
            ELDERLY | {"parameter": "shoe-size"},
            NEXT_MONTH,
            InputError,
            "changes.0.parameters: the pack has no shoe-size",
        ),
        (OWNER | {"department": "navy"}, NEXT_MONTH, InputError, "'navy' is no department"),
        (OWNER | {"services": ["ZB87-9"]}, NEXT_MONTH, InputError, "has no ZB87-9"),
        (OWNER | {"services": []}, NEXT_MONTH, InputError, "changes.0.services: say which"),
        ({"kind": "ground", "facts": ["luck"]}, NEXT_MONTH, InputError, "'luck' is no fact"),
        ({"kind": "time", "clock": "tea", "days": 3}, NEXT_MONTH, InputError, "no time limit tea"),
        ({"kind": "last-day", "last_day": "2014-11-20"}, NEXT_MONTH, InputError, "lies before the amendment's own day"),
        (ELDERLY | {"parameter": "child-bearing-first", "value": 60}, NEXT_MONTH, InputError, ""),
    ],
)
async def test_an_amendment_that_does_not_hold_is_refused_with_its_place(
    house: House, coordinator: Caller, change: dict[str, Any], from_on: date, kind: type[LianbanError], said: str
) -> None:
    with pytest.raises(kind) as refused:
        await propose_revision(house, coordinator, draft(change, from_on=from_on))
    assert said in str(refused.value)
    assert await list_revisions(house) == ()


async def test_what_does_not_fit_among_the_packs_is_refused(house: House, coordinator: Caller, adopt: Adopt) -> None:
    for wrong, said in (
        (whole("zibo-2018-9", "2018-06-01", "2020-12-31"), "covers days of zibo-2014-87"),
        (whole("zibo-2019-1", "2019-01-01", "2020-12-31", services=[]), "services: must be a list of at least 1"),
        (whole(PACK, "2015-01-01", "2018-12-31"), "must stay 2014-10-01"),
        (whole("zibo-2014-1", "2014-10-01", "2014-11-30"), "has begun"),
        (draft(ELDERLY | {"value": 65}, pack="atlantis"), "no such policy pack"),
    ):
        with pytest.raises(LianbanError) as refused:
            await propose_revision(house, coordinator, wrong)
        assert said in str(refused.value)
    await adopt(ELDERLY, from_on=date(2015, 1, 1))
    with pytest.raises(ConflictError, match="a later revision"):
        await propose_revision(house, coordinator, draft(OWNER))
    same = {**house.packs.on(PACK, date(2015, 1, 1)).content}
    with pytest.raises(ConflictError, match="changes nothing"):
        await propose_revision(
            house, coordinator, PackDraft(content=same, from_on=date(2015, 2, 1), basis=BASIS, reason="x")
        )


async def test_a_new_opinion_follows_one_that_is_ended(
    house: House, coordinator: Caller, colleague: Caller, adopt: Adopt
) -> None:
    ended = await adopt({"kind": "last-day", "last_day": "2016-12-31"})
    asked = await propose_revision(house, coordinator, whole("zibo-2017-1", "2017-01-01", "2019-12-31"))
    assert (await approve_revision(house, colleague, asked.id)).version == 1
    await house.refresh()
    covering = [house.packs.covering(day) for day in (date(2016, 12, 31), date(2017, 1, 1), date(2018, 6, 1))]
    assert [pack and pack.name for pack in covering] == [f"{PACK}@2", "zibo-2017-1", "zibo-2017-1"]
    with pytest.raises(ConflictError, match="withdraw that one first"):
        await withdraw_revision(house, colleague, ended.id, "有误")


async def test_rules_are_for_the_whole_city(house: House, coordinator: Caller) -> None:
    asked = await propose_revision(house, coordinator, draft(ELDERLY))
    part = Caller("zhao", Role.COORDINATOR, "370303")
    for attempt in (
        propose_revision(house, part, draft(ELDERLY)),
        approve_revision(house, part, asked.id),
        reject_revision(house, part, asked.id, "x"),
        withdraw_revision(house, part, asked.id, "x"),
    ):
        with pytest.raises(AccessError, match="whole city"):
            await attempt
    with pytest.raises(NotFoundError):
        await read_revision(house, 99)


async def test_a_preview_keeps_nothing(house: House) -> None:
    found = await preview_revision(house, draft(OWNER))
    assert [one.place for one in found.differences] == ["services[ZB87-3.1.7e].owner[2014-12-01]"]
    assert (found.trial.permits, found.candidate.from_on) == (0, NEXT_MONTH)
    assert await list_revisions(house) == ()
