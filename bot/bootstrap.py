"""The composition root: the one place that knows every concrete part of the app process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route

from bot import catalogue, library
from bot.alarm import Alarm, Ring
from bot.attention import ChannelAttention
from bot.binding import assembly as binding
from bot.binding.assembly import Ways
from bot.clock import Clock, now
from bot.deliver import Deliverer
from bot.deliveries import DeliveryRunner
from bot.files import Files
from bot.finish import Finish
from bot.gaps import Gaps
from bot.health import Health
from bot.hub import Hub, conversation_topic
from bot.identity import assembly as identity
from bot.identity.assembly import Proofs
from bot.identity.dialogue import Identity
from bot.inbox import Inbox
from bot.keys import derive, root_secret
from bot.metrics import counted
from bot.metrics_page import MetricsPage
from bot.presence import Presence
from bot.rasa_client import RasaClient
from bot.settings import Settings, SettingsError
from bot.shared_clock import SharedClock
from bot.store.bell import Bell
from bot.store.store import Store
from bot.thinking import Mind
from bot.transcript import ChannelTranscript
from bot.turn import Turner
from bot.turns import TurnRunner
from bot.understanding.knowledge import Knowledge
from bot.understanding.reading import read
from bot.uploads import EXPIRY_TIMER, ChannelUploads, UploadExpiry
from bot.wording import Wording
from bot.wording.traditional import HANT, traditional
from channels import registry
from channels.contract import Accept, Capabilities, Channel, ChannelContext
from escalation.carry_out import CarryOut
from escalation.cases import Promise
from escalation.confirming import routes as confirming
from escalation.confirming.asking import Asking
from escalation.confirming.deed import Confirm
from escalation.confirming.routes import ConfirmingDesk
from escalation.console import routes as console
from escalation.console.desk import ConsoleDesk
from escalation.handling import Handling
from escalation.help import routes as help_pages
from escalation.help.routes import HelpDesk
from escalation.links import TrackingLinks
from escalation.lost_links import LOST_LINK_TIMER, LostLink
from escalation.queue import PATIENCE_TIMER, SILENCE_TIMER, Patience
from escalation.reminders import UNREAD_TIMER, NobodyCame, UnreadReminder, UserFellSilent
from escalation.tracking import routes as tracking
from escalation.web import static
from escalation.web.errors import handlers
from escalation.web.pages import Pages


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything that runs in the app process."""

    store: Store
    shared_clock: SharedClock
    channels: Mapping[str, Channel]
    turns: TurnRunner
    deliveries: DeliveryRunner
    alarm: Alarm
    proofs: Proofs
    presence: Presence
    hub: Hub
    console: ConsoleDesk
    rasa: RasaClient
    app: Starlette


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What several parts of the desk share."""

    settings: Settings
    clock: SharedClock
    secret: bytes
    store: Store
    hub: Hub
    words: Wording
    raw: Files
    evidence: Files
    uploads: Path
    """Where files lie that no message names yet."""
    presence: Presence
    links: TrackingLinks
    knowledge: Knowledge
    rasa: RasaClient
    ways: Ways
    channels: dict[str, Channel]
    """Filled last: channels need the inbox, which needs the turns, which need the channels."""

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.settings.work.lease_seconds)


def build(settings: Settings, clock: Clock = now) -> Desk:
    """Puts the desk together; nothing runs or listens yet. The database must be migrated before.

    `clock` is this machine's own; where the database keeps time, the desk goes by that. Raises SettingsError when a
    part of the configuration is wrong.
    """
    parts = _parts(settings, clock)
    deliveries = _deliveries(parts)
    proofs = _proofs(parts)
    turns = _turns(parts, proofs.identity)
    inbox = Inbox(
        parts.store,
        parts.raw,
        parts.clock,
        parts.lease,
        turns.start,
        turns.has_room,
        lambda channel, key: parts.hub.publish_soon(conversation_topic(channel, key)),
    )
    parts.channels.update(_channels(parts, counted(inbox.accept)))
    console_desk = _console(parts)
    return Desk(
        store=parts.store,
        shared_clock=parts.clock,
        channels=parts.channels,
        turns=turns,
        deliveries=deliveries,
        alarm=_alarm(parts, proofs),
        proofs=proofs,
        presence=parts.presence,
        hub=parts.hub,
        console=console_desk,
        rasa=parts.rasa,
        app=_web(parts, console_desk),
    )


def _parts(settings: Settings, clock: Clock) -> _Parts:
    secret = root_secret(settings.data_dir)
    bell = Bell(settings.database) if settings.database.startswith("postgresql") else None
    store, hub = Store(settings.database), Hub(bell)
    shared = SharedClock(store, clock)
    knowledge = library.load(settings)
    library.prepare(knowledge, settings.data_dir)
    words, links, channels = catalogue.whole(), TrackingLinks(secret, settings.url), dict[str, Channel]()
    ways = binding.build(
        settings.binding,
        secret=secret,
        store=store,
        hub=hub,
        clock=shared,
        words=words,
        channels=channels,
        link_of=links.url,
    )
    return _Parts(
        settings=settings,
        clock=shared,
        secret=secret,
        store=store,
        hub=hub,
        words=words,
        raw=Files(settings.data_dir / "raw"),
        evidence=Files(settings.data_dir / "evidence"),
        uploads=settings.data_dir / "uploads",
        presence=Presence(store, shared, hub),
        links=links,
        knowledge=knowledge,
        rasa=RasaClient(settings.rasa_url, settings.rasa_secret, settings.work.rasa_seconds),
        ways=ways,
        channels=channels,
    )


def _proofs(parts: _Parts) -> Proofs:
    settings = parts.settings
    return identity.build(
        settings.identity,
        backoffice=(settings.backoffice_url, settings.backoffice_token),
        secret=parts.secret,
        store=parts.store,
        words=parts.words,
        exchange=_brands(settings),
        clock=parts.clock,
        letters=lambda: _channel_of_letters(parts.channels),
    )


def _turns(parts: _Parts, proving: Identity | None) -> TurnRunner:
    knowledge, work = parts.knowledge, parts.settings.work
    patience = _patience(parts.settings)
    turner = Turner(
        store=parts.store,
        channels=parts.channels,
        raw=parts.raw,
        evidence=parts.evidence,
        clock=parts.clock,
        hub=parts.hub,
        mind=Mind(
            understand=read,
            articles=library.best_articles(knowledge),
            ask=parts.rasa.turn,
            identity=proving,
            binding=parts.ways.step(can_prove=proving is not None),
            clock=parts.clock,
            asking=Asking(
                words=parts.words,
                exchange=_brands(parts.settings),
                public_url=parts.settings.url,
                letters=lambda: _channel_of_letters(parts.channels),
            ),
        ),
        finish=Finish(
            channels=parts.channels,
            clock=parts.clock,
            carry_out=CarryOut(
                parts.words,
                library.article_text(knowledge, parts.words, parts.settings.url),
                parts.links,
                _promise(parts.settings),
                patience,
                silence=timedelta(minutes=parts.settings.promise.silence_minutes),
                can_prove=proving is not None,
            ),
            patience=patience,
            gaps=Gaps(library.ArticleShelf(knowledge), parts.clock),
        ),
        max_attempts=work.max_attempts,
        max_deaths=work.max_deaths,
    )
    return TurnRunner(
        turner, parts.store, parts.clock, width=work.turns, lease=parts.lease, scan_seconds=work.scan_seconds
    )


def _deliveries(parts: _Parts) -> DeliveryRunner:
    deliverer = Deliverer(
        store=parts.store, channels=parts.channels, clock=parts.clock, hub=parts.hub, lease=parts.lease
    )
    work = parts.settings.work
    return DeliveryRunner(deliverer, parts.store, parts.clock, parts.hub, work.deliveries, work.scan_seconds)


def _alarm(parts: _Parts, proofs: Proofs) -> Alarm:
    kinds: dict[str, Ring] = {
        **proofs.timers,
        PATIENCE_TIMER: NobodyCame(parts.words),
        SILENCE_TIMER: UserFellSilent(parts.words, lambda name: parts.channels[name].capabilities.live),
        UNREAD_TIMER: UnreadReminder(
            words=parts.words,
            patience=_remind_after(parts.settings),
            letters=lambda: _channel_of_letters(parts.channels),
            door=lambda name: parts.channels[name].door(),
        ),
        EXPIRY_TIMER: UploadExpiry(parts.uploads),
        LOST_LINK_TIMER: LostLink(
            words=parts.words,
            links=parts.links,
            letters=lambda: _channel_of_letters(parts.channels),
            capabilities=lambda name: parts.channels[name].capabilities,
        ),
    }
    return Alarm(parts.store, parts.clock, parts.hub, kinds, parts.settings.work.scan_seconds)


def _console(parts: _Parts) -> ConsoleDesk:
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
            _promise(parts.settings),
            capabilities,
            _remind_after(parts.settings),
        ),
        presence=parts.presence,
        links=parts.links,
        evidence=parts.evidence,
        capabilities=capabilities,
        formatted=formatted,
        raw=parts.raw,
        public_url=parts.settings.url,
        brands=_brands(parts.settings),
        can_prove=bool(parts.settings.backoffice_url),
    )


def _promise(settings: Settings) -> Promise:
    return Promise(
        first_answer=timedelta(hours=settings.promise.first_answer_hours),
        decision=timedelta(days=settings.promise.decision_days),
        same_matter=timedelta(days=settings.promise.same_matter_days),
    )


def _remind_after(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.promise.unread_reminder_minutes)


def _channel_of_letters(channels: Mapping[str, Channel]) -> str | None:
    """The channel by which the desk can write to an e-mail address of its own accord."""
    return next((name for name, channel in channels.items() if channel.capabilities.reaches == "email"), None)


def _patience(settings: Settings) -> Patience:
    return Patience(
        live=timedelta(seconds=settings.promise.queue_patience_seconds),
        other=timedelta(hours=settings.promise.first_answer_hours),
    )


def _brands(settings: Settings) -> Mapping[str, str]:
    zh = settings.exchange_name_zh
    return {"en": settings.exchange_name, "zh": zh, HANT: traditional(zh)}


def _channels(parts: _Parts, accept: Accept) -> Mapping[str, Channel]:
    """Every channel with what it needs. Raises SettingsError when a channel's section is wrong."""
    settings = parts.settings

    def context(name: str) -> ChannelContext:
        return ChannelContext(
            settings=settings.channel.get(name, {}),
            host=settings.host,
            ports={"smtp": settings.smtp_port},
            exchange_names=_brands(settings),
            data_dir=settings.data_dir,
            public_url=settings.url,
            secret=derive(parts.secret, f"channel {name}"),
            accept=accept,
            transcript=ChannelTranscript(name, parts.store, parts.hub, parts.channels, parts.links),
            evidence=parts.evidence,
            uploads=ChannelUploads(name, parts.store, parts.uploads, parts.evidence, parts.clock),
            invitations=parts.ways.of_channel(name),
            attention=ChannelAttention(name, parts.store, parts.hub, parts.presence, parts.clock),
            words=parts.words,
            site_origins=settings.site_origins,
            app_token_secret=settings.app_token_secret,
        )

    try:
        return registry.build_all(context, settings.channel)
    except (ValueError, registry.UnknownChannel) as error:
        raise SettingsError(f"Redress cannot start: {error}") from error


def _web(parts: _Parts, desk: ConsoleDesk) -> Starlette:
    """Every page of the desk: health, console, tracking, static files, and what the channels serve."""
    health = Health(
        store=parts.store,
        data_dir=parts.settings.data_dir,
        channels=parts.channels,
        rasa=parts.rasa,
        troubles={"clock": parts.clock.trouble},
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
    )
    of_desk = [*health.routes(), *metrics.routes()]
    public = [*tracking.routes(tracking_desk), *help_pages.routes(help_desk), *confirming.routes(_confirming(parts))]
    routes = [*of_desk, *console.routes(desk), *public, *static.routes(), *of_channels]
    errors = Pages(desk.words, desk.clock, desk.brands)
    return Starlette(routes=[*routes, Route("/", RedirectResponse("/chat"))], exception_handlers=handlers(errors))


def _confirming(parts: _Parts) -> ConfirmingDesk:
    return ConfirmingDesk(
        store=parts.store,
        hub=parts.hub,
        clock=parts.clock,
        words=parts.words,
        confirm=Confirm(
            words=parts.words,
            links=parts.links,
            promise=_promise(parts.settings),
            letters=lambda: _channel_of_letters(parts.channels),
            door=lambda name: parts.channels[name].door(),
        ),
        brands=_brands(parts.settings),
        public_url=parts.settings.url,
    )
