"""An application as a form brings it, made into the JSON body that the intake judges; and its problems by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from api.console.queries import Entered
from services.intake.application import Application
from services.intake.identity import IdNumberError, parse_id
from services.intake.problems import Problem, problems

_FLAGS: Mapping[str, bool] = {"yes": True, "no": False}
# The paths of an application whose fields are called otherwise on the form.
_FIELDS: Mapping[str, str] = {
    "person.name": "name",
    "person.id_number": "id_number",
    "person.phone": "phone",
    "person.address": "address",
    "residence.registered_on": "registered_on",
    "residence.intends_half_year": "intends_half_year",
    "residence.from_outside_county": "from_outside_county",
    "declared.wants_to_start_business": "wants_to_start_business",
}


class ApplicationForm(Entered):
    """What was typed and chosen, word for word; nothing is judged here, so that nothing typed is lost on an error."""

    application_number: str = Field(default="", max_length=80)
    received_on: str = Field(default="", max_length=20)
    district: str = Field(default="", max_length=40)
    station: str = Field(default="", max_length=120)
    term_years: str = Field(default="", max_length=4)
    grounds: list[str] = Field(default_factory=list, max_length=20)
    name: str = Field(default="", max_length=120, repr=False)
    id_number: str = Field(default="", max_length=60, repr=False)
    phone: str = Field(default="", max_length=60, repr=False)
    address: str = Field(default="", max_length=400, repr=False)
    registered_on: str = Field(default="", max_length=20)
    intends_half_year: str = Field(default="", max_length=4)
    from_outside_county: str = Field(default="", max_length=4)
    wants_to_start_business: str = Field(default="", max_length=4)
    child_name: list[str] = Field(default_factory=list, max_length=20, repr=False)
    child_born_on: list[str] = Field(default_factory=list, max_length=20, repr=False)
    child_relation: list[str] = Field(default_factory=list, max_length=20)
    child_proof: list[str] = Field(default_factory=list, max_length=20, repr=False)

    @property
    def children(self) -> list[dict[str, str]]:
        """The rows of children, blank ones too, in the order of the form."""
        columns = (self.child_born_on, self.child_relation, self.child_name, self.child_proof)
        count = max(map(len, columns), default=0)
        names = ("born_on", "relation", "name", "proof")
        return [
            {name: column[row] if row < len(column) else "" for name, column in zip(names, columns, strict=True)}
            for row in range(count)
        ]

    def body(self) -> dict[str, Any]:
        """The application as the intake reads it; what was left empty is left out."""
        filled = [
            {name: value for name, value in child.items() if value} for child in self.children if any(child.values())
        ]
        body = _given(
            application_number=self.application_number,
            received_on=self.received_on,
            district=self.district,
            station=self.station,
            term_years=int(self.term_years) if self.term_years.isdecimal() else self.term_years,
            grounds=self.grounds,
        )
        body["person"] = _given(name=self.name, id_number=self.id_number, phone=self.phone, address=self.address)
        body["residence"] = _given(
            registered_on=self.registered_on,
            intends_half_year=_FLAGS.get(self.intends_half_year),
            from_outside_county=_FLAGS.get(self.from_outside_county),
        )
        body["declared"] = {"wants_to_start_business": self.wants_to_start_business == "yes"}
        return body | ({"children": filled} if filled else {})

    def field_of(self, path: str) -> str:
        """The name of the field on the form that the ``path`` of a problem is about; children by their row."""
        if path.startswith("children["):
            place, _, part = path.removeprefix("children[").partition("].")
            rows = [row for row, child in enumerate(self.children) if any(child.values())]
            row = rows[int(place)] if place.isdecimal() and int(place) < len(rows) else 0
            return f"child_{part or 'born_on'}-{row}"
        return _FIELDS.get(path, path.partition("[")[0])


@dataclass(frozen=True, slots=True)
class Judged:
    """What a form came to: an application, or what is wrong with it by the name of the form's field."""

    application: Application | None
    wrong: Mapping[str, Problem]


def read_form(form: ApplicationForm) -> Judged:
    """The application that ``form`` makes, by the rules of every other way in."""
    try:
        return Judged(Application.model_validate(form.body()), {})
    except ValidationError as refused:
        return Judged(None, by_field(form, problems(refused)))


def by_field(form: ApplicationForm, found: Iterable[Problem]) -> dict[str, Problem]:
    """The first problem of every field of the form."""
    wrong: dict[str, Problem] = {}
    for problem in found:
        wrong.setdefault(form.field_of(problem.field), problem)
    return wrong


def form_of(application: Application) -> ApplicationForm:
    """The form that ``application`` would have come from; it bears the person in the clear."""
    person, residence = application.person, application.residence
    return ApplicationForm(
        application_number=application.application_number,
        received_on=application.received_on.isoformat(),
        district=application.district,
        station=application.station,
        term_years=str(application.term_years),
        grounds=list(application.grounds),
        name=person.name,
        id_number=person.id_number,
        phone=person.phone or "",
        address=person.address or "",
        registered_on=residence.registered_on.isoformat(),
        intends_half_year="yes" if residence.intends_half_year else "no",
        from_outside_county="yes" if residence.from_outside_county else "no",
        wants_to_start_business="yes" if application.declared.wants_to_start_business else "",
        child_name=[child.name or "" for child in application.children],
        child_born_on=[child.born_on.isoformat() for child in application.children],
        child_relation=[child.relation or "" for child in application.children],
        child_proof=[child.proof or "" for child in application.children],
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """What an ID number says of its holder, for the clerk to compare with the card."""

    born_on: str
    sex: str


def reading_of(form: ApplicationForm) -> Reading | None:
    """What the ID number on the form says, if it is one."""
    try:
        read = parse_id(form.id_number)
    except IdNumberError:
        return None
    return Reading(read.born_on.isoformat(), read.sex)


def _given(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None, [])}
