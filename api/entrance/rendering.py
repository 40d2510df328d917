"""Pages from templates. Everything that is put into one is escaped, and a value that was forgotten is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.guard import session_token
from services.access.sessions import csrf_token

_TEMPLATES = Path(__file__).parent.parent / "console" / "templates"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """The page ``template``, which knows who is signed in (``caller``, or None) and the token for its forms."""
    session = getattr(request.state, "session", None)
    known = {
        "caller": session.caller if session is not None else None,
        "csrf": csrf_token(session_token(request)) if session is not None else "",
    }
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(known | context), status)
