"""What changes with a pack's data alone: owners handed over, departments renamed, a third tier."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from services.policy.decide import decide
from services.policy.loading import SHIPPED, load_pack
from services.policy.question import HeldPermit, Question

SERVICE = "ZB87-3.1.6a"
RENAMED = date(2018, 12, 1)
WORDS = {"zh": "住满九年", "en": "nine years"}


def question(on):
    return Question(
        on=on,
        received_on=date(2017, 3, 1),
        term_years=3,
        grounds=("business",),
        born_on=date(1985, 3, 2),
        sex="female",
        registered_on=date(2010, 5, 1),
        intends_half_year=True,
        from_outside_county=True,
        permit=HeldPermit(3, date(2017, 3, 6), date(2020, 3, 5)),
    )


@pytest.fixture(scope="module")
def changed_pack(tmp_path_factory):
    document = yaml.load((SHIPPED / "zibo-2014-87.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    service = next(each for each in document["services"] if each["id"] == SERVICE)
    service["owner"].append({"from": RENAMED, "code": "civil-affairs"})
    fact = next(each for each in document["facts"] if each["name"] == "low_income")
    fact["owner"].append({"from": date(2019, 3, 1), "code": "finance"})
    health = next(each for each in document["departments"] if each["code"] == "health")
    health["names"].append({"from": RENAMED, "zh": "卫生健康委", "en": "Health Commission"})
    document["parameters"].append(
        {"code": "long", "value": 9, "unit": "years", "law": False, "source": {"zh": "试", "en": "trial"}}
    )
    document["tiers"].append(
        {"number": 3, "code": "tier-3", "reference": "三", "title": dict(WORDS), "terms": [3], "residence": "long"}
    )
    owner = [{"from": date(2014, 10, 1), "code": "police"}]
    third = {"id": "ZB87-3.3.1", "clause": "三", "title": dict(WORDS), "kind": "enrol", "tier": 3, "owner": owner}
    document["services"].append({**third, "send": ["name"]})
    path = tmp_path_factory.mktemp("packs") / "changed.yaml"
    path.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True), encoding="utf-8")
    return load_pack(path)


@pytest.mark.parametrize(("on", "owner"), [(date(2018, 11, 30), "justice"), (RENAMED, "civil-affairs")])
def test_the_owner_is_that_of_the_day(changed_pack, on, owner):
    assert decide(changed_pack, question(on)).entitlements[SERVICE].department == owner
    assert changed_pack.services[SERVICE].owner_on(on) == owner


def test_a_fact_is_asked_of_its_owner_of_the_day(changed_pack):
    needs = {
        on: dict(decide(changed_pack, question(on)).entitlements["ZB87-3.2.4"].needs)
        for on in (date(2019, 2, 28), date(2019, 3, 1))
    }
    assert [each["low_income"] for each in needs.values()] == ["civil-affairs", "finance"]


def test_a_handover_is_a_change(changed_pack):
    assert decide(changed_pack, question(date(2018, 6, 1))).next_change == RENAMED
    assert decide(changed_pack, question(RENAMED)).next_change == date(2019, 3, 1)
    assert decide(changed_pack, question(date(2019, 3, 1))).next_change == date(2019, 5, 1)  # the third tier


def test_a_department_bears_the_name_of_the_day(changed_pack):
    health = changed_pack.departments["health"]
    assert health.name_on(date(2018, 11, 30)).zh == "卫生计生委"
    assert health.name_on(RENAMED).zh == "卫生健康委"


def test_a_third_tier_is_a_matter_of_data(changed_pack):
    found = decide(changed_pack, question(date(2018, 6, 1))).entitlements["ZB87-3.3.1"]
    assert (found.state, found.first_day, found.last_day) == ("upcoming", date(2019, 5, 1), date(2020, 3, 5))
