"""A value that is dear to find out and often asked for: found out once in a while, by one caller at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic


class Fresh[T]:
    """`get` gives a value at most `seconds` old. An exception is passed on and not remembered."""

    def __init__(
        self, find_out: Callable[[], Awaitable[T]], seconds: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._find_out = find_out
        self._seconds = seconds
        self._clock = clock
        self._known: tuple[float, T] | None = None
        self._asking = asyncio.Lock()

    async def get(self) -> T:
        async with self._asking:
            if self._known is None or self._clock() - self._known[0] >= self._seconds:
                self._known = None
                value = await self._find_out()
                self._known = (self._clock(), value)
            return self._known[1]
