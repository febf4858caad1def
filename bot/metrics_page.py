"""`GET /metrics` in Prometheus' text form: what this process counted, and how the road stands in the database.

Not for the public. With the setting `metrics_token` it answers whoever bears that token; without it, only somebody on
this machine who asks the desk directly. A request that came through a proxy is a stranger's until a token is set:
behind a proxy everybody has a loopback address.
"""

from __future__ import annotations

import hmac
import ipaddress
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from importlib.metadata import version
from time import monotonic
from typing import override

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.engine import make_url
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.clock import Clock
from bot.fresh import Fresh
from bot.metrics import REGISTRY
from bot.repository import file_checks, standing
from bot.repository.standing import Standing
from bot.store.store import Store
from channels.contract import Channel
from channels.faults import NotStored

SECONDS = 1.0
"""The database is looked at no more often than this, however many ask."""
OF_A_PROXY = ("forwarded", "via", "x-real-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip")
INBOX_STATES = ("new", "parked")
OUTBOX_STATES = ("new", "sending", "parked", "failed", "unknown", "by_hand")


class MetricsPage:
    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[str, Channel],
        clock: Clock,
        token: str,
        behind_proxy: bool,
        scanner_up: Callable[[], bool] | None = None,
    ) -> None:
        """`behind_proxy`: the desk has a public address, so a loopback peer may be anybody. `scanner_up`: None when no
        virus scanner is configured."""
        self._store = store
        self._channels = channels
        self._clock = clock
        self._token = token
        self._behind_proxy = behind_proxy
        self._scanner_up = scanner_up
        self._standing = Fresh(self._look, SECONDS, monotonic)
        self._unscanned = Fresh(partial(store.read, file_checks.unscanned), SECONDS, monotonic)

    def routes(self) -> list[BaseRoute]:
        return [Route("/metrics", self._answer)]

    async def _answer(self, request: Request) -> Response:
        if self._token:
            if not _bears(request, self._token):
                return PlainTextResponse("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
        elif self._behind_proxy or not _asks_directly(request):
            return PlainTextResponse("Not Found", 404)
        return Response(await self.text(), headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    async def text(self) -> bytes:
        """Everything there is to know. Without the database, what this process knows by itself."""
        known: list[Metric] = list(_of_channels(self._channels))
        if self._scanner_up is not None:
            known.append(_gauge("redress_scanner_up", "1 when the virus scanner answers", self._scanner_up()))
        try:
            known += _of_road(await self._standing.get(), self._clock())
            if self._scanner_up is not None:
                waiting = await self._unscanned.get()
                known.append(_gauge("redress_files_unscanned", "Files that wait for the virus scanner", waiting))
            known.append(_gauge("redress_database_up", "1 when the database answers", 1))
        except NotStored:
            known.append(_gauge("redress_database_up", "1 when the database answers", 0))
        known.append(_build(make_url(self._store.url).get_backend_name()))
        return bytes(generate_latest(REGISTRY)) + bytes(generate_latest(_only(known)))

    async def _look(self) -> Standing:
        return await self._store.read(lambda connection: standing.look(connection, self._clock()))


def _bears(request: Request, token: str) -> bool:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def _asks_directly(request: Request) -> bool:
    """From this machine, and nothing says that somebody passed the request on."""
    if any(name in OF_A_PROXY or name.startswith("x-forwarded-") for name in request.headers):
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _of_road(now: Standing, moment: datetime) -> Iterator[Metric]:
    inbox = GaugeMetricFamily("redress_inbox_rows", "Received messages that are not finished", labels=["state"])
    for state in INBOX_STATES:
        inbox.add_metric([state], now.inbox.get(state, 0))
    outbox = GaugeMetricFamily("redress_outbox_rows", "Messages to users that are not settled", labels=["state"])
    for state in OUTBOX_STATES:
        outbox.add_metric([state], now.outbox.get(state, 0))
    lag = GaugeMetricFamily("redress_lag_seconds", "Age of the oldest that waits; 0 when none does", labels=["of"])
    for name, since in {"inbox": now.oldest_inbox, "outbox": now.oldest_outbox, "timers": now.oldest_timer}.items():
        lag.add_metric([name], 0.0 if since is None else max(0.0, (moment - since).total_seconds()))
    waiting = GaugeMetricFamily("redress_waiting_attempts", "Tries so far of what still waits", labels=["of"])
    waiting.add_metric(["turn"], now.inbox_attempts)
    waiting.add_metric(["delivery"], now.outbox_attempts)
    yield from (inbox, outbox, lag, waiting)
    yield _gauge("redress_timers", "Timers set", now.timers)
    yield _gauge("redress_timers_overdue", "Timers that should have rung", now.timers_overdue)


def _of_channels(channels: Mapping[str, Channel]) -> Iterator[Metric]:
    open_now = GaugeMetricFamily("redress_connections", "Open connections, by channel", labels=["channel"])
    refused = CounterMetricFamily("redress_refused", "What a channel did not take", labels=["channel", "reason"])
    listening = GaugeMetricFamily("redress_listening", "1 while the channel's listener is up", labels=["channel"])
    for name, channel in channels.items():
        figures = channel.figures()
        open_now.add_metric([name], figures.connections)
        listening.add_metric([name], 0 if channel.deaf() else 1)
        for reason, count in sorted(figures.refused.items()):
            refused.add_metric([name, reason], count)
    yield from (open_now, refused, listening)


def _build(database: str) -> Metric:
    build = GaugeMetricFamily("redress_build_info", "What runs here", labels=["version", "python", "database"])
    build.add_metric([version("redress"), platform.python_version(), database], 1)
    return build


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _only(known: Iterable[Metric]) -> CollectorRegistry:
    """A registry that holds these values and nothing else."""

    class Known(Collector):
        @override
        def collect(self) -> Iterable[Metric]:
            return known

    registry = CollectorRegistry()
    registry.register(Known())
    return registry
