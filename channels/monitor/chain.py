"""Several searches as one feed: their pages come one after the other, and the mark stands for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from channels.monitor.posts import Page

type Ask = Callable[[int, str | None], Awaitable[Page]]


def chained(asks: Sequence[Ask]) -> Ask:
    """A token is "number of the search:its own token"."""

    async def ask(since: int, token: str | None) -> Page:
        first, _, rest = (token or "0:").partition(":")
        number, inner = int(first), rest or None
        page = await asks[number](since, inner)
        ended = page.token is None or page.token == inner
        if not ended:
            return replace(page, token=f"{number}:{page.token}")
        following = number + 1
        return replace(page, token=f"{following}:" if following < len(asks) else None)

    return ask
