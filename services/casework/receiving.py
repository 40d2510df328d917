"""Taking in one application: judged, registered once, or told what stands in its way (ZB87-2.0b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from models import Case, CaseState
from services.access import WHOLE_CITY, Caller, Sight, own_place
from services.casework.sight import cases_in
from services.database import table
from services.house import House
from services.intake.application import Application
from services.intake.divisions import Districts
from services.intake.problems import Problem
from services.intake.register import Registered, Registry
from services.lexicon import Lexicon, Named
from services.policy.decide import decide
from services.policy.parsing import parse_question

_CASES = table(Case)
_ELSEWHERE = Problem(
    "person.id_number",
    "此人在其他派出所或者区县已有未办结的申请或者有效的居住证，请联系联席会议协调员",
    "this person has an open application or a permit in force at another station or in another district; ask a "
    "coordinator",
)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an application: its case, new or of before; or ``problems``, and then nothing was registered.

    ``stands``: it is in order itself, but what stands here does not allow it (an open case, a permit in force).
    """

    number: str | None
    state: CaseState | None = None
    new: bool = False
    problems: tuple[Problem, ...] = ()
    stands: bool = False


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What one department will be asked to confirm."""

    department: Named
    facts: tuple[Named, ...]


async def receive_application(house: House, caller: Caller, application: Application) -> Received:
    """Register ``application`` unless something is wrong with it. AccessError for another's district or station."""
    own_place(caller, application.district, application.station)
    found = judge(house, application)
    if found:
        return Received(None, problems=tuple(found))
    (answer,) = await Registry(house.database, house.keys, house.packs).register([application], caller.actor)
    if answer.problem is not None or answer.number is None:
        return Received(None, problems=await _in_the_way(house, caller, answer), stands=True)
    # A case is never deleted, so what was received before has a state.
    state = (None if answer.new else await _state_of(house, answer.number, WHOLE_CITY)) or CaseState.RECEIVED
    return Received(answer.number, state, answer.new)


def judge(house: House, application: Application) -> Sequence[Problem]:
    """What is wrong with ``application`` by the calendar and the districts of its policy, the newest where none is."""
    pack = house.packs.covering(application.received_on) or house.packs.packs[-1]
    districts = Districts({code: text.zh for code, text in pack.districts.items()})
    return application.problems_at(house.database.clock.today(), districts)


def foresee(house: House, application: Application) -> tuple[Inquiry, ...]:
    """Whom the permit will wait for, if ``application`` is handed in as it is: what nobody has confirmed yet (A18)."""
    pack, today = house.packs.covering(application.received_on), house.database.clock.today()
    if pack is None:
        return ()
    answer = decide(pack, parse_question(application.to_question(today, {})))
    words = Lexicon(house.packs, pack)
    facts: dict[str, list[Named]] = {}
    for need in answer.permit.needs:
        facts.setdefault(need.department, []).append(words.fact(need.fact))
    return tuple(Inquiry(words.department(code, today), tuple(names)) for code, names in facts.items())


async def _state_of(house: House, number: str, sight: Sight) -> CaseState | None:
    """Where the case ``number`` stands; None if there is none in ``sight``."""
    query = select(_CASES.c.state).where(_CASES.c.number == number, cases_in(sight))
    async with house.database.read() as connection:
        state: CaseState | None = (await connection.execute(query)).scalar_one_or_none()
    return state


async def _in_the_way(house: House, caller: Caller, answer: Registered) -> tuple[Problem, ...]:
    """What stands in the way; a case out of the caller's sight is not named."""
    if answer.number is not None and await _state_of(house, answer.number, caller.sight) is None:
        return (_ELSEWHERE,)
    return () if answer.problem is None else (answer.problem,)
