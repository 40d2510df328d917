from __future__ import annotations

import itertools
from datetime import date

import pytest

from api.demo.people import Population, synthetic_applications
from api.demo.places import DISTRICTS, HOMES
from services.intake.divisions import Districts
from services.intake.fixture import read_fixture
from services.intake.identity import parse_id
from services.intake.regions import known_regions
from services.policy.registry import default_registry

DAY = date(2014, 10, 20)


def test_the_same_seed_gives_the_same_people():
    assert list(synthetic_applications(50, 1, DAY)) == list(synthetic_applications(50, 1, DAY))
    assert list(synthetic_applications(50, 1, DAY)) != list(synthetic_applications(50, 2, DAY))


def test_more_people_begin_with_the_same_ones():
    assert list(itertools.islice(synthetic_applications(100, 1, DAY), 20)) == list(synthetic_applications(20, 1, DAY))


def test_no_person_and_no_number_comes_twice():
    applications = [application for application, _ in synthetic_applications(3_000, 1, DAY)]
    assert len({application.person.id_number for application in applications}) == 3_000
    assert len({application.application_number for application in applications}) == 3_000


def test_every_application_would_be_registered():
    names = {code: name.zh for code, name in default_registry().named("zibo-2014-87").districts.items()}
    for application, known in synthetic_applications(500, 3, DAY):
        assert application.problems_at(DAY, Districts(names)) == ()
        read_fixture(known)


def test_numbers_are_of_a_sequence_that_was_given_to_nobody_of_that_age():
    for application, _ in synthetic_applications(200, 4, DAY):
        citizen = parse_id(application.person.id_number)
        assert citizen.number[14:16] == "99"
        assert citizen.number[16] in "6789"
        assert date(1930, 1, 1) < citizen.born_on < date(1999, 10, 1)


def test_places_are_those_of_the_pack_and_of_the_list_of_counties():
    assert set(DISTRICTS) == set(default_registry().named("zibo-2014-87").districts)
    assert set(HOMES) <= known_regions()
    assert not [home for home in HOMES if home.startswith("3703")]


def test_a_day_of_birth_without_numbers_left_says_so():
    population = Population(1)
    for _ in range(2 * len(HOMES)):
        population.person(date(1980, 1, 1), "male")
    with pytest.raises(ValueError, match="fewer people"):
        population.person(date(1980, 1, 1), "male")
