"""How often something may happen: a bucket that refills steadily."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

IPV6_PREFIX = 64
"""One customer of a provider has a whole /64 to change addresses in (RFC 6177)."""


class Budget:
    """`per_minute` at once, refilled at the same rate. `monotonic` is a clock in seconds."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._size = float(per_minute)
        self._left = float(per_minute)
        self._monotonic = monotonic
        self._at = monotonic()

    def take(self) -> float:
        """0 when it may happen now (and is counted), else the seconds until it may."""
        self._refill()
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) * 60 / self._size

    def full(self) -> bool:
        self._refill()
        return self._left >= self._size

    def _refill(self) -> None:
        now = self._monotonic()
        self._left = min(self._size, self._left + (now - self._at) * self._size / 60)
        self._at = now


class Budgets:
    """One budget per session or place, shared by its connections and outliving them."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float], sweep_at: int = 1000) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._sweep_at = sweep_at
        self._of: dict[str, Budget] = {}

    def of(self, session_id: str) -> Budget:
        if len(self._of) >= self._sweep_at:
            self._forget_unused()
        return self._of.setdefault(session_id, Budget(self._per_minute, self._monotonic))

    def __len__(self) -> int:
        return len(self._of)

    def _forget_unused(self) -> None:
        """A full budget is the same as a new one, so forgetting it changes nothing."""
        self._of = {key: budget for key, budget in self._of.items() if not budget.full()}
        self._sweep_at = max(self._sweep_at, 2 * len(self._of))


def place(client: str) -> str:
    """The address, or for IPv6 the network it is in."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return client
