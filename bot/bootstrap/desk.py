"""Puts the desk together: what takes messages, thinks about them, answers, and serves pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.applications import Starlette

from bot import library, promises
from bot.alarm import Alarm, Ring
from bot.attachments.assembly import FileCare
from bot.bootstrap.channels import make_channels
from bot.bootstrap.notices import broadcasting_of
from bot.bootstrap.pages import make_console, make_web
from bot.bootstrap.parts import Parts, brands, channel_of_letters, make_parts
from bot.clock import Clock, now
from bot.deliver import Deliverer
from bot.deliveries import DeliveryRunner
from bot.finish import Finish
from bot.gaps import Gaps
from bot.hub import Hub, conversation_topic
from bot.identity import assembly as identity
from bot.identity.assembly import Proofs
from bot.identity.dialogue import Identity
from bot.inbox import Inbox
from bot.metrics import counted
from bot.presence import Presence
from bot.rasa_client import RasaClient
from bot.settings import Settings
from bot.shared_clock import SharedClock
from bot.store.store import Store
from bot.thinking import Mind
from bot.turn import Turner
from bot.turns import TurnRunner
from bot.understanding.reading import read
from bot.uploads import EXPIRY_TIMER, UploadExpiry
from channels.contract import Channel
from escalation.broadcast.sending import BROADCAST_TIMER
from escalation.carry_out import CarryOut
from escalation.confirming.asking import Asking
from escalation.console.desk import ConsoleDesk
from escalation.lost_links import LOST_LINK_TIMER, LostLink
from escalation.over_cap import OVER_CAP_TIMER, BurstIsOver
from escalation.queue import PATIENCE_TIMER, SILENCE_TIMER
from escalation.reminders import UNREAD_TIMER, NobodyCame, UnreadReminder, UserFellSilent


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything that runs in the app process."""

    store: Store
    shared_clock: SharedClock
    channels: Mapping[str, Channel]
    turns: TurnRunner
    deliveries: DeliveryRunner
    alarm: Alarm
    file_care: FileCare
    proofs: Proofs
    presence: Presence
    hub: Hub
    console: ConsoleDesk
    rasa: RasaClient
    app: Starlette
    load_articles: Callable[[], None]
    """Begins with it; nobody waits for the end. Not beside other loading, see `bot/memory.py`."""


def build(settings: Settings, clock: Clock = now) -> Desk:
    """Puts the desk together; nothing runs or listens yet. The database must be migrated before.

    `clock` is this machine's own; where the database keeps time, the desk goes by that. Raises SettingsError when a
    part of the configuration is wrong.
    """
    parts = make_parts(settings, clock)
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
    parts.channels.update(make_channels(parts, counted(inbox.accept)))
    console_desk = make_console(parts)
    return Desk(
        store=parts.store,
        shared_clock=parts.clock,
        channels=parts.channels,
        turns=turns,
        deliveries=deliveries,
        alarm=_alarm(parts, proofs),
        file_care=parts.file_care,
        proofs=proofs,
        presence=parts.presence,
        hub=parts.hub,
        console=console_desk,
        rasa=parts.rasa,
        app=make_web(parts, console_desk),
        load_articles=lambda: library.prepare(parts.knowledge, settings.data_dir),
    )


def _proofs(parts: Parts) -> Proofs:
    settings = parts.settings
    return identity.build(
        settings.identity,
        backoffice=(settings.backoffice_url, settings.backoffice_token),
        secret=parts.secret,
        store=parts.store,
        words=parts.words,
        exchange=brands(settings),
        clock=parts.clock,
        letters=lambda: channel_of_letters(parts.channels),
    )


def _turns(parts: Parts, proving: Identity | None) -> TurnRunner:
    knowledge, work = parts.knowledge, parts.settings.work
    patience = promises.patience(parts.settings)
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
                exchange=brands(parts.settings),
                public_url=parts.settings.url,
                letters=lambda: channel_of_letters(parts.channels),
            ),
        ),
        finish=Finish(
            channels=parts.channels,
            clock=parts.clock,
            carry_out=CarryOut(
                parts.words,
                library.article_text(knowledge, parts.words, parts.settings.url),
                parts.links,
                promises.promise(parts.settings),
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


def _deliveries(parts: Parts) -> DeliveryRunner:
    deliverer = Deliverer(
        store=parts.store,
        channels=parts.channels,
        clock=parts.clock,
        hub=parts.hub,
        lease=parts.lease,
        recall=broadcasting_of(parts).recall,
    )
    work = parts.settings.work
    return DeliveryRunner(deliverer, parts.store, parts.clock, parts.hub, work.deliveries, work.scan_seconds)


def _alarm(parts: Parts, proofs: Proofs) -> Alarm:
    kinds: dict[str, Ring] = {
        **proofs.timers,
        PATIENCE_TIMER: NobodyCame(parts.words, lambda name: parts.channels[name].capabilities.keyed_in),
        SILENCE_TIMER: UserFellSilent(parts.words, lambda name: parts.channels[name].capabilities.live),
        OVER_CAP_TIMER: BurstIsOver(parts.words, parts.channels),
        BROADCAST_TIMER: broadcasting_of(parts).send,
        UNREAD_TIMER: UnreadReminder(
            words=parts.words,
            patience=promises.remind_after(parts.settings),
            letters=lambda: channel_of_letters(parts.channels),
            door=lambda name: parts.channels[name].door(),
        ),
        EXPIRY_TIMER: UploadExpiry(parts.uploads),
        LOST_LINK_TIMER: LostLink(
            words=parts.words,
            links=parts.links,
            letters=lambda: channel_of_letters(parts.channels),
            channel_of=lambda name: parts.channels[name],
        ),
    }
    return Alarm(parts.store, parts.clock, parts.hub, kinds, parts.settings.work.scan_seconds)
