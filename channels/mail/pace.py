"""How many mails come in: caps per hour for one client and for one address there. Kept in memory: a restart forgives.

Who is over a cap hears "later", and a mail server tries again for days: a flood is slowed down and nothing is lost. An
address is counted apart for each client, so that nobody uses up somebody else's share by forging the address.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable

from channels.mail.addresses import participant
from channels.mail.doors import origin_of
from channels.mail.settings import MailSettings
from channels.mail.spf_result import is_from_outside

HOUR = 3600.0
MOST_COUNTED = 10_000
"""More at once would be a flood from everywhere, which is no reason to turn everybody away."""


class Pace:
    def __init__(self, settings: MailSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clients = _Window(settings.mails_per_client, clock)
        self._senders = _Window(settings.mails_per_sender, clock)

    def over(self, peer: str, sender: str) -> bool:
        """Whether no more is taken now. A server of our own network brings everybody's mails and has no cap."""
        return self._senders.full(_of_sender(peer, sender)) or self._clients.full(_of_client(peer))

    def count(self, peer: str, sender: str) -> None:
        """A mail was taken that was not here before."""
        self._senders.add(_of_sender(peer, sender))
        self._clients.add(_of_client(peer))


class _Window:
    """At most `most` within any hour, each; 0: no cap."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._taken: dict[Hashable, deque[float]] = {}

    def full(self, who: Hashable) -> bool:
        taken = self._taken.get(who)
        return taken is not None and len(taken) >= self._most and taken[0] > self._clock() - HOUR

    def add(self, who: Hashable) -> None:
        if not self._most or who is None:
            return
        if who not in self._taken and len(self._taken) >= MOST_COUNTED:
            self._forget()
            if len(self._taken) >= MOST_COUNTED:
                return
        self._taken.setdefault(who, deque(maxlen=self._most)).append(self._clock())

    def _forget(self) -> None:
        begin = self._clock() - HOUR
        self._taken = {who: taken for who, taken in self._taken.items() if taken[-1] > begin}


def _of_client(peer: str) -> Hashable:
    return origin_of((peer,)) if is_from_outside(peer) else None


def _of_sender(peer: str, sender: str) -> Hashable:
    """Nobody in particular sends with the null sender."""
    return (_of_client(peer), participant(sender)) if sender else None
