"""The frame around every page: language, who is signed in, navigation, and the templates.

A page calls services and then ``page(request, "name.html", …)``; everything else that the layout shows comes from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.console import assets, charts
from api.console.catalogue import LANGUAGES, translations
from api.console.formats import filters
from api.console.navigation import groups_for, home_of, may_open
from api.guard import CSRF_FIELD, is_https, session_token
from api.state import doors_of
from models import Role
from services.access import Caller
from services.access.sessions import csrf_token
from services.policy.text import Text
from services.words import ROLE_WORDS

LANGUAGE_COOKIE = "lianban_lang"
_YEAR = 31_536_000


class Look:
    """What the layout asks of one request: address, language, reader, and how to write links to this very list."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.path = request.url.path
        self.language = language_of(request)
        # A page that nobody was admitted to, such as an error, is shown without navigation.
        self.caller: Caller | None = getattr(request.state, "caller", None)
        # Who came by a key has no session, and no form to send.
        session = getattr(request.state, "session", None)
        self.signed_in = session is not None
        self.csrf = csrf_token(session_token(request)) if self.signed_in else ""

    @property
    def groups(self) -> Sequence[Any]:
        """The navigation."""
        return tuple(groups_for(self.caller)) if self.caller is not None else ()

    @property
    def group(self) -> str | None:
        """The title of the group of the navigation to which this page belongs."""
        for group in self.groups:
            if any(self.path == one.path or self.path.startswith(f"{one.path}/") for one in group.entries):
                return str(group.title)
        return None

    @property
    def home(self) -> str:
        """Where the reader begins."""
        return home_of(self.caller) if self.caller is not None else "/console"

    def may(self, name: str) -> bool:
        """Whether the reader may open the route ``name``; a link or button that leads nowhere is not shown."""
        return self.caller is not None and may_open(self.caller, name)

    def link(self, **changed: object) -> str:
        """This page's address with parameters changed; None takes one out. The place in a list is always taken out."""
        drop = {"lang", "cursor", "before", "after", "saved"} | changed.keys()
        kept = [(name, value) for name, value in self._request.query_params.multi_items() if name not in drop and value]
        kept += [(name, str(value)) for name, value in changed.items() if value is not None]
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def parameters(self, *without: str) -> list[tuple[str, str]]:
        """The parameters of this address, without some."""
        return [pair for pair in self._request.query_params.multi_items() if pair[0] not in without and pair[1]]


def language_of(request: Request) -> str:
    """``zh`` unless the reader asked for another by ``?lang=`` or did so before."""
    asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return asked if asked in LANGUAGES else LANGUAGES[0]


def role_words(role: Role) -> Text:
    """What a role is called."""
    return ROLE_WORDS[role]


@cache
def environment(language: str) -> Environment:
    """The templates in one language."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    templates.filters.update(filters(language))
    templates.globals.update(lang=language, csrf_field=CSRF_FIELD, asset=assets.address, charts=charts, role=role_words)
    return templates


def render(request: Request, template: str, **context: Any) -> str:
    """A template as text, in the reader's language."""
    house = doors_of(request).house
    look = Look(request)
    given = {
        "look": look,
        "simulated": house.settings.simulate,
        "today": house.database.clock.today(),
        "now": house.database.clock.moment(),
    }
    return environment(look.language).get_template(template).render(given | context)


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page as the answer to ``request``; a language that was just chosen is kept."""
    response = HTMLResponse(render(request, template, **context), status)
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        secure = is_https(doors_of(request).house.settings)
        response.set_cookie(
            LANGUAGE_COOKIE, chosen, max_age=_YEAR, path="/", httponly=True, samesite="lax", secure=secure
        )
    return response
