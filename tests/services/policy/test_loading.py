"""Packs from files: the shipped one, its digest, and every kind of mistake named at its place."""

from __future__ import annotations

import copy
from datetime import date

import pytest
import yaml

from services.errors import InputError, NotFoundError
from services.policy.loading import SHIPPED, check_pack, load_pack
from services.policy.registry import PackRegistry, default_registry

TEXT = (SHIPPED / "zibo-2014-87.yaml").read_text(encoding="utf-8")
GONE = object()


def document():
    return copy.deepcopy(yaml.load(TEXT, yaml.CSafeLoader))


def write(folder, value, name="pack.yaml"):
    path = folder / name
    path.write_text(yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def changed(path, value):
    pack = document()
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    target = pack
    for step in way:
        target = target[step]
    if value is GONE:
        del target[last]
    else:
        target[last] = value
    return pack


def test_the_shipped_pack_is_whole(pack):
    assert len(pack.services) == 78
    assert len([each for each in pack.departments.values() if each.standing == "member"]) == 22
    assert len([each for each in pack.departments.values() if each.standing == "associate"]) == 3
    assert len(pack.districts) == 10
    assert list(pack.settlements) == [f"A{number}" for number in range(1, 19)]
    assert pack.guarantees == ("ZB87-3.0a", "ZB87-3.0b", "ZB87-3.0c")
    assert (pack.first_day, pack.last_day) == (date(2014, 10, 1), date(2018, 12, 31))


def test_what_is_sent_of_a_person_is_the_least(pack):
    for service in pack.services.values():
        asks_children = any(code.startswith(("child", "minor")) for code in service.conditions)
        assert ("children" in service.send) == asks_children, service.id
        assert ("residence_registered_on" in service.send) == service.limited, service.id
        assert (service.send == ()) == (service.kind == "public"), service.id
        assert not {"sex", "born_on"} & set(service.send), service.id  # the ID number tells both
    for fact in pack.facts.values():
        assert {"name", "id_number"} <= set(fact.send), fact.name


def test_the_free_services_are_those_of_the_text(pack):
    free = {service.id.removeprefix("ZB87-3.") for service in pack.services.values() if service.free}
    expected = {f"1.2{letter}" for letter in "ijklm"} | {f"1.4{letter}" for letter in "abcdef"}
    expected |= {f"1.6{letter}" for letter in "cdef"} | {f"2.2{letter}" for letter in "abc"}
    assert free == expected


def test_both_clocks_from_2016_and_one_before(pack):
    assert [(each.code, each.days, each.unit) for each in pack.clocks_on(date(2015, 12, 31))] == [
        ("promised", 10, "working")
    ]
    assert [(each.code, each.days, each.unit) for each in pack.clocks_on(date(2016, 1, 1))] == [
        ("promised", 10, "working"),
        ("statutory", 15, "calendar"),
    ]


def test_the_digest_follows_the_content_and_nothing_else(tmp_path):
    again = tmp_path / "again.yaml"
    again.write_text("# another comment\n" + TEXT, encoding="utf-8")
    other = write(tmp_path, changed("parameters.0.value", 17), "other.yaml")
    assert load_pack(again).digest == load_pack("zibo-2014-87").digest
    assert load_pack(other).digest != load_pack("zibo-2014-87").digest
    assert len(load_pack(other).digest) == 64


MISTAKES = [
    ("code", GONE, "code", "is missing"),
    ("fees", 1, "fees", "is not a field of the format"),
    ("in_force.until", date(2014, 1, 1), "in_force.until", "is before from"),
    ("in_force.from", "soon", "in_force.from", "must be a day"),
    ("in_force.clause", "ZB87-9.9", "in_force.clause", "'ZB87-9.9' is no clause"),
    ("services.12.owner.0.code", "hr", "services[12].owner[0].code", "'hr' is no department"),
    ("services.12.owner.0.from", date(2015, 1, 1), "services[12].owner", "leaves the days before 2015-01-01"),
    ("services.12.owner", [], "services[12].owner", "at least 1"),
    ("services.3.kind", "sell", "services[3].kind", "is no kind of service"),
    ("services.3.tier", 3, "services[3].tier", "3 is no tier"),
    ("services.3.tier", True, "services[3].tier", "True is no tier"),
    ("services.3.free", "yes", "services[3].free", "must be true or false"),
    ("services.3.conditions", ["rich"], "services[3].conditions[0]", "'rich' is no condition"),
    ("services.3.send", ["name", "salary"], "services[3].send[1]", "'salary' is no field of a person"),
    ("services.3.send", ["name", "name"], "services[3].send[1]", "given more than once"),
    ("services.3.send", ["residence_registered_on"], "services[3].send", "limited capacity"),
    ("services.5.send", ["name"], "services[5].send", "is sent to nobody"),
    ("services.5.conditions", ["insured"], "services[5].conditions", "is for all"),
    ("services.3.id", "ZB87-3.1.1a", "services[3].id", "given more than once"),
    ("services.3.title.en", "", "services[3].title.en", "must be a text"),
    ("services.3.fee", 5, "services[3].fee", "is not a field of the format"),
    ("services.3", "ZB87-3.1.1d", "services[3]", "must be a mapping"),
    ("services.0.replaced_by", ["ZB87-3.2.1x"], "services[0].replaced_by[0]", "is no service"),
    ("services.0.replaced_by", ["ZB87-3.1.1b"], "services[0].replaced_by", "another than the service's own"),
    ("services.0.grace", "a week", "services[0].grace", "is no grace"),
    ("conditions.0.kind", "eval", "conditions[0].kind", "is no kind of condition"),
    ("conditions.0.from", "16", "conditions[0].from", "is no parameter"),
    ("conditions.0.expression", "age > 16", "conditions[0].expression", "is not a field of the format"),
    ("conditions.4.below", "working-age", "conditions[4].below", None),
    ("conditions.4.below", "preschool-age", "conditions[4]", "leaves no age"),
    ("conditions.12.fact", "rich", "conditions[12].fact", "is no fact"),
    ("parameters.0.value", -1, "parameters[0].value", "whole number from 0 to 150"),
    ("parameters.0.law", GONE, "parameters[0].law", "is missing"),
    ("facts.0.name", "rich", "facts[0].name", "is no fact of the contract"),
    ("facts.0.owner.0.code", "nobody", "facts[0].owner[0].code", "is no department"),
    ("permit.gates.2.fact", "rich", "permit.gates[2].fact", "is no fact"),
    ("permit.gates.2.because", ["A99"], "permit.gates[2].because[0]", "is no clause or settlement"),
    ("permit.terms.1.years", 5, "permit.terms", "must be those of the contract"),
    ("permit.terms.1.otherwise.years", 2, "permit.terms", "must be another of the terms"),
    ("permit.grounds.0.code", "wealth", "permit.grounds[0].code", "is no ground"),
    ("permit.grounds.1.routes", [], "permit.grounds[1].routes", "at least 1"),
    ("permit.grounds.1.routes.0.facts", [], "permit.grounds[1].routes[0].facts", "at least 1"),
    ("tiers.1.terms", [5], "tiers[1].terms[0]", "is no term of a permit"),
    ("tiers.1.residence", "years", "tiers[1].residence", "is no parameter"),
    ("school.year_starts", "02-30", "school.year_starts", "must be a day of every year"),
    ("school.terms.0.until", 131, "school.terms[0].until", "must be a day of every year"),
    ("because.unknown", ["A0"], "because.unknown[0]", "is no clause or settlement"),
    ("clauses.3.zh", 5, "clauses[3].zh", "put quotes around a number"),
    ("settlements.3.code", "A1", "settlements[3].code", "given more than once"),
    ("departments.0.standing", "boss", "departments[0].standing", "is no standing"),
    ("guarantees", ["ZB87-3.0z"], "guarantees[0]", "is no clause"),
    ("clocks.0.unit", "lunar", "clocks[0].unit", "is no unit"),
]


@pytest.mark.parametrize(("path", "value", "place", "said"), MISTAKES)
def test_a_mistake_is_named_by_its_place_and_line(path, value, place, said, tmp_path):
    file = write(tmp_path, changed(path, value))
    pack, problems = check_pack(file)
    if said is None:  # a change, but no mistake
        assert pack is not None
        return
    assert pack is None
    found = {problem.place: problem for problem in problems}
    assert place in found, problems
    assert said in found[place].detail
    assert all(problem.line is not None and len(str(problem).splitlines()) == 1 for problem in problems)
    with pytest.raises(InputError, match=r"^pack\.yaml: "):
        load_pack(file)


def test_every_mistake_is_told_in_the_order_of_the_file(tmp_path):
    pack = changed("services.70.kind", "sell")
    pack["departments"][0]["standing"] = "boss"
    del pack["code"]
    _, problems = check_pack(write(tmp_path, pack))
    assert [problem.place for problem in problems] == ["code", "departments[0].standing", "services[70].kind"]
    lines = [problem.line for problem in problems]
    assert lines == sorted(lines)


def test_the_line_is_that_of_the_file(tmp_path):
    file = tmp_path / "pack.yaml"
    file.write_text(TEXT.replace("kind: holder-sex", "kind: holder-name"), encoding="utf-8")
    _, problems = check_pack(file)
    line = next(n for n, text in enumerate(TEXT.splitlines(), 1) if "kind: holder-sex" in text)
    assert (problems[0].place, problems[0].line) == ("conditions[6].kind", line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a mapping"),
        ("- a list", "must be a mapping"),
        ("code: a\ncode: b\n", "line 1: is not good YAML: a key is given more than once"),
        ("code: [", "is not good YAML"),
        ("code: !!python/object/apply:os.system [ls]", "is not good YAML"),
        ("code: 2014-13-45", "is not good YAML"),
        ("a: &a [*a]", "uses a YAML alias"),
        ("a: &a [1]\nb: [*a, *a]", "uses a YAML alias"),
        ("code: \x00", "is not good YAML"),
    ],
)
def test_what_is_no_pack_at_all(text, said, tmp_path):
    file = tmp_path / "pack.yaml"
    file.write_text(text, encoding="utf-8")
    pack, problems = check_pack(file)
    assert pack is None
    assert any(said in str(problem) for problem in problems), problems
    assert all(len(str(problem).splitlines()) == 1 for problem in problems)


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(NotFoundError, match="no such policy pack"):
        load_pack("atlantis-2020-1")
    with pytest.raises(NotFoundError):
        load_pack(tmp_path / "none.yaml")
    with pytest.raises(NotFoundError):
        load_pack(tmp_path)
    (tmp_path / "bad.yaml").write_bytes("标题".encode("gb18030"))
    with pytest.raises(InputError, match="is not UTF-8"):
        load_pack(tmp_path / "bad.yaml")


def test_the_registry_picks_by_the_day_of_receipt(tmp_path):
    later = document()
    later["code"] = "zibo-2019-1"
    later["in_force"] |= {"from": date(2019, 1, 1), "until": date(2023, 12, 31)}
    write(tmp_path, later)
    registry = PackRegistry.load(SHIPPED, tmp_path)
    assert [pack.code for pack in registry.packs] == ["zibo-2014-87", "zibo-2019-1"]
    picked = {day: registry.covering(day) for day in (date(2014, 9, 30), date(2018, 12, 31), date(2019, 1, 1))}
    assert [pack and pack.code for pack in picked.values()] == [None, "zibo-2014-87", "zibo-2019-1"]
    assert registry.named("zibo-2019-1").code == "zibo-2019-1"
    with pytest.raises(NotFoundError):
        registry.named("zibo-2030-1")
    assert default_registry() is default_registry()


@pytest.mark.parametrize(
    ("code", "first_day", "said"),
    [("zibo-2018-9", date(2018, 12, 31), "covers days of"), ("zibo-2014-87", date(2019, 1, 1), "the same code")],
)
def test_packs_that_contradict_each_other_are_refused(code, first_day, said, tmp_path):
    other = document()
    other["code"] = code
    other["in_force"] |= {"from": first_day, "until": date(2023, 12, 31)}
    write(tmp_path, other)
    with pytest.raises(InputError, match=said):
        PackRegistry.load(SHIPPED, tmp_path)
