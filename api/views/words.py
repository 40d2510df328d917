"""Common ground of all views: words in Chinese and English, codes with their words."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Base of what is answered: read off a record's attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Words(View):
    """The same thing said in Chinese and in English."""

    zh: str
    en: str


class Code(Words):
    """A code for programs, with its words for people."""

    code: str
