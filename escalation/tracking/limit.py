"""The brake on guessing tracking links: how many wrong links lately, from one place and in all?"""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from bot.clock import Clock

WINDOW = timedelta(minutes=10)
PER_CLIENT = 10
IN_TOTAL = 1_000
IPV6_PREFIX = 64
"""One customer of a provider has a whole /64 to change addresses in (RFC 6177)."""


class WrongLinks:
    """Kept in memory: a restart forgives, and the memory it takes is bounded by IN_TOTAL."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: deque[tuple[datetime, str]] = deque()
        self._by_client: Counter[str] = Counter()

    def blocked(self, client: str) -> bool:
        """True when this client is not to look up anything now, not even with a right link."""
        self._forget()
        return self._by_client[_place(client)] >= PER_CLIENT

    def full(self) -> bool:
        """True when wrong links are no longer even looked at, whoever sends them.

        Right links still open then: their 128-bit secret cannot be guessed, and a page that anybody could close
        for everybody would be the bigger fault.
        """
        self._forget()
        return len(self._recent) >= IN_TOTAL

    def count(self, client: str) -> None:
        if not self.full():
            self._recent.append((self._clock(), _place(client)))
            self._by_client[_place(client)] += 1

    def _forget(self) -> None:
        oldest = self._clock() - WINDOW
        while self._recent and self._recent[0][0] <= oldest:
            _, place = self._recent.popleft()
            self._by_client[place] -= 1
            if not self._by_client[place]:
                del self._by_client[place]


def _place(client: str) -> str:
    """The address, or for IPv6 the network it is in."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return client
