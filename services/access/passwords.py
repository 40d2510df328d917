"""Passwords: argon2id by pwdlib, what may be one, and how a first one is made up.

Hashing takes some 50 ms and 64 MiB on purpose: it runs beside the event loop, two at once in a process and no more.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from services.errors import InputError

MIN_LENGTH = 10
# Beyond this a password is no better, and its hash only dearer.
MAX_LENGTH = 128
# Of four: more than a hundred million guesses. The rating looks at no more than so many characters.
_GOOD, _RATED = 3, 72
_OURS = ("lianban", "zibo", "juzhuzheng")
# Without letters and digits that look alike.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_WORKERS = ThreadPoolExecutor(2, thread_name_prefix="argon2")


def check_password(password: str, name: str) -> None:
    """InputError, which never repeats the password, unless it may be the password of the account ``name``."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InputError(f"must have {MIN_LENGTH} to {MAX_LENGTH} characters", place="password")
    if len(name) >= 3 and name.casefold() in password.casefold():
        raise InputError("must not contain the name of the account", place="password")
    # A quarter of a second to import, which only who changes a password has to wait.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    if zxcvbn(password[:_RATED], user_inputs=[name, *_OURS])["score"] < _GOOD:
        raise InputError("is too easily guessed; choose one that is longer or less common", place="password")


def new_password() -> str:
    """A password of 80 random bits that can be read aloud, for one use: ``k7wp-9mxt-h3qd-v8ra``."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


async def hash_password(password: str) -> str:
    """The argon2 hash to keep."""
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, _hasher().hash, password)


async def is_password(password: str, kept: str | None) -> bool:
    """Whether ``password`` is the one whose hash is ``kept``. Without one it takes as long, and the answer is no."""

    def matches() -> bool:
        # The stand-in is made here: its first hash takes its time, too.
        return _hasher().verify(password, kept or _nobodys())

    return await asyncio.get_running_loop().run_in_executor(_WORKERS, matches) and kept is not None


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
