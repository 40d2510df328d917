"""Section 三: judging what the services of a plan ask, over the life of one permit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from services.policy.answer import Need, State
from services.policy.dates import FOREVER, Window, Windows, anniversary, intersection

if TYPE_CHECKING:
    from services.policy.pack import EngineCodes, Tier
    from services.policy.plan import Era, Plan, Profile
    from services.policy.question import Question


class Life(NamedTuple):
    """The days of a permit, as ordinals, both included, and its term in years."""

    first: int
    last: int
    term_years: int


class Verdict(NamedTuple):
    """The answer for every service of one profile; the fields are those of `answer.Entitlement`.

    ``reasons`` follow the service's own id in ``because``. ``change`` is the first ordinal after the day of
    the decision on which time alone alters this verdict, the permit's own end aside.
    """

    state: State
    first_day: date | None
    last_day: date | None
    needs: tuple[Need, ...]
    reasons: tuple[str, ...]
    opens: date | None = None
    fails: tuple[str, ...] = ()
    change: int = FOREVER


def judge(
    plan: Plan,
    era: Era,
    codes: EngineCodes,
    question: Question,
    life: Life,
    profiles: Sequence[Profile] | None = None,
) -> list[Verdict]:
    """Judge ``profiles``, by default every one of the plan, in order, on the day of the question, within ``life``."""
    bench = _Bench(plan, era, codes, question, life)
    return [bench.judge(profile) for profile in (plan.profiles if profiles is None else profiles)]


class _Bench:
    """One question before the plan: each condition and tier is evaluated once, however many services ask it."""

    __slots__ = ("codes", "days", "era", "facts", "holds", "life", "on", "plan", "public", "tier_starts", "windows")

    def __init__(self, plan: Plan, era: Era, codes: EngineCodes, question: Question, life: Life) -> None:
        self.plan = plan
        self.era = era
        self.codes = codes
        self.life = life
        self.facts = question.facts
        self.on = question.on.toordinal()
        self.holds = [condition.holds(question) for condition in plan.standing]
        self.windows = [condition.windows(question) for condition in plan.timed]
        self.tier_starts = [_tier_start(tier, question, life) for tier in plan.tiers]
        # Most runs begin and end with the permit: its days are made once.
        self.days = {day: date.fromordinal(day) for day in (life.first, life.last)}
        self.public = Verdict("public", self.days[life.first], self.days[life.last], (), ())

    def judge(self, profile: Profile) -> Verdict:
        """Judge one profile: a false condition or no day left is unmet, before any unknown fact counts (A18)."""
        if profile.public:
            return self.public
        unknown = False
        for place in profile.standing:
            held = self.holds[place]
            if held is False:
                return self._unmet(profile)
            unknown = unknown or held is None
        run = self._run(profile)
        if run is None:
            return self._unmet(profile)
        first, last = run
        on = self.on
        reasons = profile.reasons
        if self._end(profile) < self.life.last:
            reasons += self.codes.replaced
        if unknown:
            needs = self.era.needs_for({fact for fact in profile.facts if fact not in self.facts})
            opens = self._day(first if first > on else on)
            change = first if first > on else last + 1
            return Verdict("unknown", None, None, needs, reasons + self.codes.unknown, opens, (), change)
        if first > on:
            return Verdict("upcoming", self._day(first), self._day(last), (), reasons, None, (), first)
        return Verdict("granted", self._day(first), self._day(last), (), reasons, None, (), last + 1)

    def _run(self, profile: Profile) -> Window | None:
        """The first unbroken run of days that ends on the day of the question or later."""
        start, end = self.tier_starts[profile.tier], self._end(profile)
        if start > end or end < self.on:
            return None
        if not profile.timed:
            return start, end
        runs: Windows = ((start, end),)
        for place in profile.timed:
            runs = intersection(runs, self.windows[place])
        for run in runs:
            if run[1] >= self.on:
                return run
        return None

    def _day(self, day: int) -> date:
        return self.days.get(day) or date.fromordinal(day)

    def _end(self, profile: Profile) -> int:
        """The last day on which the profile can be due: the permit's, or the eve of what replaces it (A9)."""
        if profile.replaced_in is None:
            return self.life.last
        return min(self.life.last, self.tier_starts[profile.replaced_in] - 1)

    def _unmet(self, profile: Profile) -> Verdict:
        """Name what fails: the tier, every false condition, and every age with no day left in the permit."""
        failing: list[str] = []
        bearing: set[str] = set()
        tier = self.plan.tiers[profile.tier]
        if self.tier_starts[profile.tier] > self.life.last:
            failing.append(tier.code)
            bearing.update(tier.settlements)
        left: Windows = ((self.on, self.life.last),)
        false = [self.plan.standing[place] for place in profile.standing if self.holds[place] is False]
        over = [self.plan.timed[place] for place in profile.timed if not intersection(left, self.windows[place])]
        for condition in (*false, *over):
            failing.append(condition.code)
            bearing.update(condition.settlements)
        reasons = tuple(code for code in profile.reasons if code in bearing)
        if self._end(profile) < self.life.last:
            reasons += self.codes.replaced
        return Verdict("unmet", None, None, (), reasons, fails=tuple(failing))


def _tier_start(tier: Tier, question: Question, life: Life) -> int:
    """Return the ordinal on which the tier starts (A4); FOREVER where the permit's term never reaches it."""
    if life.term_years not in tier.terms:
        return FOREVER
    if tier.residence_years is None:
        return life.first
    return max(life.first, anniversary(question.registered_on, tier.residence_years))
