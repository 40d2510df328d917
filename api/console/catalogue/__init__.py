"""The English of the console: one .po file a room under ``en``, read once when the application starts.

Chinese is the source: a template says ``_('办件')`` and a module marks its words with ``said('办件')``.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

_FOLDER = Path(__file__).parent
LANGUAGES = ("zh", "en")


def said(words: str) -> str:
    """Mark ``words`` for the catalogue and give them back; a template translates them where they are shown."""
    return words


@cache
def translations(language: str) -> NullTranslations:
    """What turns the Chinese source into ``language``; Chinese itself stays as it is."""
    if language == "zh":
        return NullTranslations()
    whole: Translations | None = None
    for path in sorted((_FOLDER / language).glob("*.po")):
        compiled = BytesIO()
        with path.open("rb") as source:
            write_mo(compiled, read_po(source, locale=language))
        compiled.seek(0)
        room = Translations(compiled)
        whole = room if whole is None else whole.merge(room)
    return whole if whole is not None else NullTranslations()
