"""What the sandbox departments know of a made-up person, as the column 演示核验 of a demonstration file tells it.

One text holds pairs parted by blanks, commas or semicolons: ``labour_contract=yes social_insurance=later
service:ZB87-3.1.6b=decline:not-eligible``. Real files have no such column, and importing a file reads nothing from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from services.errors import InputError

COLUMN: Final = "演示核验"
LIMIT: Final = 4_000

# The facts of the contract, section 2, in its order.
FACTS: Final = (
    "identity_matches",
    "residence_registered",
    "settlement_conditions",
    "labour_contract",
    "social_insurance",
    "business_licence",
    "home_owned",
    "rental_filed",
    "housing_poor",
    "housing_fund_12_months",
    "low_income",
    "honour",
    "other_ground_accepted",
)
# Most people are who they say and live where they say; nothing else is taken for granted of a made-up person.
_USUALLY_YES: Final = frozenset({"identity_matches", "residence_registered"})

_SERVICE = re.compile(r"service:(ZB[0-9]{2}-[0-9][0-9a-z.]{1,10})")
_VALUE = re.compile(r"yes|no|later|never|decline:[a-z]+(-[a-z]+)*")


@dataclass(frozen=True, slots=True)
class Fixture:
    """What the departments answer about one made-up person: by fact, and by service to be opened.

    ``yes`` and ``no`` are told at once, ``later`` is a yes by call-back, ``never`` is received and not answered,
    ``decline:<reason>`` is declined with that reason code.
    """

    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    services: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def fact(self, name: str) -> str:
        """The answer about a fact. One that is not told: yes for identity and residence, no for the others."""
        return self.facts.get(name) or ("yes" if name in _USUALLY_YES else "no")

    def service(self, service_id: str) -> str:
        """The answer when a service is to be opened: yes, unless told otherwise."""
        return self.services.get(service_id, "yes")


def read_fixture(text: str | None) -> Fixture:
    """Read the column's text; None and blank text tell nothing.

    Raises InputError at ``演示核验`` for a pair that cannot be read, a fact that does not exist, one told twice.
    """
    facts: dict[str, str] = {}
    services: dict[str, str] = {}
    if text and len(text) > LIMIT:
        raise InputError(f"内容过长 / longer than {LIMIT} characters", place=COLUMN)
    for position, pair in enumerate(re.split(r"[\s,，;；]+", text or ""), start=1):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if not _VALUE.fullmatch(value):
            raise _error(position, "值应为 yes、no、later、never 或 decline:原因代码", "no such answer")
        service = _SERVICE.fullmatch(name)
        if not service and name not in FACTS:
            raise _error(position, "没有该核验事实或服务事项", "no such fact or service")
        told, key = (services, service[1]) if service else (facts, name)
        if key in told:
            raise _error(position, "重复填写", "told twice")
        told[key] = value
    return Fixture(MappingProxyType(facts), MappingProxyType(services))


def _error(position: int, zh: str, en: str) -> InputError:
    # By position, not by its text: a column put in the wrong place may hold a name or a number.
    return InputError(f"第 {position} 项{zh} / item {position}: {en}", place=COLUMN)
