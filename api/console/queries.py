"""What stands in the address of a list: filters, order, and which page of it; read leniently, written by ``Look.link``.

An empty field of a query form is a filter that was not set. What the form does not know is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Form as FormBody
from fastapi import Query as QueryString
from pydantic import BaseModel, ConfigDict, Field, model_validator

Row = TypeVar("Row")
Model = TypeVar("Model", bound=BaseModel)


class ListQuery(BaseModel):
    """A list: by what it is sorted (``-`` first: downwards) and how many rows a page has."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    sort: str | None = Field(default=None, pattern="^-?[a-z_]{1,24}$")
    limit: int = Field(default=50, ge=1, le=200)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, given: Any) -> Any:
        """Fields of a form that were left empty are not there."""
        if not isinstance(given, Mapping):
            return given
        return {name: value for name, value in given.items() if value not in ("", None, [])}


class Entered(BaseModel):
    """What a form brought by POST. Its values are never repeated in an error."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, given: Any) -> Any:
        """Fields that were left empty are not there."""
        if not isinstance(given, Mapping):
            return given
        return {name: value for name, value in given.items() if value not in ("", None, [])}


# ``query: Query[CaseListQuery]`` in the signature of a page.
Query = Annotated[Model, QueryString()]
# ``form: Form[ReasonForm]`` in the signature of what a form is sent to.
Form = Annotated[Model, FormBody()]


def sorted_rows(rows: Iterable[Row], sort: str, by: Mapping[str, Callable[[Row], Any]]) -> list[Row]:
    """A short list in the order that its address names; as it is where the address names none of ``by``."""
    key = by.get(sort.removeprefix("-"))
    return list(rows) if key is None else sorted(rows, key=key, reverse=sort.startswith("-"))
