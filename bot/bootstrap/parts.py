"""What several parts of the desk share, made once, and what the settings say in the desk's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot import catalogue, library
from bot.attachments import assembly as file_care
from bot.attachments.assembly import FileCare
from bot.binding import assembly as binding
from bot.binding.assembly import Ways
from bot.clock import Clock
from bot.files import Files
from bot.hub import Hub
from bot.keys import root_secret
from bot.presence import Presence
from bot.rasa_client import RasaClient
from bot.settings import Settings
from bot.shared_clock import SharedClock
from bot.store.store import Store
from bot.understanding.knowledge import Knowledge
from bot.wording import Wording
from bot.wording.traditional import WrittenWhenRead
from channels.contract import Channel
from channels.record_contract import Recorder
from escalation.links import TrackingLinks

if TYPE_CHECKING:
    from bot.store.bell import Bell


@dataclass(frozen=True, kw_only=True)
class Parts:
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
    file_care: FileCare
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


def _bell(database: str) -> Bell | None:
    """Imported here: a desk on SQLite needs no driver for PostgreSQL."""
    if not database.startswith("postgresql"):
        return None
    from bot.store.bell import Bell

    return Bell(database)


def make_parts(settings: Settings, clock: Clock) -> Parts:
    secret = root_secret(settings.data_dir)
    store, hub = Store(settings.database), Hub(_bell(settings.database))
    shared = SharedClock(store, clock)
    knowledge = library.load(settings)
    evidence = Files(settings.data_dir / "evidence")
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
    return Parts(
        settings=settings,
        clock=shared,
        secret=secret,
        store=store,
        hub=hub,
        words=words,
        raw=Files(settings.data_dir / "raw"),
        evidence=evidence,
        uploads=settings.data_dir / "uploads",
        file_care=file_care.build(settings, store, shared, hub, evidence),
        presence=Presence(store, shared, hub),
        links=links,
        knowledge=knowledge,
        rasa=RasaClient(settings.rasa_url, settings.rasa_secret, settings.work.rasa_seconds),
        ways=ways,
        channels=channels,
    )


def channel_of_letters(channels: Mapping[str, Channel]) -> str | None:
    """The channel by which the desk can write to an e-mail address of its own accord."""
    return next((name for name, channel in channels.items() if channel.capabilities.reaches == "email"), None)


def recorder_of(channels: Mapping[str, Channel]) -> Recorder | None:
    """Takes what agents key in."""
    return next((recorder for channel in channels.values() if (recorder := channel.recorder()) is not None), None)


def brands(settings: Settings) -> Mapping[str, str]:
    """The exchange's name by language."""
    return WrittenWhenRead({"en": settings.exchange_name, "zh": settings.exchange_name_zh})
