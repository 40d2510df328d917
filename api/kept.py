"""Answers kept for a moment: whoever asks the same within some seconds is given the same, and it is worked out once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
_MOST = 500


class Kept:
    """A small cache for one process, by key. What failed is not kept."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, Any]] = {}
        self._asking: dict[Hashable, asyncio.Lock] = {}

    async def get(self, key: Hashable, seconds: float, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer under ``key``, at most ``seconds`` old."""
        clock = asyncio.get_running_loop().time
        async with self._asking.setdefault(key, asyncio.Lock()):
            known = self._answers.get(key)
            if known is not None and clock() - known[0] <= seconds:
                answer: T = known[1]
                return answer
            answer = await ask()
            if len(self._answers) >= _MOST:
                self._answers.clear()
                self._asking = {key: self._asking[key]}
            self._answers[key] = (clock(), answer)
            return answer
