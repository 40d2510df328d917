"""What the sandbox departments know of a made-up applicant: the text of the column 演示核验 (services.intake.fixture).

Of those who apply about seven in ten pass as they ask; the others fall back to one year (A5), are refused, are
answered later, or wait.
"""

from __future__ import annotations

from random import Random
from typing import Final, Literal

from services.intake.application import Application

Turn = Literal["pass", "fall-back", "refused", "later", "waiting"]

_SHARES: Final[tuple[tuple[float, Turn], ...]] = (
    (0.73, "pass"),
    (0.85, "fall-back"),
    (0.89, "refused"),
    (0.97, "later"),
    (1.00, "waiting"),
)
# Ground `other` is for the joint meeting to accept (A8): no department knows anything about it.
_FACTS_OF: Final = {
    "employment": ("labour_contract", "social_insurance"),
    "business": ("business_licence",),
    "housing": ("home_owned",),
    "settlement": ("settlement_conditions",),
    "other": (),
}
_AWARDS: Final = (
    ("service:ZB87-3.1.6b", "decline:not-eligible"),
    ("service:ZB87-3.1.5a", "decline:quota-full"),
    ("service:ZB87-3.1.1b", "decline:document-missing"),
)


def what_is_known(application: Application, draw: Random, turn: Turn | None = None) -> str:
    """The text for one applicant, whose case takes the given turn (drawn by the shares above if not given)."""
    taken = turn or _turn(draw.random())
    known = _of_grounds(application, taken, draw)
    if taken == "refused":
        known[draw.choice(("identity_matches", "residence_registered"))] = "no"
    known |= _of_means(known, draw)
    return " ".join(f"{name}={answer}" for name, answer in known.items())


def _turn(chance: float) -> Turn:
    return next(turn for share, turn in _SHARES if chance < share)


def _of_grounds(application: Application, turn: Turn, draw: Random) -> dict[str, str]:
    """The facts of the grounds asked for; for 1 year, what an employee's department knows anyway."""
    facts = [fact for ground in application.grounds for fact in _FACTS_OF[ground]]
    if not facts:
        late = {"later": "later", "waiting": "never"}.get(turn)
        employed = {} if draw.random() < 0.4 else {"labour_contract": "yes", "social_insurance": "yes"}
        return {"residence_registered": late, **employed} if late else employed
    answer = {"fall-back": "no", "later": "later", "waiting": "never"}.get(turn, "yes")
    known = dict.fromkeys(facts, answer)
    if turn == "fall-back" and "labour_contract" in known and draw.random() < 0.5:
        # Both are needed (A6): a contract without insurance is the common case.
        known["labour_contract"] = "yes"
    if "home_owned" in known and answer == "yes" and draw.random() < 0.5:
        known |= {"home_owned": "no", "rental_filed": "yes"}
    return known


def _of_means(known: dict[str, str], draw: Random) -> dict[str, str]:
    """What further services depend on: provident fund, income, housing, honours, and awards that are declined."""
    told: dict[str, str] = {}
    if known.get("social_insurance") == "yes" and draw.random() < 0.5:
        told["housing_fund_12_months"] = "yes"
    if draw.random() < 0.12:
        told["low_income"] = "yes"
        told["housing_poor"] = "yes" if draw.random() < 0.6 and known.get("home_owned") != "yes" else "no"
    if draw.random() < 0.05:
        told["honour"] = "yes"
    if draw.random() < 0.08:
        name, answer = draw.choice(_AWARDS)
        told[name] = answer
    return told
