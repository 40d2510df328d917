"""The question put to the engine: one person, one day, what is asked for and what is known.

`parsing` reads it from the JSON of contract section 2; the names of facts, grounds and terms fixed by that
contract stand here, and a pack may use no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

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
"""Every fact, in the order of the contract, which is the order of every list of needs."""

GROUNDS: Final = ("employment", "business", "housing", "settlement", "other")
"""The grounds for a 3-year permit, in the order of the text (二（一） to 二（五）)."""

TERMS: Final = (1, 3)
"""The terms of a permit in years (ZB87-2.0d)."""

SEXES: Final = ("male", "female")

DECLARATIONS: Final = ("wants_to_start_business",)
"""What the applicant declares beside the application; false where left out."""

RESIDENCE_DECLARATIONS: Final = ("intends_half_year", "from_outside_county")
"""What the applicant declares about residence (A1); never left out."""


@dataclass(frozen=True, slots=True)
class HeldPermit:
    """A permit already issued. ``term_years`` is 1 or 3; both days count (A2)."""

    term_years: int
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything the engine may look at. ``on`` is the day of the decision.

    ``received_on`` picks the pack; ``children`` are their days of birth; ``declared`` the names out of
    `DECLARATIONS` that were declared true; a name missing from ``facts`` is unknown (A18).
    """

    on: date
    received_on: date
    term_years: int
    grounds: tuple[str, ...] = ()
    born_on: date
    sex: str
    registered_on: date
    intends_half_year: bool
    from_outside_county: bool
    permit: HeldPermit | None = None
    children: tuple[date, ...] = ()
    declared: frozenset[str] = frozenset()
    facts: Mapping[str, bool] = field(default_factory=dict)
