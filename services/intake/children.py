"""Children and wards named in an application (子女及被监护人)."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from services.intake.fields import STORED, Day, Form, Line
from services.intake.identity import Sex
from services.intake.problems import Reason, refusals

Relation = Literal["son", "daughter", "ward"]

_SEX_OF: dict[Relation, Sex] = {"son": "male", "daughter": "female"}
_SEX_DIFFERS = Reason("child-sex", "子女性别与关系不一致", "the child's sex does not agree with the relation")


class Child(Form):
    """A child of the applicant, or a ward: what services for children need. It needs no permit of its own (A10)."""

    name: Line | None = Field(default=None, max_length=60, repr=False, description="姓名 / name")
    born_on: Day = Field(repr=False, description="出生日期 / date of birth")
    sex: Sex | None = Field(default=None, description="性别 / sex")
    relation: Relation | None = Field(default=None, description="与申请人关系 / son, daughter or ward (被监护人)")
    proof: Line | None = Field(
        default=None,
        max_length=60,
        repr=False,
        description="出生医学证明或监护证明编号 / number of the birth or guardianship document (A10)",
    )

    @model_validator(mode="after")
    def _agree(self, info: ValidationInfo) -> Self:
        told = _SEX_OF.get(self.relation) if self.relation else None
        if info.context is not STORED and self.sex and told and self.sex != told:
            raise refusals("Child", [(("sex",), _SEX_DIFFERS)])
        return self

    def fields(self) -> dict[str, Any]:
        """The child as it may stand in a message; JSON values, what is not known left out."""
        sex = self.sex or (_SEX_OF.get(self.relation) if self.relation else None)
        told = {
            "name": self.name,
            "born_on": self.born_on.isoformat(),
            "sex": sex,
            "relation": self.relation,
            "proof": self.proof,
        }
        return {name: value for name, value in told.items() if value is not None}
