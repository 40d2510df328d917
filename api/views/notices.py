"""The notices as programs read them."""

from __future__ import annotations

from datetime import date

from api.views.words import Code, View, Words


class Right(View):
    """One service. ``awarded``: the holder may apply, the department decides; ``opened``: it is confirmed open."""

    service: Code
    clause: str
    opened: bool
    awarded: bool


class Desk(View):
    """The services for which the holder turns to one department."""

    department: Code
    rights: list[Right]


class Coming(View):
    """Services that come by themselves on the day ``on``."""

    on: date
    desks: list[Desk]


class RightsNotice(View):
    """权益告知书 / what a holder has, what comes when, and what waits for whom; the name masked."""

    number: str
    holder: str
    on: date
    document: str
    title: Words
    station: str
    district: Code
    term_years: int
    valid_from: date
    valid_until: date
    has: list[Desk]
    coming: list[Coming]
    waiting: list[Desk]
    for_all: list[Right]
    not_met: int
    guarantees: list[Code]
    free: Code


class Term(View):
    """A time by which the case is to be answered, and where it comes from."""

    clock: Code
    by: date
    source: Words


class Asked(View):
    """What one department is asked to confirm."""

    department: Code
    facts: list[Code]


class Receipt(View):
    """受理回执 / that an application was taken in; the name masked."""

    number: str
    applicant: str
    received_on: date
    on: date
    document: str
    station: str
    district: Code
    term_asked: int
    grounds: list[Code]
    asked: list[Asked]
    terms: list[Term]
    free: Code
