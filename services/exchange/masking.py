"""What a department writes back, made fit to be kept in the clear: bounded, printable, nobody recognisable in it."""

from __future__ import annotations

import re
from collections.abc import Collection

import orjson

EXCERPT = 500
NOTE = 500
# How much of an answer is looked at, and what is dropped of its end: no value of a person is longer than that, so
# one that the cut went through is dropped with it.
_WINDOW, _LONGEST = 2_000, 400

# Runs of digits that long are citizen ID numbers (18, old ones 15) or bank cards; \d takes full-width digits in too.
_NUMBER = re.compile(r"\d{14,}[\dXxＸｘ]")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_UNPRINTABLE = re.compile(r"[^\S ]+|[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def _hide(found: re.Match[str]) -> str:
    text = found.group()
    ends = (6, 4) if len(text) > 11 else (3, 4)
    return text[: ends[0]] + "*" * (len(text) - sum(ends)) + text[-ends[1] :]


def mask(text: str) -> str:
    """``text`` with ID numbers (370303********1234) and mobile phones (138****1234) masked."""
    return _PHONE.sub(_hide, _NUMBER.sub(_hide, text))


def excerpt(body: bytes, redact: Collection[str] = (), limit: int = EXCERPT) -> str | None:
    """The beginning of an answer, at most ``limit`` characters, for the record of an attempt; None if it is empty.

    ``redact`` are the person's own values that stood in the message: a receiver that echoes what it was sent must
    not carry them into our records.
    """
    if not body:
        return None
    text = _readable(body)
    cut = len(text) > _WINDOW
    text = text[:_WINDOW]
    for value in sorted(redact, key=len, reverse=True):
        text = text.replace(value, "***")
    text = mask(text)
    if cut:
        text = text[:-_LONGEST]
    text = _UNPRINTABLE.sub(" ", text).strip()
    return (text if len(text) <= limit and not cut else text[: limit - 1] + "…") or None


def _readable(body: bytes) -> str:
    """``body`` as text, of a long one only the beginning: somewhat more than is looked at."""
    if b"\\" in body:
        try:
            # An echo may stand in \\uXXXX escapes, where no name would be recognised.
            return orjson.dumps(orjson.loads(body)).decode()
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            pass
    # No character is longer than four bytes.
    return body[: 4 * (_WINDOW + 1)].decode(errors="replace")
