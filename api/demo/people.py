"""Made-up people and their applications. No real person is meant, and hardly one can be hit by chance.

ID numbers end in the sequence 996 to 999, which was kept for people of a hundred years and more until October 1999.
Everyone here had a number by then and was far younger. Telephone numbers begin with 154, which no operator had in 2014.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from api.demo.knowledge import what_is_known
from api.demo.places import DISTRICTS, HOMES, STREETS
from services.intake.application import Application
from services.intake.identity import Sex, check_digit

SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN: Final = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建文志海峰玲梅凤云荣春生国庆永福新民德亮宁雪晨浩宇轩梓涵欣怡"
    "佳琪子墨雨桐思远嘉诚一鸣可心"
)
_SEQUENCES: Final[dict[Sex, tuple[str, str]]] = {"male": ("997", "999"), "female": ("996", "998")}
_YEAR: Final = 365.25
# Single grounds are the rule; what a person asks for, as shares of those who ask for 3 years.
_GROUNDS: Final = (
    (0.50, ("employment",)),
    (0.66, ("business",)),
    (0.86, ("housing",)),
    (0.92, ("settlement",)),
    (0.99, ("employment", "housing")),
    (1.00, ("other",)),
)


class Population:
    """Draws people one after the other; the same seed gives the same people, and no ID number comes twice."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)  # noqa: S311  # made-up people need to be the same again, not unguessable
        self._given_out: set[str] = set()

    def person(self, born_on: date, sex: Sex) -> dict[str, Any]:
        """A person as the application's model takes it."""
        street = self.draw.choice(STREETS)
        return {
            "name": self.name(),
            "id_number": self._number(born_on, sex),
            "phone": f"154{self.draw.randrange(10**8):08d}",
            "address": f"{street}{1 + self.draw.randrange(200)}号{1 + self.draw.randrange(30)}号楼",
        }

    def name(self, surname: str | None = None) -> str:
        """A name, of the family ``surname`` if given."""
        given = self.draw.choice(GIVEN) + (self.draw.choice(GIVEN) if self.draw.random() < 0.7 else "")
        return (surname or self.draw.choice(SURNAMES)) + given

    def sex(self) -> Sex:
        """Either, alike often."""
        return "male" if self.draw.random() < 0.5 else "female"

    def born_on(self, received_on: date) -> date:
        """A date of birth between the 16th and the 75th birthday, most about thirty."""
        return received_on - timedelta(days=int(self.draw.triangular(16.1, 75, 29) * _YEAR))

    def children(self, born_on: date, received_on: date, surname: str) -> list[dict[str, Any]]:
        """Up to two children who are at most 18 or so, of a parent who was at least 21 at the birth of each."""
        eldest = min((received_on - born_on).days - int(21 * _YEAR), int(18.5 * _YEAR))
        count = 0 if eldest < 1 else self.draw.choice((0, 0, 1, 1, 1, 2))
        days = [1 + self.draw.randrange(eldest) for _ in range(count)]
        return [self.child(received_on - timedelta(days=age), surname) for age in days]

    def child(self, born_on: date, surname: str) -> dict[str, Any]:
        """A child as the application's model takes it."""
        sex = self.sex()
        relation = "son" if sex == "male" else "daughter"
        return {"name": self.name(surname), "born_on": born_on, "sex": sex, "relation": relation}

    def application(self, number: str, received_on: date, **told: Any) -> Application:
        """An application. What is ``told`` (born_on, sex, term_years, grounds, children, registered_on, district)
        holds; the rest is drawn."""
        born_on: date = told.get("born_on") or self.born_on(received_on)
        person = self.person(born_on, told.get("sex") or self.sex())
        surname = person["name"][0]
        children: Sequence[date] | None = told.get("children")
        district = told.get("district") or self.draw.choice(tuple(DISTRICTS))
        term = told.get("term_years") or (3 if self.draw.random() < 0.7 else 1)
        registered_on = told.get("registered_on") or received_on - timedelta(days=self.draw.randrange(1_000))
        return Application.model_validate(
            {
                "application_number": number,
                "received_on": received_on,
                "district": district,
                "station": self.draw.choice(DISTRICTS[district]),
                "term_years": term,
                "grounds": told.get("grounds", self._grounds() if term == 3 else ()),
                "person": person,
                "residence": {
                    "registered_on": max(registered_on, born_on),
                    "intends_half_year": True,
                    "from_outside_county": True,
                },
                "children": self.children(born_on, received_on, surname)
                if children is None
                else [self.child(day, surname) for day in children],
                "declared": {"wants_to_start_business": self.draw.random() < 0.15},
            }
        )

    def _grounds(self) -> tuple[str, ...]:
        chance = self.draw.random()
        return next(grounds for share, grounds in _GROUNDS if chance < share)

    def _number(self, born_on: date, sex: Sex) -> str:
        """An ID number not given out before. A day has two of each sex in every county."""
        first = self.draw.randrange(len(HOMES))
        for step in range(len(HOMES)):
            for sequence in _SEQUENCES[sex]:
                body = f"{HOMES[(first + step) % len(HOMES)]}{born_on:%Y%m%d}{sequence}"
                if body not in self._given_out:
                    self._given_out.add(body)
                    return body + check_digit(body)
        raise ValueError("no number is left for that day of birth: fewer people, please")


def synthetic_applications(n: int, seed: int, received_on: date) -> Iterator[tuple[Application, str]]:
    """``n`` different people's applications received on one day, each with its text for the column 演示核验.

    The same arguments give the same applications; up to about a million are different people. Seeds share people.
    """
    population = Population(seed)
    for index in range(1, n + 1):
        application = population.application(f"S{seed}-{index:07d}", received_on)
        yield application, what_is_known(application, population.draw)
