"""The composition root: the one place that knows every concrete part of the app process."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route

from bot import catalogue
from bot.alarm import Alarm
from bot.clock import Clock, now
from bot.deliver import Deliverer, DeliveryRunner
from bot.files import Files
from bot.finish import Finish
from bot.health import Health
from bot.hub import Hub
from bot.inbox import Inbox
from bot.keys import derive, root_secret
from bot.rasa_client import RasaClient
from bot.settings import Settings, SettingsError
from bot.store.store import Store
from bot.thinking import Articles, Mind
from bot.transcript import ChannelTranscript
from bot.turn import Turner
from bot.turns import TurnRunner
from bot.understanding.knowledge import Knowledge, KnowledgeError
from bot.understanding.labels import COMPLAINTS
from bot.understanding.language import Language
from bot.understanding.reading import read
from channels import registry
from channels.contract import Accept, Channel, ChannelContext, Transcript, Words
from escalation.carry_out import ArticleText, CarryOut
from escalation.cases import Promise
from escalation.console import routes as console
from escalation.console.desk import ConsoleDesk
from escalation.handling import Handling
from escalation.links import TrackingLinks
from escalation.queue import PATIENCE_TIMER, Patience
from escalation.reminders import NobodyCame
from escalation.tracking import routes as tracking
from escalation.web import static
from escalation.web.errors import handlers
from escalation.web.pages import Pages

ROOT = Path(__file__).resolve().parents[1]
KNOWLEDGE = ROOT / "data" / "knowledge"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything that runs in the app process."""

    settings: Settings
    store: Store
    hub: Hub
    channels: Mapping[str, Channel]
    inbox: Inbox
    turns: TurnRunner
    deliveries: DeliveryRunner
    alarm: Alarm
    handling: Handling
    console: ConsoleDesk
    rasa: RasaClient
    app: Starlette


def build(settings: Settings, clock: Clock = now) -> Desk:
    """Puts the desk together; nothing runs or listens yet. The database must be migrated before."""
    store, hub, words = Store(settings.database), Hub(), catalogue.whole()
    secret = root_secret(settings.data_dir)
    raw, evidence = Files(settings.data_dir / "raw"), Files(settings.data_dir / "evidence")
    channels: dict[str, Channel] = {}
    knowledge = load_knowledge(settings)
    promise = _promise(settings)
    patience = _patience(settings)
    links = TrackingLinks(secret, settings.url)
    rasa = RasaClient(settings.rasa_url, settings.rasa_secret, settings.work.rasa_seconds)
    lease = timedelta(seconds=settings.work.lease_seconds)
    turner = Turner(
        store=store,
        channels=channels,
        raw=raw,
        evidence=evidence,
        clock=clock,
        hub=hub,
        mind=Mind(understand=read, articles=_best_articles(knowledge), ask=rasa.turn),
        finish=Finish(
            channels=channels,
            clock=clock,
            carry_out=CarryOut(words, _article_text(knowledge), links, promise, patience),
            patience=patience,
        ),
        max_attempts=settings.work.max_attempts,
    )
    turns = TurnRunner(
        turner, store, clock, width=settings.work.turns, lease=lease, scan_seconds=settings.work.scan_seconds
    )
    inbox = Inbox(store, raw, clock, lease, turns.start)
    handling = Handling(store, clock, hub, words, promise, lambda name: channels[name].capabilities.live)
    channels.update(
        _channels(settings, inbox.accept, lambda name: ChannelTranscript(name, store, hub, channels), words, secret)
    )
    deliverer = Deliverer(store=store, channels=channels, clock=clock, hub=hub, lease=lease)
    desk = ConsoleDesk(
        store=store,
        hub=hub,
        clock=clock,
        words=words,
        handling=handling,
        links=links,
        evidence=evidence,
        public_url=settings.url,
        brands=_brands(settings),
    )
    health = Health(store=store, data_dir=settings.data_dir, channels=channels, rasa=rasa)
    return Desk(
        settings=settings,
        store=store,
        hub=hub,
        channels=channels,
        inbox=inbox,
        turns=turns,
        deliveries=DeliveryRunner(deliverer, store, clock, hub, settings.work.deliveries, settings.work.scan_seconds),
        alarm=Alarm(store, clock, hub, {PATIENCE_TIMER: NobodyCame(words)}, settings.work.scan_seconds),
        handling=handling,
        console=desk,
        rasa=rasa,
        app=_web([*health.routes(), *console.routes(desk), *_tracking(desk)], channels, desk),
    )


def _promise(settings: Settings) -> Promise:
    return Promise(
        first_answer=timedelta(hours=settings.promise.first_answer_hours),
        decision=timedelta(days=settings.promise.decision_days),
    )


def _patience(settings: Settings) -> Patience:
    return Patience(
        live=timedelta(seconds=settings.promise.queue_patience_seconds),
        other=timedelta(hours=settings.promise.first_answer_hours),
    )


def _brands(settings: Settings) -> Mapping[str, str]:
    return {"en": settings.exchange_name, "zh": settings.exchange_name_zh}


def load_knowledge(settings: Settings) -> Knowledge:
    """The articles with the exchange's figures. Raises SettingsError for a malformed one or an unknown figure."""
    figures = tomllib.loads((KNOWLEDGE / "figures.toml").read_text(encoding="utf-8"))
    if unknown := settings.figures.keys() - figures.keys():
        raise SettingsError(f"no article uses the figure {', '.join(sorted(unknown))}: see data/knowledge/figures.toml")
    try:
        return Knowledge.load(KNOWLEDGE, figures | settings.figures)
    except KnowledgeError as error:
        raise SettingsError(str(error)) from error


def _article_text(knowledge: Knowledge) -> ArticleText:
    def text(article: str, language: str) -> str:
        found = knowledge.article(article, "zh" if language == "zh" else "en")
        return f"{found.title}\n\n{found.body}"

    return text


def _best_articles(knowledge: Knowledge) -> Articles:
    labels = [label for label in COMPLAINTS if knowledge.for_class(label)]

    def best(text: str, language: str) -> Mapping[str, str]:
        spoken: Language = "zh" if language == "zh" else "en"
        found = ((label, knowledge.best(text, label, spoken)) for label in labels)
        return {label: article.id for label, article in found if article is not None}

    return best


def _channels(
    settings: Settings, accept: Accept, transcript: Callable[[str], Transcript], words: Words, secret: bytes
) -> Mapping[str, Channel]:
    """Every channel with what it needs. Raises SettingsError when a channel's section is wrong."""

    def context(name: str) -> ChannelContext:
        return ChannelContext(
            settings=settings.channel.get(name, {}),
            host=settings.host,
            ports={"smtp": settings.smtp_port},
            exchange_names=_brands(settings),
            data_dir=settings.data_dir,
            public_url=settings.url,
            secret=derive(secret, f"channel {name}"),
            accept=accept,
            transcript=transcript(name),
            words=words,
            site_origins=settings.site_origins,
            app_token_secret=settings.app_token_secret,
        )

    try:
        return registry.build_all(context, settings.channel)
    except (ValueError, registry.UnknownChannel) as error:
        raise SettingsError(f"Redress cannot start: {error}") from error


def _tracking(desk: ConsoleDesk) -> list[BaseRoute]:
    return tracking.routes(
        tracking.TrackingDesk(
            store=desk.store, clock=desk.clock, words=desk.words, links=desk.links, brands=desk.brands
        )
    )


def _web(pages: Sequence[BaseRoute], channels: Mapping[str, Channel], desk: ConsoleDesk) -> Starlette:
    of_channels = [route for channel in channels.values() for route in channel.routes()]
    errors = Pages(desk.words, desk.clock, desk.brands)
    return Starlette(
        routes=[*pages, *static.routes(), *of_channels, Route("/", _home)], exception_handlers=handlers(errors)
    )


async def _home(_request: Request) -> RedirectResponse:
    return RedirectResponse("/chat")
