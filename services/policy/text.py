"""Words for people, in the two languages of the house."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """The same thing said in Chinese and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        """Return both, Chinese first."""
        return f"{self.zh} {self.en}"
