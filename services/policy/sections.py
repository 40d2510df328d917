"""The sections of a pack's file, read into the dataclasses of `pack`, each code checked where it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from services.policy.kinds import Defined, read_condition
from services.policy.pack import (
    Clause,
    Clock,
    Department,
    EngineCodes,
    Fact,
    Pack,
    Parameter,
    SchoolTerm,
    Service,
    Tier,
)
from services.policy.permit_section import PermitCodes, read_permit
from services.policy.question import FACTS, TERMS
from services.policy.reading import Entry, Problem

PERSON_FIELDS: Final = (
    "name",
    "id_number",
    "sex",
    "born_on",
    "phone",
    "address",
    "district",
    "residence_registered_on",
    "children",
)
"""The fields of a person that an allow-list (``send``) may name; a message may bear no others."""

Item = TypeVar("Item")


def read_pack(document: Entry, problems: list[Problem], content: Mapping[str, Any]) -> Pack | None:
    """Read the whole document; None if anything in it was wrong, and ``problems`` then says what.

    Sections are read in the order in which they build on each other, whatever their order in the file.
    ``content`` is the document as JSON values, kept for the digest.
    """
    in_force = document.entry("in_force")
    since, until = in_force.day("from"), in_force.day("until")
    if until < since:
        in_force.note("until", "is before from")
    clauses = _keyed(document, "clauses", "id", _clause)
    settlements = _keyed(document, "settlements", "code", Entry.own_words)
    departments = _keyed(
        document,
        "departments",
        "code",
        lambda entry: Department(
            entry.text("code"),
            entry.one_of("standing", ("member", "associate", "office", "meeting"), "standing"),
            entry.dated_names("names", since),
        ),
    )
    parameters = _keyed(document, "parameters", "code", _parameter)
    facts = _keyed(
        document,
        "facts",
        "name",
        lambda entry: Fact(
            entry.one_of("name", FACTS, "fact of the contract"),
            entry.words("title"),
            entry.owners("owner", departments, since),
            entry.names("send", PERSON_FIELDS, "field of a person"),
        ),
    )
    facts = {name: facts[name] for name in FACTS if name in facts}
    reasons = {**clauses, **settlements}
    school = document.entry("school")
    defined = Defined(parameters, facts, settlements, school.month_day("year_starts"))
    tiers = _keyed(document, "tiers", "number", lambda entry: _tier(entry, defined))
    conditions = _keyed(document, "conditions", "code", lambda entry: read_condition(entry, defined), done=False)
    # Services name each other (replaced_by), so their ids are collected before they are read.
    ids = {str(item.get("id")) for item in content.get("services") or [] if isinstance(item, dict)}
    services = _keyed(
        document,
        "services",
        "id",
        lambda entry: Service(
            id=entry.text("id"),
            clause=entry.text("clause"),
            title=entry.words("title"),
            kind=entry.one_of("kind", ("enrol", "assess", "public"), "kind of service"),
            tier=entry.number_of("tier", tiers, "tier"),
            owner=entry.owners("owner", departments, since),
            conditions=entry.names("conditions", conditions, "condition"),
            free=entry.flag("free", default=False),
            limited=entry.flag("limited", default=False),
            catch_all=entry.flag("catch_all", default=False),
            settlements=entry.names("settlements", settlements, "settlement"),
            replaced_by=entry.names("replaced_by", ids, "service"),
            grace=entry.one_of("grace", ("school-term",), "grace") if entry.has("grace") else None,
            send=entry.names("send", PERSON_FIELDS, "field of a person"),
        ),
        check=_check_service,
    )
    permit_codes = PermitCodes(clauses, settlements, facts, departments)
    read: dict[str, Any] = {
        "code": document.text("code"),
        "title": document.words("title"),
        "document": document.text("document"),
        "issuer": document.words("issuer"),
        "issued_on": document.day("issued_on"),
        "first_day": since,
        "last_day": until,
        "in_force_clause": in_force.one_of("clause", clauses, "clause"),
        "departments": departments,
        "districts": _keyed(document, "districts", "code", Entry.own_words),
        "parameters": parameters,
        "clocks": tuple(_clock(entry) for entry in document.entries("clocks")),
        "school_terms": tuple(_school_term(entry) for entry in school.entries("terms")),
        "facts": facts,
        "permit": read_permit(document.entry("permit"), permit_codes, since),
        "because": _engine_codes(document.entry("because"), reasons),
        "tiers": tiers,
        "conditions": conditions,
        "services": services,
        "guarantees": document.names("guarantees", clauses, "clause"),
        "clauses": clauses,
        "settlements": settlements,
    }
    in_force.done()
    school.done()
    document.done()
    _check_replacements(services, problems)
    return None if problems else Pack(**read, content=content)


def _keyed(
    document: Entry,
    section: str,
    key: str,
    build: Callable[[Entry], Item],
    *,
    check: Callable[[Entry, Item], None] | None = None,
    done: bool = True,
) -> dict[Any, Item]:
    """Read a list of entries into a mapping by their ``key``, no key twice."""
    found: dict[Any, Item] = {}
    for entry in document.entries(section):
        name = entry.number(key) if key == "number" else entry.text(key)
        item = build(entry)
        if check is not None:
            check(entry, item)
        if done:
            entry.done()
        if name in found:
            entry.note(key, f"{name!r} is given more than once")
        found[name] = item
    return found


def _clause(entry: Entry) -> Clause:
    return Clause(entry.text("id"), entry.text("reference"), entry.own_words())


def _parameter(entry: Entry) -> Parameter:
    return Parameter(
        code=entry.text("code"),
        value=entry.number("value", most=150),
        unit=entry.one_of("unit", ("years",), "unit"),
        law=entry.flag("law"),
        source=entry.words("source"),
    )


def _clock(entry: Entry) -> Clock:
    clock = Clock(
        code=entry.text("code"),
        days=entry.number("days", least=1),
        unit=entry.one_of("unit", ("working", "calendar"), "unit of days"),
        first_day=entry.day("from"),
        last_day=entry.day("until") if entry.has("until") else None,
        law=entry.flag("law"),
        source=entry.words("source"),
    )
    entry.done()
    return clock


def _school_term(entry: Entry) -> SchoolTerm:
    term = SchoolTerm(entry.month_day("from"), entry.month_day("until"))
    entry.done()
    return term


def _tier(entry: Entry, defined: Defined) -> Tier:
    return Tier(
        number=entry.number("number", least=1),
        code=entry.text("code"),
        reference=entry.text("reference"),
        title=entry.words("title"),
        terms=entry.numbers("terms", TERMS, "term of a permit"),
        residence_years=defined.years(entry, "residence") if entry.has("residence") else None,
        settlements=entry.names("settlements", defined.settlements, "settlement"),
    )


def _engine_codes(entry: Entry, reasons: Mapping[str, object]) -> EngineCodes:
    what = "clause or settlement"
    codes = EngineCodes(
        permit_given=entry.names("permit_given", reasons, what, least=1),
        replaced=entry.names("replaced", reasons, what, least=1),
        unknown=entry.names("unknown", reasons, what, least=1),
    )
    entry.done()
    return codes


def _check_service(entry: Entry, service: Service) -> None:
    if service.kind == "public" and service.conditions:
        entry.note("conditions", "a public service is for all and sets none")
    if service.kind == "public" and service.send:
        entry.note("send", "a public service is sent to nobody")
    if not service.limited and "residence_registered_on" in service.send:
        entry.note("send", "only a service of limited capacity needs the day of registration (ZB87-1.2a)")


def _check_replacements(services: Mapping[str, Service], problems: list[Problem]) -> None:
    for place, service in enumerate(services.values()):
        tiers = {services[each].tier for each in service.replaced_by if each in services}
        if len(tiers) > 1 or service.tier in tiers:
            detail = "must be services of one tier, another than the service's own"
            problems.append(Problem(f"services[{place}].replaced_by", detail))
