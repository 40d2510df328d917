"""The kinds of condition a service may set. A pack names them with their figures; none is an expression.

Two families. A *standing* condition holds for the whole life of the permit or not at all (a fact, a
declaration, the holder's sex): ``holds`` says True, False or, for a fact nobody has confirmed, None (A18).
A *timed* condition holds in windows of days (an age, a child's age): ``windows`` says which, apart from any
permit. With several children a condition holds while it holds for any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from services.policy.dates import FOREVER, NEVER, Windows, anniversary, ordinal, school_year_starts, union
from services.policy.question import Question
from services.policy.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What every condition bears: its code, its words, and the settlements that stand behind it."""

    code: str
    title: Text
    settlements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactHolds(Named):
    """A department has confirmed the fact. ``fact`` is one of `question.FACTS`."""

    fact: str

    def holds(self, question: Question) -> bool | None:
        """Return what is known of the fact; None while nobody has confirmed or denied it (A18)."""
        return question.facts.get(self.fact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared(Named):
    """The applicant declares it. ``declaration`` is one of `question.DECLARATIONS`."""

    declaration: str

    def holds(self, question: Question) -> bool:
        """Return whether it was declared."""
        return self.declaration in question.declared


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderSex(Named):
    """The holder is of this sex."""

    sex: str

    def holds(self, question: Question) -> bool:
        """Return whether the holder is of this sex."""
        return question.sex == self.sex


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderAge(Named):
    """The holder has had birthday ``first`` and not yet birthday ``below`` (None: no end). In years."""

    first: int
    below: int | None = None

    def windows(self, question: Question) -> Windows:
        """Return the one window of that age."""
        born = question.born_on
        last = FOREVER if self.below is None else anniversary(born, self.below) - 1
        return ((anniversary(born, self.first), last),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildAge(Named):
    """A child has had birthday ``first`` (0: is born) and not yet birthday ``below``. In years."""

    first: int
    below: int

    def windows(self, question: Question) -> Windows:
        """Return the days on which any child is of that age."""
        if not question.children:
            return NEVER
        return union((anniversary(born, self.first), anniversary(born, self.below) - 1) for born in question.children)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildBeforeSchool(Named):
    """A child has had birthday ``first`` and compulsory-school age has not begun.

    ``school_age`` in years; ``year_starts`` is the (month, day) on which a school year starts.
    """

    first: int
    school_age: int
    year_starts: tuple[int, int]

    def windows(self, question: Question) -> Windows:
        """Return the days on which any child is of preschool age."""
        if not question.children:
            return NEVER
        starts = self.year_starts
        return union(
            (
                anniversary(born, self.first),
                ordinal(school_year_starts(born, self.school_age, starts), *starts) - 1,
            )
            for born in question.children
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildInSchool(Named):
    """A child is of compulsory-school age: ``school_years`` school years from the first after ``school_age``."""

    school_age: int
    school_years: int
    year_starts: tuple[int, int]

    def windows(self, question: Question) -> Windows:
        """Return the days on which any child is of compulsory-school age."""
        if not question.children:
            return NEVER
        starts = self.year_starts
        entries = (school_year_starts(born, self.school_age, starts) for born in question.children)
        return union((ordinal(year, *starts), ordinal(year + self.school_years, *starts) - 1) for year in entries)


Standing: TypeAlias = FactHolds | Declared | HolderSex
Timed: TypeAlias = HolderAge | ChildAge | ChildBeforeSchool | ChildInSchool
Condition: TypeAlias = Standing | Timed
