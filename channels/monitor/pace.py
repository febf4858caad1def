"""When an endpoint may be asked next: its quota, its faults and our own rhythm, all in monotonic seconds."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from channels.monitor.answers import Quota
from channels.monitor.faults import AskedToWait, Fault

LONGEST_PAUSE_SECONDS = 900.0
"""The networks' windows last up to 15 minutes; a reset that lies farther off is not believed."""
FIRST_PAUSE_SECONDS = 5.0
FAILURES_TO_SLOW_DOWN = 3
SLOW_SECONDS = 60.0
"""After `FAILURES_TO_SLOW_DOWN` failures at most one call a minute, over all endpoints that fail."""


class ServerClock:
    """The server's clock, carried on by monotonic time: ours may be wrong or be set meanwhile."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.monotonic = monotonic
        self.wall = wall
        self._heard: tuple[datetime, float] | None = None

    def heard(self, at: datetime | None) -> None:
        if at is not None:
            self._heard = (at, self.monotonic())

    def __call__(self) -> datetime:
        if self._heard is None:
            return self.wall()
        at, then = self._heard
        return at + timedelta(seconds=self.monotonic() - then)


class Pace:
    """Of one endpoint."""

    def __init__(
        self,
        name: str,
        every_seconds: float,
        clock: ServerClock,
        back_off: Callable[[int], float] | None = None,
    ) -> None:
        """`back_off`: seconds after that many failures in a row; None: those of a feed that is looked at."""
        self.name = name
        self._back_off_seconds = back_off or _polite
        self._every = every_seconds
        self._clock = clock
        self._answered_at = -math.inf
        self.due = 0.0
        self.heard = False
        """Whether it ever answered."""
        self.failures = 0
        self.failing_since: datetime | None = None
        self.fault = ""
        self.left: int | None = None
        """Requests left in the current window, as far as the network says."""
        self.renewed: datetime | None = None
        """When the quota is new."""
        self.used_up = 0
        """How often the quota was found used up."""

    def answered(self, quota: Quota, *, more: bool) -> None:
        """`more`: there is something left to be fetched at once."""
        self.heard, self.failures, self.failing_since, self.fault = True, 0, None, ""
        now = self._answered_at = self._clock.monotonic()
        self._count(quota)
        self.due = now if more else now + self._every
        if quota.left == 0:
            self.used_up += 1
            self.due = max(self.due, now + _within_reason(quota.seconds))

    def change(self, every_seconds: float, next_seconds: float) -> None:
        """Another rhythm from now on; the next look comes `next_seconds` after the last, faults and quotas allowing."""
        self._every = every_seconds
        if not self.failures and not self.waits_for_quota:
            self.due = self._answered_at + next_seconds

    def failed(self, fault: Fault) -> None:
        self.failures += 1
        self.failing_since = self.failing_since or self._clock.wall()
        self.fault = fault.name
        wait = 0.0
        if isinstance(fault, AskedToWait):
            self.used_up += 1
            self._count(Quota(left=0, seconds=fault.seconds))
            wait = _within_reason(fault.seconds)
        self.due = self._clock.monotonic() + max(wait, self._back_off())

    @property
    def waits_for_quota(self) -> bool:
        return self.left == 0 and self.due > self._clock.monotonic()

    @property
    def slow(self) -> bool:
        return self.failures >= FAILURES_TO_SLOW_DOWN

    def _count(self, quota: Quota) -> None:
        self.left = quota.left
        seconds = quota.seconds
        self.renewed = None if seconds is None else self._clock() + timedelta(seconds=_within_reason(seconds))

    def _back_off(self) -> float:
        """And up to a quarter more by chance."""
        return self._back_off_seconds(self.failures) * (1 + random.random() / 4)  # noqa: S311 - no secret hangs on it


def _polite(failures: int) -> float:
    """5 s, 10 s, then 60 s, 120 s ... at most 15 minutes with the quarter."""
    if failures < FAILURES_TO_SLOW_DOWN:
        return FIRST_PAUSE_SECONDS * failures
    doublings = min(failures - FAILURES_TO_SLOW_DOWN, 10)
    return float(min(SLOW_SECONDS * 2**doublings, LONGEST_PAUSE_SECONDS / 1.25))


def _within_reason(seconds: float | None) -> float:
    """One more second than was asked for, since its times are whole; a minute when it named none."""
    return SLOW_SECONDS if seconds is None else min(seconds + 1.0, LONGEST_PAUSE_SECONDS)
