"""Asks DNS for what sender authentication needs: within a budget of time, with a cache, and never as a refusal.

Blocking: call it in a thread. A fault is told apart from "there is no such record", because only the second says
anything about a sender.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal, Protocol

import dns.exception
import dns.rdata
import dns.resolver

type Kind = Literal["A", "AAAA", "MX", "PTR", "TXT"]

MOST_LOOKUPS = 40
"""Per mail: SPF may need 10, each with a second step (RFC 7208 section 4.6.4), DKIM five keys, DMARC two records."""
STEP_SECONDS = 2.0
"""One question may take this long, so that one silent server does not eat the whole budget."""
MOST_KEPT = 10_000
KEPT_SECONDS = (30.0, 3600.0)
"""An answer is kept for its own time to live, within these bounds."""
NOTHING_KEPT_SECONDS = 60.0


class DnsFault(Exception):
    """No answer, a server's own fault, or no time left. Says nothing about what was asked for."""


class Dns(Protocol):
    def ask(self, name: str, kind: Kind, seconds: float) -> tuple[list[bytes], float]:
        """The records and for how many seconds they hold. An empty list: there are none. Raises DnsFault.

        Addresses and names are text, a TXT record its joined strings, an MX record preference, space, name."""
        ...


class SystemDns:
    """The resolver of this machine, or the given servers."""

    def __init__(self, servers: list[str] | None = None, port: int = 53) -> None:
        self._servers = servers
        self._port = port
        self._resolver: dns.resolver.Resolver | None = None

    def ask(self, name: str, kind: Kind, seconds: float) -> tuple[list[bytes], float]:
        try:
            answer = self._ready().resolve(name, kind, lifetime=seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
            return [], NOTHING_KEPT_SECONDS
        except (dns.resolver.NoNameservers, dns.resolver.NoResolverConfiguration, dns.exception.Timeout) as error:
            raise DnsFault(type(error).__name__) from error
        except (dns.exception.DNSException, UnicodeError):  # not a name that can be asked for
            return [], NOTHING_KEPT_SECONDS
        except OSError as error:
            raise DnsFault(type(error).__name__) from error
        return [_plain(record, kind) for record in answer], float(answer.rrset.ttl if answer.rrset else 0)

    def _ready(self) -> dns.resolver.Resolver:
        if self._resolver is None:
            resolver = dns.resolver.Resolver(configure=self._servers is None)
            if self._servers is not None:
                resolver.nameservers = list(self._servers)
                resolver.port = self._port
            self._resolver = resolver
        return self._resolver


class Remembering:
    """A cache before another `Dns`. Faults are not kept. Used by several threads at once."""

    def __init__(self, dns_: Dns, clock: Callable[[], float] = time.monotonic) -> None:
        self._dns = dns_
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, Kind], tuple[float, list[bytes]]] = OrderedDict()

    def ask(self, name: str, kind: Kind, seconds: float) -> tuple[list[bytes], float]:
        key = (name.lower().rstrip("."), kind)
        now = self._clock()
        with self._lock:
            until, known = self._kept.get(key, (0.0, []))
        if until > now:
            return known, until - now
        found, holds = self._dns.ask(key[0], kind, seconds)
        holds = min(max(holds, KEPT_SECONDS[0]), KEPT_SECONDS[1])
        with self._lock:
            self._kept[key] = (now + holds, found)
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found, holds


class Lookups:
    """The questions of one mail: all of them together end at `deadline` (of `time.monotonic`)."""

    def __init__(self, dns_: Dns, deadline: float) -> None:
        self._dns = dns_
        self._deadline = deadline
        self._left = MOST_LOOKUPS

    def ask(self, name: str, kind: Kind) -> list[bytes]:
        """Raises DnsFault."""
        seconds = self._deadline - time.monotonic()
        self._left -= 1
        if seconds <= 0 or self._left < 0:
            raise DnsFault("the time or the number of questions for one mail is used up")
        return self._dns.ask(name, kind, min(seconds, STEP_SECONDS))[0]


def _plain(record: dns.rdata.Rdata, kind: Kind) -> bytes:
    if kind == "TXT":
        strings: tuple[bytes, ...] = record.strings  # type: ignore[attr-defined] # of a TXT record
        return b"".join(strings)
    return record.to_text().encode("ascii", "replace")
