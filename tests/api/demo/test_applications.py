"""The file that ships is what the generator makes, and shows what the demonstration needs."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from api.demo import generate
from api.demo.sheet import cells_of, write_sheet
from services.intake.divisions import Districts
from services.intake.fixture import FACTS, read_fixture
from services.intake.rows import read_applications
from services.policy.decide import decide
from services.policy.parsing import parse_question
from services.policy.registry import default_registry

TODAY = date(2014, 11, 4)
PACK = default_registry().named("zibo-2014-87")
DISTRICTS = Districts({code: name.zh for code, name in PACK.districts.items()})


@pytest.fixture(scope="module")
def rows():
    return list(read_applications(generate.FILE, districts=DISTRICTS, today=TODAY))


@pytest.fixture(scope="module")
def good(rows):
    return [row for row in rows if row.application]


def test_the_generator_makes_the_same_file_to_the_byte(tmp_path):
    write_sheet(tmp_path / "again.csv", generate.rows())
    assert (tmp_path / "again.csv").read_bytes() == generate.FILE.read_bytes()


def test_eight_rows_are_bad_each_in_another_way(rows, good):
    bad = [row for row in rows if not row.application]
    assert len(rows) == 200
    assert all(len(row.problems) == 1 for row in bad)
    assert len({row.problems[0].zh for row in bad}) == 7
    # The eighth is a person who applied already, which only the register can know.
    people = Counter(row.application.person.id_number for row in good)
    assert [count for count in people.values() if count > 1] == [2]


def test_every_district_ground_and_week_is_there(good):
    applications = [row.application for row in good]
    assert {application.district for application in applications} == set(DISTRICTS)
    grounds = {ground for application in applications for ground in application.grounds}
    assert grounds == {"employment", "business", "housing", "settlement", "other"}
    days = [application.received_on for application in applications]
    assert days == sorted(days)
    assert date(2014, 10, 8) <= days[0] < days[-1] <= date(2014, 11, 3)
    registered = {application.residence.registered_on.year for application in applications}
    assert registered == {2012, 2013, 2014}


def test_ages_stand_at_their_edges(good):
    day = date(2014, 10, 20)
    born = {row.application.person.born_on for row in good}
    children = {child.born_on for row in good for child in row.application.children}
    assert {day.replace(year=day.year - age) for age in (16, 18, 50, 65)} <= born
    assert {day.replace(year=day.year - age) for age in (3, 7, 14, 18)} <= children
    assert {date(2008, 8, 31), date(2008, 9, 1), date(1999, 8, 31), date(1999, 9, 1)} <= children


def test_every_row_says_what_is_known(rows):
    fixtures = [read_fixture(row.fixture_text) for row in rows]
    assert any(fixture.services for fixture in fixtures)
    assert {"honour", "low_income", "housing_poor", "housing_fund_12_months"} <= {
        name for fixture in fixtures for name, answer in fixture.facts.items() if answer == "yes"
    }


def test_cases_take_every_turn_in_their_shares(good):
    turns: Counter[str] = Counter()
    for row in good:
        fixture = read_fixture(row.fixture_text)
        answers = {name: fixture.fact(name) for name in FACTS if name != "other_ground_accepted"}
        facts = {name: answer != "no" for name, answer in answers.items() if answer != "never"}
        permit = decide(PACK, parse_question(row.application.to_question(TODAY, facts))).permit
        fell_back = permit.outcome == "issue" and permit.term_years != row.application.term_years
        turns["fall-back" if fell_back else permit.outcome] += 1
        turns["later"] += "later" in answers.values()
    shares = {turn: count / len(good) for turn, count in turns.items()}
    assert shares["fall-back"] == pytest.approx(0.12, abs=0.02)
    assert shares["refuse"] == pytest.approx(0.04, abs=0.02)
    assert shares["later"] == pytest.approx(0.08, abs=0.02)
    assert shares["wait"] == pytest.approx(0.03, abs=0.02)
    assert shares["issue"] - shares["later"] == pytest.approx(0.72, abs=0.05)


def test_what_is_written_to_a_sheet_is_read_back(good, tmp_path):
    path = tmp_path / "again.csv"
    write_sheet(path, [cells_of(row.application, row.fixture_text or "") for row in good])
    again = list(read_applications(path, districts=DISTRICTS, today=TODAY))
    assert [row.application for row in again] == [row.application for row in good]
    assert [row.fixture_text for row in again] == [row.fixture_text for row in good]
