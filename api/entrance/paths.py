"""Where a person is sent after signing in: to a path of our own and nowhere else."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

HOME: Final = "/console"
SIGN_IN: Final = "/sign-in"
ACCOUNT: Final = "/account"
_LONGEST: Final = 1_000


def own_path(given: str) -> str:
    """``given`` if it is a path of ours, else the first page.

    Browsers take two slashes, of either kind, for the beginning of a host, and skip tabs and line ends on the way.
    """
    plain = given.isprintable() and not {" ", "\\"} & set(given)
    if not given.startswith("/") or given.startswith("//") or not plain or len(given) > _LONGEST:
        return HOME
    return HOME if given.partition("?")[0] in {SIGN_IN, "/sign-out"} else given


def sign_in_path(wanted: str) -> str:
    """The address of the sign-in page that leads on to ``wanted``."""
    return f"{SIGN_IN}?next={quote(own_path(wanted), safe='/')}"
