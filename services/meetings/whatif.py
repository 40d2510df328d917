"""What if (方案测算): a parameter or a clause changed on paper, and how many holders of live permits would gain, lose
or wait; what each department would have to carry, by district and month. Counts only, never who.

The same `decide` answers as in earnest. A look is bounded in time: districts are gone through side by side, so that one
broken off tells of all of them, and it says how much it has seen.
"""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.casework.differing import OWNER, Shift
from services.casework.pack_trial import count_live, shifts_of, trial_day
from services.errors import InputError
from services.house import House
from services.policy.loading import pack_from
from services.policy.pack import Pack

_Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
_TURN = 100
LONGEST_SECONDS = 60.0


class Change(BaseModel):
    """What is changed on paper. Each part may be left out; together they are one proposal.

    ``parameters``: another value; ``owners``: another department owes the service, from today; ``without``: services
    that fall away; ``conditions``: what a service asks beyond its tier, instead of what it asks now; ``terms``: the
    terms of permit, in years, that reach a tier.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pack: _Code | None = Field(default=None, description="政策包，默认现行 / the pack; by default the one in force")
    parameters: dict[_Code, Annotated[int, Field(ge=0, le=150)]] = Field(default={}, max_length=50)
    owners: dict[_Code, _Code] = Field(default={}, max_length=100)
    without: tuple[_Code, ...] = Field(default=(), max_length=100)
    conditions: dict[_Code, tuple[_Code, ...]] = Field(default={}, max_length=100)
    terms: dict[int, tuple[int, ...]] = Field(default={}, max_length=10)


@dataclass(slots=True)
class WhatIf:
    """What a look found on the day ``on``: of ``permits`` live ones ``seen`` were asked about, of which ``affected``
    change. ``shifts`` counts permits by what changes and by district; ``districts`` those affected.
    """

    pack: str
    on: date
    permits: int
    seen: int = 0
    affected: int = 0
    shifts: Counter[tuple[Shift, str]] = field(default_factory=Counter)
    districts: Counter[str] = field(default_factory=Counter)
    seen_in: Counter[str] = field(default_factory=Counter)

    @property
    def whole(self) -> bool:
        """Whether every live permit was asked about."""
        return self.seen == self.permits

    @property
    def load(self) -> Counter[tuple[str, str]]:
        """Services to open, withdraw or date anew, by department and month."""
        load: Counter[tuple[str, str]] = Counter()
        for (shift, _), count in self.shifts.items():
            load[shift.department, shift.month] += count
            if shift.change == OWNER:
                load[shift.why[0], shift.month] += count
        return load

    def by_service(self) -> dict[str, Counter[str]]:
        """For each service, permits by kind of change."""
        found: dict[str, Counter[str]] = {}
        for (shift, _), count in self.shifts.items():
            found.setdefault(shift.service, Counter())[shift.change] += count
        return dict(sorted(found.items()))


def read_change(content: Mapping[str, Any]) -> Change:
    """The change that ``content`` says; InputError with the first thing that is wrong."""
    try:
        return Change.model_validate(dict(content))
    except ValidationError as problem:
        first = problem.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "change"
        raise InputError(str(first["msg"]), place=place) from None


async def what_if(house: House, change: Change, seconds: float = 20.0) -> WhatIf:
    """Ask every live permit under the pack as changed, for at most ``seconds``. Reads only.

    InputError for a code that the pack does not know, or a change that makes it no good pack.
    """
    candidate = changed_pack(house, change)
    on = trial_day(house, candidate)
    live = await count_live(house, on)
    found = WhatIf(candidate.code, on, permits=live.total())
    looks = [shifts_of(house, candidate, on, district) for district in sorted(live)]
    loop = asyncio.get_running_loop()
    until = loop.time() + min(seconds, LONGEST_SECONDS)
    while looks and loop.time() < until:
        looks = [look for look in looks if await _turn(found, look)]
    for look in looks:
        await look.aclose()  # type: ignore[attr-defined]
    return found


async def _turn(found: WhatIf, look: AsyncIterator[tuple[str, list[Shift]]]) -> bool:
    """Some permits of one district; whether there may be more."""
    for _ in range(_TURN):
        answer = await anext(look, None)
        if answer is None:
            return False
        district, shifts = answer
        found.seen += 1
        found.seen_in[district] += 1
        found.affected += bool(shifts)
        found.districts[district] += bool(shifts)
        found.shifts.update((shift, district) for shift in shifts)
    return True


def changed_pack(house: House, change: Change) -> Pack:
    """The pack as the change would have it."""
    today = house.database.clock.today()
    pack = house.packs.on(change.pack, today) if change.pack else house.packs.covering(today) or house.packs.packs[-1]
    content = copy.deepcopy(dict(pack.content))
    for code, value in change.parameters.items():
        _entry(content, "parameters", "code", code, "parameters")["value"] = value
    for service, owner in change.owners.items():
        _hand_over(_entry(content, "services", "id", service, "owners"), owner, max(today, pack.first_day))
    for service, conditions in change.conditions.items():
        _entry(content, "services", "id", service, "conditions")["conditions"] = list(conditions)
    for tier, terms in change.terms.items():
        _entry(content, "tiers", "number", tier, "terms")["terms"] = list(terms)
    for service in change.without:
        content["services"].remove(_entry(content, "services", "id", service, "without"))
    for service in content["services"]:
        kept = [other for other in service.get("replaced_by", ()) if other not in change.without]
        if "replaced_by" in service:
            service["replaced_by"] = kept
            if not kept:
                del service["replaced_by"]
    return pack_from(content)


def _entry(content: dict[str, Any], section: str, key: str, name: str | int, place: str) -> dict[str, Any]:
    for entry in content[section]:
        if entry[key] == name:
            return dict_of(entry)
    raise InputError(f"the policy has no {name}", place=place)


def dict_of(entry: Any) -> dict[str, Any]:
    """An entry of a pack's content as the mapping it is."""
    if not isinstance(entry, dict):
        raise InputError("must be a mapping", place="pack")
    return entry


def _hand_over(service: dict[str, Any], owner: str, day: date) -> None:
    """A new dated line, in place of those of that day and later."""
    before = [line for line in service["owner"] if line["from"] < day.isoformat()]
    service["owner"] = [*before, {"from": day.isoformat(), "code": owner}]
