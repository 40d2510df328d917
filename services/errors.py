"""Errors of the domain. Each says what is wrong, where, and what the reader can do about it.

No traceback reaches a user: the command line prints ``str(error)`` on one line and exits 2, the HTTP
doors turn the same error into a problem document (RFC 9457) with ``status``, ``code`` and ``place``.
"""

from __future__ import annotations


class LianbanError(Exception):
    """Base of every error that a user may see.

    ``place`` names the field, row, step or file at fault (``application.grounds``); ``detail`` says what is
    wrong with it and what to do. Neither ever bears personal data.
    """

    status = 500
    code = "internal"

    def __init__(self, detail: str, *, place: str | None = None) -> None:
        self.detail = detail
        self.place = place
        super().__init__(f"{place}: {detail}" if place else detail)


class InputError(LianbanError):
    """What was handed in cannot be read as what it should be: a payload, a row, a pack, a file."""

    status = 422
    code = "invalid-input"


class NotFoundError(LianbanError):
    """Nothing of that name stands here, or the caller may not see it."""

    status = 404
    code = "not-found"


class ConflictError(LianbanError):
    """The request is well formed but what stands here does not allow it (an open case, an illegal move)."""

    status = 409
    code = "conflict"


class AccessError(LianbanError):
    """The caller is not known (401) or may not do this (403)."""

    status = 403
    code = "forbidden"


class UnavailableError(LianbanError):
    """Something we stand on (database, Prefect) does not answer now. Trying again later is right."""

    status = 503
    code = "unavailable"
