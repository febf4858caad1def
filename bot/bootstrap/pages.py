"""Everything that is served over HTTP: health, console, tracking, help, static files, and what the channels serve."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route

from bot import library, promises
from bot.bootstrap.notices import broadcasting_of
from bot.bootstrap.parts import Parts, brands, channel_of_letters, recorder_of
from bot.health import Health
from bot.metrics_page import MetricsPage
from channels.contract import Capabilities
from escalation.broadcast import routes as subscription_pages
from escalation.confirming import routes as confirming
from escalation.confirming.deed import Confirm
from escalation.confirming.routes import ConfirmingDesk
from escalation.console import routes as console
from escalation.console.desk import ConsoleDesk
from escalation.handling import Handling
from escalation.help import routes as help_pages
from escalation.help.routes import HelpDesk
from escalation.tracking import routes as tracking
from escalation.web import static
from escalation.web.errors import handlers
from escalation.web.pages import Pages


def make_console(parts: Parts) -> ConsoleDesk:
    def capabilities(channel: str) -> Capabilities:
        return parts.channels[channel].capabilities

    async def formatted(channel: str, raw: bytes, envelope: Mapping[str, Any]) -> str | None:
        return await parts.channels[channel].formatted(raw, envelope)

    return ConsoleDesk(
        store=parts.store,
        hub=parts.hub,
        clock=parts.clock,
        words=parts.words,
        handling=Handling(
            parts.store,
            parts.clock,
            parts.hub,
            parts.words,
            promises.promise(parts.settings),
            capabilities,
            promises.remind_after(parts.settings),
        ),
        presence=parts.presence,
        broadcasts=broadcasting_of(parts).service,
        links=parts.links,
        evidence=parts.evidence,
        capabilities=capabilities,
        formatted=formatted,
        raw=parts.raw,
        preview=parts.file_care.previews.of,
        recorder=lambda: recorder_of(parts.channels),
        scanning=parts.file_care.scanning,
        public_url=parts.settings.url,
        brands=brands(parts.settings),
        can_prove=bool(parts.settings.backoffice_url),
    )


def make_web(parts: Parts, desk: ConsoleDesk) -> Starlette:
    """Every page of the desk: health, console, tracking, static files, and what the channels serve."""
    health = Health(
        store=parts.store,
        data_dir=parts.settings.data_dir,
        channels=parts.channels,
        rasa=parts.rasa,
        troubles={
            "clock": parts.clock.trouble,
            "articles": partial(library.trouble, parts.knowledge),
            **parts.file_care.troubles,
        },
    )
    tracking_desk = tracking.TrackingDesk(
        store=desk.store,
        clock=desk.clock,
        words=desk.words,
        links=desk.links,
        brands=desk.brands,
        public_url=desk.public_url,
        elsewhere=parts.ways.of_cases(),
    )
    help_desk = HelpDesk(
        store=desk.store,
        clock=desk.clock,
        words=desk.words,
        knowledge=parts.knowledge,
        brands=desk.brands,
        public_url=desk.public_url,
    )
    of_channels = [route for channel in parts.channels.values() for route in channel.routes()]
    metrics = MetricsPage(
        store=parts.store,
        channels=parts.channels,
        clock=parts.clock,
        token=parts.settings.metrics_token,
        behind_proxy=bool(parts.settings.public_url),
        scanner_up=parts.file_care.scanner_up,
    )
    of_desk = [*health.routes(), *metrics.routes()]
    public = [
        *tracking.routes(tracking_desk),
        *help_pages.routes(help_desk),
        *confirming.routes(_confirming(parts)),
        *subscription_pages.routes(broadcasting_of(parts).public),
    ]
    # Routes are tried one after the other: what takes messages comes first.
    routes = [*of_channels, *of_desk, *console.routes(desk), *public, *static.routes()]
    errors = Pages(desk.words, desk.clock, desk.brands)
    return Starlette(routes=[*routes, Route("/", RedirectResponse("/chat"))], exception_handlers=handlers(errors))


def _confirming(parts: Parts) -> ConfirmingDesk:
    return ConfirmingDesk(
        store=parts.store,
        hub=parts.hub,
        clock=parts.clock,
        words=parts.words,
        confirm=Confirm(
            words=parts.words,
            links=parts.links,
            promise=promises.promise(parts.settings),
            letters=lambda: channel_of_letters(parts.channels),
            door=lambda name: parts.channels[name].door(),
        ),
        brands=brands(parts.settings),
        public_url=parts.settings.url,
    )
