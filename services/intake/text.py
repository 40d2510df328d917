"""Text as people type and spreadsheets paste it, made regular before anything is judged."""

from __future__ import annotations

import unicodedata


def clean(text: str) -> str:
    """``text`` composed (NFC), without invisible marks, each run of white space one blank, none at the ends.

    Invisible marks (zero-width blanks, directions of writing) come along with numbers pasted from other windows.
    """
    visible = "".join(char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char) != "Cf")
    return " ".join(visible.split())


def narrow(text: str) -> str:
    """``text`` in half-width characters and without any blank: what codes, numbers and keywords are compared by."""
    return "".join(clean(unicodedata.normalize("NFKC", text)).split())


def is_printable(text: str) -> bool:
    """Whether no control character or half of a character pair stands in ``text``. Private-use ones may: rare
    characters of names are typed with them."""
    return not any(unicodedata.category(char) in {"Cc", "Cs"} for char in text)
