"""What the desk counts and times about itself, for `GET /metrics` (`bot/metrics_page.py` serves it).

What the road calls, each from any thread and in less than 5 microseconds:

    with step("finish"): ...      how long one step takes
    turned("answered")            a turn ended: its outcome, or "waits" / "broke"
    delivered("sent")             a sending ended: the state of its outbox row; or several that needed none
    attempted("turn")             a try that will be repeated: "turn" or "delivery"
    committed(12, 0.0031)         one group commit: operations in it, seconds it took
    scanned("clean")              a file was shown to the scanner: its verdict, "failed", or "down"
    rasa_failed("late")           a turn that Rasa gave no usable answer to, by kind
    counted(accept)               wraps a channel's `accept`: received, duplicates, refused for want of storage

Labels are fixed words of ours. Never an id, an address or anybody's text: whoever reads the figures need not be
somebody who may read complaints. The figures of a process begin at nought with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from time import perf_counter
from types import TracebackType
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.process_collector import ProcessCollector

from channels.contract import Accept, Accepted, InboundMessage
from channels.faults import NotStored

Step = Literal["accept", "read", "understand", "rasa", "finish", "claim", "send", "settle"]
RasaFailure = Literal["unreachable", "late", "broken_off", "refused", "nonsense", "resting"]
STEPS: Final = ("accept", "read", "understand", "rasa", "finish", "claim", "send", "settle")
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COMMIT_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0)
BATCHES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
_step_seconds = Histogram(
    "redress_step_seconds", "Seconds of one step of the road", ["step"], buckets=SECONDS, registry=REGISTRY
)
_received = Counter("redress_received", "Messages stored, by channel", ["channel"], registry=REGISTRY)
_duplicates = Counter(
    "redress_duplicates", "Messages that were stored before, by channel", ["channel"], registry=REGISTRY
)
_not_stored = Counter(
    "redress_not_stored", "Messages told to come again because they could not be stored", ["channel"], registry=REGISTRY
)
_turns = Counter("redress_turns", "Turns that ended, by outcome", ["outcome"], registry=REGISTRY)
_deliveries = Counter("redress_deliveries", "Sendings that ended, by state", ["state"], registry=REGISTRY)
_attempts = Counter("redress_repeated_attempts", "Tries that will be repeated", ["of"], registry=REGISTRY)
_commits = Histogram("redress_commit_seconds", "Group commits", buckets=COMMIT_SECONDS, registry=REGISTRY)
_batches = Histogram("redress_commit_operations", "Operations per group commit", buckets=BATCHES, registry=REGISTRY)
_rasa_failures = Counter("redress_rasa_failures", "Turns without Rasa's answer, by kind", ["kind"], registry=REGISTRY)

_scans = Counter("redress_scans", "Files shown to the virus scanner, by what it said", ["verdict"], registry=REGISTRY)

_observers: Final[Mapping[str, Callable[[float], None]]] = {name: _step_seconds.labels(name).observe for name in STEPS}


class step:
    """Times a block: `with step("read"):`; also when it fails."""

    __slots__ = ("_began", "_observe")

    def __init__(self, name: Step) -> None:
        self._observe = _observers[name]
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._observe(perf_counter() - self._began)


@functools.cache
def _child(counter: Counter, label: str) -> Counter:
    """Looking a label up costs more than counting: done once."""
    return counter.labels(label)


def turned(outcome: str) -> None:
    _child(_turns, outcome).inc()


def delivered(state: str, messages: int = 1) -> None:
    _child(_deliveries, state).inc(messages)


def attempted(of: Literal["turn", "delivery"]) -> None:
    _child(_attempts, of).inc()


def committed(operations: int, seconds: float) -> None:
    _batches.observe(operations)
    _commits.observe(seconds)


def scanned(verdict: str) -> None:
    _child(_scans, verdict).inc()


def rasa_failed(kind: RasaFailure) -> None:
    _child(_rasa_failures, kind).inc()


def counted(accept: Accept) -> Accept:
    """The same `accept`, with what it takes, recognises and must put off counted and timed."""

    async def accepted(message: InboundMessage) -> Accepted:
        try:
            with step("accept"):
                found = await accept(message)
        except NotStored:
            _child(_not_stored, message.channel).inc()
            raise
        _child(_duplicates if found.duplicate else _received, message.channel).inc()
        return found

    return accepted
