from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ValidationError

from services.intake.application import Application
from services.intake.problems import Reason, problems, problems_of, refusal

_BRACES = Reason("braces", "括号{不}填", "braces {are} left alone")


def _refuse(_value: str) -> str:
    raise refusal(_BRACES)


class Form(BaseModel):
    text: Annotated[str, AfterValidator(_refuse)]
    number: int = 0


def test_our_own_reasons_come_back_whole():
    with pytest.raises(ValidationError) as caught:
        Form.model_validate({"text": "x"})
    (problem,) = problems(caught.value)
    assert (problem.field, problem.zh, problem.en) == ("text", _BRACES.zh, _BRACES.en)


def test_what_pydantic_says_in_its_own_words_is_replaced():
    with pytest.raises(ValidationError) as caught:
        Form.model_validate({"number": "370123198503029965"})
    (missing,) = problems(caught.value)
    assert missing.field == "text"
    with pytest.raises(ValidationError) as caught:
        Form.model_validate({"text": "x", "number": "a secret"})
    assert "secret" not in repr(problems(caught.value))


def test_fastapis_errors_lose_their_first_step(good):
    del good["person"]["name"]
    with pytest.raises(ValidationError) as caught:
        Application.model_validate(good)
    bodies = [{**error, "loc": ("body", *error["loc"])} for error in caught.value.errors()]
    assert [problem.field for problem in problems_of(bodies, skip=1)] == ["person.name"]


def test_an_error_about_the_whole_says_so():
    with pytest.raises(ValidationError) as caught:
        Application.model_validate([])
    assert [problem.field for problem in problems(caught.value)] == ["application"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b'"x"', b"\xff"])
def test_bytes_that_are_no_application_are_problems_too(body):
    with pytest.raises(ValidationError) as caught:
        Application.model_validate_json(body)
    assert all(problem.zh and problem.en for problem in problems(caught.value))
