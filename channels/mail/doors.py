"""Who may come in: sessions are counted, in all and per address, and the slowest makes room when all places are taken.

Without the last, a few hundred connections that say nothing would lock everybody out until their deadline.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

SLOW_BYTES_PER_SECOND = 500.0
"""Who sends less than this on average may be sent away when somebody else waits at the door; as with Postfix's
`smtpd_min_data_rate`. It counts only while all places are taken."""
SETTLE_SECONDS = 1.0
"""Nobody is judged before this long."""


class Guest(Protocol):
    """A session as the doors see it."""

    @property
    def received_bytes(self) -> int: ...

    @property
    def storing(self) -> bool:
        """True while a whole message of it is being stored."""
        ...

    def make_room(self) -> None:
        """Says "too many connections" and ends the session."""
        ...

    def stop(self) -> None: ...

    def abort(self) -> None: ...


@dataclass(frozen=True)
class _Place:
    origin: str
    since: float


class Doors:
    """`most` sessions in all, `most_per_address` from one address (`origin_of`)."""

    def __init__(self, most: int, most_per_address: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._clock = clock
        self._per_address: Counter[str] = Counter()
        self._places: dict[Guest, _Place] = {}
        self.refused: Counter[str] = Counter()
        """What was not taken since the start, by reason."""
        self.closed = False
        self.empty = asyncio.Event()
        self.empty.set()

    @property
    def sessions(self) -> list[Guest]:
        return list(self._places)

    def enter(self, guest: Guest, origin: str) -> bool:
        if self.closed or self._per_address[origin] >= self._most_per_address or not self._room():
            return False
        self._per_address[origin] += 1
        self._places[guest] = _Place(origin, self._clock())
        self.empty.clear()
        return True

    def leave(self, guest: Guest) -> None:
        """Harmless for one that has left."""
        place = self._places.pop(guest, None)
        if place is None:
            return
        self._per_address[place.origin] -= 1
        if self._per_address[place.origin] <= 0:
            del self._per_address[place.origin]
        if not self._places:
            self.empty.set()

    def _room(self) -> bool:
        if len(self._places) < self._most:
            return True
        slowest = self._slowest()
        if slowest is None:
            return False
        self.refused["too_slow"] += 1
        self.leave(slowest)
        slowest.make_room()
        return True

    def _slowest(self) -> Guest | None:
        """Of the address with most sessions the one that sent least for its time; None when nobody is slow."""
        now = self._clock()
        slow = [guest for guest, place in self._places.items() if self._is_slow(guest, now - place.since)]

        def rank(guest: Guest) -> tuple[int, float]:
            place = self._places[guest]
            return -self._per_address[place.origin], guest.received_bytes / (now - place.since)

        return min(slow, key=rank, default=None)

    def _is_slow(self, guest: Guest, age: float) -> bool:
        return not guest.storing and age >= SETTLE_SECONDS and guest.received_bytes < age * SLOW_BYTES_PER_SECOND


def origin_of(peer: Any) -> str:
    """The address that connections are counted by: an IPv6 user has a whole /64 network."""
    host = peer[0] if isinstance(peer, tuple) and peer else str(peer)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
