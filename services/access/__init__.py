"""Access: who may come in, as whom, and what part of the city they see.

People sign in with an account and have sessions (``accounts``, ``sessions``, ``sign_in``); machines bring keys
(``keys``). Either way a ``Caller`` comes of it, and every list passes through the caller's ``Sight``.
"""

from services.access.callers import (
    WHOLE_CITY,
    Caller,
    Sight,
    for_department,
    own_department,
    own_place,
    whole_city,
)
from services.access.keys import KeyBounds, KeyRefusedError, KeyRow, create_key, find_caller, list_keys, revoke_keys

__all__ = [
    "WHOLE_CITY",
    "Caller",
    "KeyBounds",
    "KeyRefusedError",
    "KeyRow",
    "Sight",
    "create_key",
    "find_caller",
    "for_department",
    "list_keys",
    "own_department",
    "own_place",
    "revoke_keys",
    "whole_city",
]
