"""Made-up applicants: nobody real, all numbers valid."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from typing import Any

from api.demo.people import Population
from services.house import House
from services.intake.application import Application
from services.intake.register import Registry

RECEIVED = date(2014, 11, 3)
_population = Population(seed=7)
_people = count()


def application(**changes: Any) -> Application:
    """An employee of 28 who asks for 3 years; ``name``, ``born_on`` and ``sex`` are the person's, the rest as in the
    body of ``POST /api/v1/applications``.
    """
    return Application.model_validate(body(**changes))


def body(**changes: Any) -> dict[str, Any]:
    """The same as JSON values."""
    # A day of birth has some two hundred made-up numbers, fewer than a session of tests has people.
    born_on = changes.pop("born_on", None) or date(1985, 11, 5) + timedelta(days=next(_people) % 360)
    person = _population.person(born_on, changes.pop("sex", "female"))
    if "name" in changes:
        person["name"] = changes.pop("name")
    number = changes.pop("application_number", f"T-{person['id_number'][-8:]}")
    return {
        "application_number": number,
        "received_on": RECEIVED.isoformat(),
        "district": "370303",
        "station": "科苑派出所",
        "term_years": 3,
        "grounds": ["employment"],
        "person": person,
        "residence": {"registered_on": "2014-10-08", "intends_half_year": True, "from_outside_county": True},
    } | changes


async def registered(house: House, *applications: Application) -> list[str]:
    """Register them; their case numbers, in order."""
    answers = await Registry(house.database, house.keys, house.packs).register(applications, "clerk:test")
    return [answer.number or "" for answer in answers]
