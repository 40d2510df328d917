"""An application for a residence permit (section 二 of the opinion), as a police station hands it in.

The same model is the body of ``POST /api/v1/applications``, one row of a file, and what stands sealed in a case.
Personal values are kept out of ``repr``; what is wrong is told by :func:`services.intake.problems.problems`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, Self

from pydantic import ConfigDict, Field, JsonValue, ValidationInfo, model_validator

from services.intake.children import Child
from services.intake.divisions import Districts
from services.intake.fields import (
    STORED,
    Citizen,
    Day,
    Distinct,
    Form,
    Ground,
    Line,
    Phone,
    ReferenceNumber,
    StrictFlag,
    Term,
)
from services.intake.identity import REASONS, Sex, born_on_of, sex_of
from services.intake.problems import Problem, Reason, refusals

Found = Iterator[tuple[tuple[str | int, ...], Reason]]

_NO_GROUND = Reason(
    "no-ground",
    "申领3年期居住证须至少填写一种申领情形",
    "a 3-year permit needs at least one ground (employment, business, housing, settlement, other)",
)
_CHILD_UNBORN = Reason(
    "child-unborn", "子女出生日期晚于受理日期", "the child's date of birth is after the day of receipt"
)
_CHILD_OLDER = Reason(
    "child-older",
    "子女出生日期不晚于申请人出生日期，请核对",
    "the child is not younger than the applicant; check both dates of birth",
)
_REGISTERED_UNBORN = Reason(
    "registered-unborn",
    "居住登记日期早于申请人出生日期",
    "residence is registered before the applicant's date of birth",
)
_RECEIVED_LATER = Reason("received-later", "受理日期不能晚于今天", "the day of receipt must not be after today")
_REGISTERED_LATER = Reason(
    "registered-later", "居住登记日期不能晚于今天", "the day of registration must not be after today"
)
NO_DISTRICT = Reason(
    "unknown-district", "区县代码不在本市区县之列", "the district is not one of the city's; see the list of districts"
)

# The example of GB 11643-1999 itself: its checks hold, and nobody living bears it.
_EXAMPLE: Final[JsonValue] = {
    "application_number": "ZD-2014-000123",
    "received_on": "2014-10-08",
    "district": "370303",
    "station": "科苑派出所",
    "term_years": 3,
    "grounds": ["employment", "housing"],
    "person": {"name": "示例", "id_number": "440524188001010014", "phone": "13800000000"},
    "residence": {"registered_on": "2013-03-01", "intends_half_year": True, "from_outside_county": True},
    "children": [{"born_on": "2008-05-01", "relation": "daughter"}],
    "declared": {"wants_to_start_business": False},
}


class Person(Form):
    """The applicant (申请人). Sex and date of birth are what the ID number says."""

    name: Line = Field(max_length=60, repr=False, description="姓名 / name as on the ID card")
    id_number: Citizen = Field(
        repr=False,
        description="18位公民身份号码（GB 11643）/ 18-character citizen ID number: checksum, date of birth and region "
        "are checked",
        examples=["440524188001010014"],
    )
    phone: Phone | None = Field(
        default=None, repr=False, description="联系电话 / telephone number", examples=["13800000000"]
    )
    address: Line | None = Field(default=None, max_length=200, repr=False, description="居住地址 / address in the city")

    @property
    def born_on(self) -> date:
        """Date of birth, from the ID number."""
        return born_on_of(self.id_number)

    @property
    def sex(self) -> Sex:
        """Sex, from the ID number."""
        return sex_of(self.id_number)


class Residence(Form):
    """Residence in the city (居住登记), as the applicant declares it (ZB87-2.0a, A1, A3)."""

    registered_on: Day = Field(description="居住登记日期 / day on which residence was registered anywhere in the city")
    intends_half_year: StrictFlag = Field(
        description="拟在居住地居住半年以上 / intends to live here for half a year or more"
    )
    from_outside_county: StrictFlag = Field(
        description="来自本县（区）以外 / household registration lies outside this county"
    )


class Declared(Form):
    """What the applicant declares, and no department is asked about."""

    wants_to_start_business: StrictFlag = Field(default=False, description="有创业需求 / wants to start a business")


class Application(Form):
    """申领居住证的申请 / an application for a residence permit."""

    model_config = ConfigDict(**Form.model_config, json_schema_extra={"examples": [_EXAMPLE]})

    application_number: ReferenceNumber = Field(
        max_length=40,
        description="申请编号，由派出所编制 / the station's own number; the same number is the same application",
    )
    received_on: Day = Field(description="受理日期，决定适用的政策 / day of receipt; it decides which policy applies")
    district: str = Field(
        pattern=r"^([0-9]{6}|[0-9]{4}-[a-z]{1,16})$", description="区县代码 / code of the district", examples=["370303"]
    )
    station: Line = Field(max_length=80, description="受理派出所 / police station, by name or code")
    term_years: Term = Field(description="申领期限：1年或3年 / term asked for, in years")
    grounds: Distinct[Ground] = Field(
        default=(),
        max_length=20,
        description="申领情形，3年期至少一种：employment 劳动合同并参加社会保险，business 工商营业执照，"
        "housing 购房或备案租房，settlement 符合落户条件，other 其他情形 / "
        "grounds, at least one for 3 years (section 二 (一) to (五))",
    )
    person: Person
    residence: Residence
    children: tuple[Child, ...] = Field(
        default=(), max_length=20, description="子女及被监护人 / children and wards (A10)"
    )
    declared: Declared = Field(default_factory=Declared)

    @model_validator(mode="after")
    def _agree(self, info: ValidationInfo) -> Self:
        """Refuse what contradicts itself, every contradiction at once."""
        if info.context is not STORED and (found := list(self._contradictions())):
            raise refusals("Application", found)
        return self

    def _contradictions(self) -> Found:
        if self.term_years == 3 and not self.grounds:
            yield ("grounds",), _NO_GROUND
        born_on = self.person.born_on
        if born_on > self.received_on:
            yield ("person", "id_number"), REASONS["id-unborn"]
        if self.residence.registered_on < born_on:
            yield ("residence", "registered_on"), _REGISTERED_UNBORN
        for index, child in enumerate(self.children):
            if child.born_on > self.received_on:
                yield ("children", index, "born_on"), _CHILD_UNBORN
            elif child.relation != "ward" and child.born_on <= born_on:
                yield ("children", index, "born_on"), _CHILD_OLDER

    def problems_at(self, today: date, districts: Districts) -> tuple[Problem, ...]:
        """What is wrong by the calendar and the list of districts; to be asked wherever an application comes in.

        ``today`` is the day in Asia/Shanghai. Residence may be registered after receipt (an applicant who was asked
        to put that right), but not after today.
        """
        judged = (
            ("district", NO_DISTRICT, self.district not in districts),
            ("received_on", _RECEIVED_LATER, self.received_on > today),
            ("residence.registered_on", _REGISTERED_LATER, self.residence.registered_on > today),
        )
        return tuple(Problem(field, reason.zh, reason.en) for field, reason, wrong in judged if wrong)

    def to_question(
        self, on: date, facts: Mapping[str, bool], permit: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The input of the policy engine for the day ``on``: the JSON object of the contract, section 2.

        ``permit`` is a permit already issued, ``{"term_years", "valid_from", "valid_until"}`` with dates in ISO 8601.
        """
        return {
            "on": on.isoformat(),
            "application": {
                "received_on": self.received_on.isoformat(),
                "term_years": self.term_years,
                "grounds": list(self.grounds),
            },
            "applicant": {"born_on": self.person.born_on.isoformat(), "sex": self.person.sex},
            "residence": {
                "registered_on": self.residence.registered_on.isoformat(),
                "intends_half_year": self.residence.intends_half_year,
                "from_outside_county": self.residence.from_outside_county,
            },
            "permit": None if permit is None else dict(permit),
            "children": [{"born_on": child.born_on.isoformat()} for child in self.children],
            "declared": {"wants_to_start_business": self.declared.wants_to_start_business},
            "facts": dict(facts),
        }

    def person_fields(self) -> dict[str, Any]:
        """The fields a message may draw from, by the names of the pack's ``send``; JSON values.

        What was not given is left out. Which of them a department is sent, the pack says and the exchange enforces.
        """
        fields: dict[str, Any] = {
            "name": self.person.name,
            "id_number": self.person.id_number,
            "sex": self.person.sex,
            "born_on": self.person.born_on.isoformat(),
            "phone": self.person.phone,
            "address": self.person.address,
            "district": self.district,
            "residence_registered_on": self.residence.registered_on.isoformat(),
            "children": [child.fields() for child in self.children] or None,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def dump(self) -> bytes:
        """The whole application as compact JSON, to be sealed; personal data in the clear."""
        return self.model_dump_json(exclude_defaults=True).encode()

    @classmethod
    def load(cls, data: bytes) -> Application:
        """What :meth:`dump` gave. What was accepted once is not judged again, so later rules close no old case."""
        return cls.model_validate_json(data, context=STORED)
